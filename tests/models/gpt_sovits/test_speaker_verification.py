"""ERes2NetV2 against the list of its tensors and against the same computed from the tensors by hand."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor
from torch.nn import functional

from models.gpt_sovits.fbank import fbank
from models.gpt_sovits.speaker_verification import ERes2NetV2


@dataclass(frozen=True)
class Size:
    """What a checkpoint's tensors are shaped by; the defaults are those of the official one."""

    channels: int = 64
    widths: tuple[int, ...] = (24, 48, 96, 192)
    depths: tuple[int, ...] = (3, 4, 6, 3)
    scale: int = 4


FULL = Size()
SMALL = Size(channels=4, widths=(3, 4, 8, 12), depths=(1, 2, 2, 1))


def shapes(size: Size) -> dict[str, tuple[int, ...]]:
    """Name and shape of every tensor of the file."""
    found: dict[str, tuple[int, ...]] = {}

    def conv(name: str, out: int, into: int, kernel: int, bias: bool = False) -> None:
        found[f"{name}.weight"] = (out, into, kernel, kernel)
        if bias:
            found[f"{name}.bias"] = (out,)

    def norm(name: str, channels: int) -> None:
        found.update({f"{name}.{part}": (channels,) for part in ("weight", "bias")})
        found.update({f"{name}.running_{part}": (channels,) for part in ("mean", "var")})
        found[f"{name}.num_batches_tracked"] = ()

    def fusion(name: str, channels: int) -> None:
        conv(f"{name}.local_att.0", channels // 4, 2 * channels, 1, bias=True)
        norm(f"{name}.local_att.1", channels // 4)
        conv(f"{name}.local_att.3", channels, channels // 4, 1, bias=True)
        norm(f"{name}.local_att.4", channels)

    conv("conv1", size.channels, 1, 3)
    norm("bn1", size.channels)
    into = size.channels
    for stage, (width, depth) in enumerate(zip(size.widths, size.depths, strict=True)):
        out = 4 * size.channels * 2**stage
        for block in range(depth):
            name = f"layer{stage + 1}.{block}"
            conv(f"{name}.conv1", width * size.scale, into, 1)
            norm(f"{name}.bn1", width * size.scale)
            for group in range(size.scale):
                conv(f"{name}.convs.{group}", width, width, 3)
                norm(f"{name}.bns.{group}", width)
            for gap in range(size.scale - 1 if stage >= 2 else 0):
                fusion(f"{name}.fuse_models.{gap}", width)
            conv(f"{name}.conv3", out, width * size.scale, 1)
            norm(f"{name}.bn3", out)
            if block == 0:
                conv(f"{name}.shortcut.0", out, into, 1)
                norm(f"{name}.shortcut.1", out)
            into = out
    conv("layer3_ds", into, into // 2, 3)
    fusion("fuse34", into)
    found["seg_1.weight"], found["seg_1.bias"] = (192, 2 * 10 * into), (192,)
    return found


def random_weights(size: Size) -> dict[str, Tensor]:
    generator = torch.Generator().manual_seed(3)
    weights = {}
    for name, shape in shapes(size).items():
        value = torch.randn(shape, generator=generator)
        if name.endswith("num_batches_tracked"):
            value = torch.tensor(100)
        elif name.endswith("running_var"):
            value = 1.0 + value.abs()
        elif len(shape) == 4:
            value = 1.5 * value / (shape[1] * shape[2] * shape[3]) ** 0.5
        weights[name] = value
    return weights


class ByHand:
    """The network as operations on named tensors."""

    def __init__(self, weights: dict[str, Tensor]) -> None:
        self.weights = weights

    def conv(self, x: Tensor, name: str, stride: int = 1) -> Tensor:
        weight = self.weights[f"{name}.weight"]
        bias = self.weights.get(f"{name}.bias")
        return functional.conv2d(x, weight, bias, stride, padding=weight.shape[-1] // 2)

    def norm(self, x: Tensor, name: str) -> Tensor:
        mean, var, gain, offset = (
            self.weights[f"{name}.{part}"][None, :, None, None]
            for part in ("running_mean", "running_var", "weight", "bias")
        )
        return (x - mean) / (var + 1e-5) ** 0.5 * gain + offset

    def fuse(self, x: Tensor, y: Tensor, name: str) -> Tensor:
        a = self.norm(self.conv(torch.cat([x, y], 1), f"{name}.local_att.0"), f"{name}.local_att.1")
        a = self.norm(self.conv(a * torch.sigmoid(a), f"{name}.local_att.3"), f"{name}.local_att.4")
        a = 1 + torch.tanh(a)
        return x * a + y * (2 - a)

    def block(self, x: Tensor, name: str, stride: int) -> Tensor:
        groups = (
            self.norm(self.conv(x, f"{name}.conv1", stride), f"{name}.bn1")
            .clip(0, 20)
            .split(self.weights[f"{name}.convs.0.weight"].shape[0], dim=1)
        )
        y = groups[0]
        done = []
        for index, group in enumerate(groups):
            if index and f"{name}.fuse_models.0.local_att.0.weight" in self.weights:
                y = self.fuse(y, group, f"{name}.fuse_models.{index - 1}")
            elif index:
                y = y + group
            y = self.norm(self.conv(y, f"{name}.convs.{index}"), f"{name}.bns.{index}").clip(0, 20)
            done.append(y)
        y = self.norm(self.conv(torch.cat(done, 1), f"{name}.conv3"), f"{name}.bn3")
        if f"{name}.shortcut.0.weight" in self.weights:
            x = self.norm(self.conv(x, f"{name}.shortcut.0", stride), f"{name}.shortcut.1")
        return (x + y).clip(0, 20)

    def embed(self, features: Tensor, depths: tuple[int, ...]) -> Tensor:
        x = functional.relu(self.norm(self.conv(features.mT[:, None], "conv1"), "bn1"))
        outputs = []
        for stage, depth in enumerate(depths):
            for block in range(depth):
                x = self.block(x, f"layer{stage + 1}.{block}", 2 if stage and not block else 1)
            outputs.append(x)
        x = self.fuse(outputs[3], self.conv(outputs[2], "layer3_ds", 2), "fuse34")
        vector = [x[0, channel, row].mean() for channel in range(x.shape[1]) for row in range(x.shape[2])]
        return torch.stack(vector)


def test_the_tensors_are_those_of_the_official_file() -> None:
    official = {name: torch.empty(shape, device="meta") for name, shape in shapes(FULL).items()}
    assert len(official) == 1001
    model = ERes2NetV2.from_weights(official)
    assert model.state_dict().keys() == {name for name in official if not name.startswith("seg_1.")}
    assert round(sum(tensor.numel() for tensor in official.values()) / 1e6, 1) == 53.6
    assert 10 * len(model.layer3_ds.weight) == 20480


def test_agrees_with_the_same_by_hand() -> None:
    weights = random_weights(SMALL)
    model = ERes2NetV2.from_weights(weights)
    waveform = 0.1 * torch.randn(1, 16000, generator=torch.Generator().manual_seed(1))
    found = model.embed(waveform)
    assert found.shape == (1, 4 * 4 * 8 * 10)
    expected = ByHand(weights).embed(fbank(waveform), SMALL.depths)
    assert float(expected.std()) > 0.1
    torch.testing.assert_close(found[0], expected, atol=1e-4, rtol=1e-4)


def test_other_tensors_are_refused() -> None:
    weights = random_weights(SMALL)
    with pytest.raises(ValueError, match=r"not the tensors of ERes2NetV2 .*'conv1.weight'"):
        ERes2NetV2.from_weights({})
    del weights["layer2.1.bn3.running_mean"]
    with pytest.raises(ValueError, match=r"layer2\.1\.bn3\.running_mean"):
        ERes2NetV2.from_weights(weights)
