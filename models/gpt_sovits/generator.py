"""Latents to the waveform."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn.functional import leaky_relu

from .folding import add_to_bias
from .s2_weights import S2Sizes

SLOPE = 0.1
LAST_SLOPE = 0.01  # before the last convolution the original takes PyTorch's default


class ResidualBlock(nn.Module):
    """Units of a dilated and a plain convolution with a residual."""

    def __init__(self, width: int, kernel: int, dilations: tuple[int, ...]) -> None:
        super().__init__()
        self.convs1 = nn.ModuleList(
            nn.Conv1d(width, width, kernel, dilation=d, padding=kernel // 2 * d) for d in dilations
        )
        self.convs2 = nn.ModuleList(nn.Conv1d(width, width, kernel, padding=kernel // 2) for _ in dilations)

    def forward(self, x: Tensor) -> Tensor:
        """Transform (B, C, T)."""
        for dilated, plain in zip(self.convs1, self.convs2, strict=True):
            x = x + plain(leaky_relu(dilated(leaky_relu(x, SLOPE)), SLOPE))
        return x


class Generator(nn.Module):
    """Transposed convolutions, each followed by the mean of residual blocks.

    Source: HiFi-GAN, arXiv:2010.05646, section 2.2, version 1.
    """

    cond: nn.Conv1d | None

    def __init__(self, sizes: S2Sizes) -> None:
        super().__init__()
        width = sizes.initial
        self.conv_pre = nn.Conv1d(sizes.hidden, width, 7, padding=3)
        self.cond = nn.Conv1d(sizes.timbre, width, 1)
        self.ups, self.resblocks = nn.ModuleList(), nn.ModuleList()
        for rate, kernel in zip(sizes.rates, sizes.upsample_kernels, strict=True):
            self.ups.append(nn.ConvTranspose1d(width, width // 2, kernel, rate, padding=(kernel - rate) // 2))
            width //= 2
            for size, dilations in zip(sizes.resblock_kernels, sizes.dilations, strict=True):
                self.resblocks.append(ResidualBlock(width, size, dilations))
        self.n_kernels = len(sizes.resblock_kernels)
        self.conv_post = nn.Conv1d(width, 1, 7, padding=3, bias=False)

    def forward(self, z: Tensor, ge: Tensor | None) -> Tensor:
        """Turn latents (B, C, T50) into (B, 1, 640 * T50), timbre (B, G, 1) or None when it is folded in."""
        x = self.start(z, ge)
        for stage, up in enumerate(self.ups):
            x = up(leaky_relu(x, SLOPE))
            blocks = self.resblocks[stage * self.n_kernels : (stage + 1) * self.n_kernels]
            x = sum(block(x) for block in blocks) / self.n_kernels
        return torch.tanh(self.conv_post(leaky_relu(x, LAST_SLOPE)))

    def start(self, z: Tensor, ge: Tensor | None) -> Tensor:
        """Return the first layer (B, initial, T50) with the timbre added."""
        x = self.conv_pre(z)
        return x if ge is None or self.cond is None else x + self.cond(ge)

    def fold(self, ge: Tensor) -> None:
        """Move the term of timbre (1, G, 1) into the bias of the first layer, for good."""
        assert self.cond is not None, "folded before"
        add_to_bias(self.conv_pre, self.cond(ge))
        self.cond = None
