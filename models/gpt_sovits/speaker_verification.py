"""ERes2NetV2: who speaks, as a vector, which the Pro versions add to their timbre.

The attributes are called as the tensors of the checkpoint.

Source: ERes2NetV2, arXiv:2406.02167.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from .fbank import fbank

STRIDES = (1, 2, 2, 2)  # of the first block of each stage, over frequency and time
CLIP = 20.0
UNUSED = "seg_1."  # the head that makes a short vector for verification


class AttentionalFusion(nn.Module):
    """Weighs two maps against each other, element by element."""

    def __init__(self, channels: int, hidden: int) -> None:
        super().__init__()
        self.local_att = nn.Sequential(
            nn.Conv2d(2 * channels, hidden, 1),
            nn.BatchNorm2d(hidden),
            nn.SiLU(),
            nn.Conv2d(hidden, channels, 1),
            nn.BatchNorm2d(channels),
        )

    def forward(self, x: Tensor, y: Tensor) -> Tensor:
        """Fuse two maps (B, C, F, T) into one."""
        weight = 1.0 + torch.tanh(self.local_att(torch.cat([x, y], dim=1)))
        return x * weight + y * (2.0 - weight)


class Res2Block(nn.Module):
    """Bottleneck whose middle is a chain of narrow convolutions, each fed with the result before it."""

    def __init__(self, weights: Mapping[str, Tensor], prefix: str, stride: int) -> None:
        super().__init__()
        middle, inner = weights[prefix + "conv1.weight"].shape[:2]
        outer = len(weights[prefix + "conv3.weight"])
        width = len(weights[prefix + "convs.0.weight"])
        self.conv1 = nn.Conv2d(inner, middle, 1, stride, bias=False)
        self.bn1 = nn.BatchNorm2d(middle)
        groups = middle // width
        self.convs = nn.ModuleList(nn.Conv2d(width, width, 3, padding=1, bias=False) for _ in range(groups))
        self.bns = nn.ModuleList(nn.BatchNorm2d(width) for _ in range(groups))
        self.conv3 = nn.Conv2d(middle, outer, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(outer)
        self.shortcut = nn.Sequential()
        if prefix + "shortcut.0.weight" in weights:
            self.shortcut.append(nn.Conv2d(inner, outer, 1, stride, bias=False))
            self.shortcut.append(nn.BatchNorm2d(outer))
        self.fuse_models = nn.ModuleList()
        if (first := weights.get(prefix + "fuse_models.0.local_att.0.weight")) is not None:
            hidden = len(first)
            self.fuse_models.extend(AttentionalFusion(width, hidden) for _ in range(groups - 1))

    def forward(self, x: Tensor) -> Tensor:
        """Transform (B, C, F, T); a stride above 1 shortens F and T."""
        groups = _activate(self.bn1(self.conv1(x))).chunk(len(self.convs), dim=1)
        outputs: list[Tensor] = []
        for index, group in enumerate(groups):
            if outputs:
                group = self._join(index - 1, outputs[-1], group)
            outputs.append(_activate(self.bns[index](self.convs[index](group))))
        y = self.bn3(self.conv3(torch.cat(outputs, dim=1)))
        return _activate(y + self.shortcut(x))

    def _join(self, index: int, previous: Tensor, group: Tensor) -> Tensor:
        return self.fuse_models[index](previous, group) if self.fuse_models else previous + group


def _activate(x: Tensor) -> Tensor:
    return x.clamp(0.0, CLIP)


class ERes2NetV2(nn.Module):
    """The network up to the fused last stage, averaged over time."""

    def __init__(self, weights: Mapping[str, Tensor]) -> None:
        super().__init__()
        channels = len(weights["conv1.weight"])
        self.conv1 = nn.Conv2d(1, channels, 3, padding=1, bias=False)
        self.bn1 = nn.BatchNorm2d(channels)
        self.layer1, self.layer2, self.layer3, self.layer4 = (
            _stage(weights, f"layer{number}.", stride) for number, stride in enumerate(STRIDES, 1)
        )
        outer, inner = weights["layer3_ds.weight"].shape[:2]
        self.layer3_ds = nn.Conv2d(inner, outer, 3, 2, padding=1, bias=False)
        self.fuse34 = AttentionalFusion(outer, len(weights["fuse34.local_att.0.weight"]))

    @classmethod
    def from_weights(cls, weights: Mapping[str, Tensor]) -> ERes2NetV2:
        """Build the network around the tensors of a checkpoint; all sizes are theirs.

        Raises:
            ValueError: a tensor is missing, left over or of the wrong shape.
        """
        used = {name: value for name, value in weights.items() if not name.startswith(UNUSED)}
        try:
            with torch.device("meta"):
                model = cls(used)
            model.load_state_dict(used, assign=True)
        except (KeyError, RuntimeError, ValueError) as error:
            raise ValueError(
                f"not the tensors of ERes2NetV2 ({error}); give pretrained_eres2netv2w24s4ep4.ckpt"
            ) from error
        return model.eval().requires_grad_(False)

    def forward(self, features: Tensor) -> Tensor:
        """Turn mel energies (B, T, 80) into (B, 20480): for each channel its ten frequency rows."""
        x = features.transpose(1, 2).unsqueeze(1)  # (B, 1, F, T)
        x = self.layer1(torch.relu(self.bn1(self.conv1(x))))  # (B, C, F, T)
        third = self.layer3(self.layer2(x))  # (B, C, F / 4, T / 4)
        x = self.fuse34(self.layer4(third), self.layer3_ds(third))  # (B, C, F / 8, T / 8)
        return x.flatten(1, 2).mean(-1)

    @torch.inference_mode()
    def embed(self, waveform: Tensor) -> Tensor:
        """Turn 16 kHz sound in [-1, 1], (B, N), into a vector (B, 20480)."""
        return self(fbank(waveform.to(self.conv1.weight)))


def _stage(weights: Mapping[str, Tensor], prefix: str, stride: int) -> nn.Sequential:
    count = sum(
        name.startswith(prefix) and name.count(".") == 3 and name.endswith(".conv1.weight")
        for name in weights
    )
    blocks = [Res2Block(weights, f"{prefix}{index}.", stride if index == 0 else 1) for index in range(count)]
    return nn.Sequential(*blocks)
