"""Normalising flow between the prior and the latents of the generator."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from .folding import add_to_bias


class WaveNet(nn.Module):
    """Gated convolutions with a bias from the timbre, residuals, and a sum of skips."""

    cond_layer: nn.Conv1d | None

    def __init__(self, width: int, n_layers: int, kernel: int, timbre: int) -> None:
        super().__init__()
        self.width = width
        self.cond_layer = nn.Conv1d(timbre, 2 * width * n_layers, 1)
        self.in_layers = nn.ModuleList(
            nn.Conv1d(width, 2 * width, kernel, padding=kernel // 2) for _ in range(n_layers)
        )
        self.res_skip_layers = nn.ModuleList(
            nn.Conv1d(width, width if i == n_layers - 1 else 2 * width, 1) for i in range(n_layers)
        )

    def forward(self, x: Tensor, ge: Tensor | None) -> Tensor:
        """Transform (B, C, T) with timbre (B, G, 1), or None when it is folded in."""
        biases = None if ge is None or self.cond_layer is None else self.cond_layer(ge)
        out: Tensor | None = None
        for i, (in_layer, res_skip) in enumerate(zip(self.in_layers, self.res_skip_layers, strict=True)):
            y = in_layer(x)  # (B, 2C, T)
            if biases is not None:
                y = y + biases[:, i * 2 * self.width : (i + 1) * 2 * self.width]
            content, gate = y.chunk(2, dim=1)
            y = res_skip(torch.tanh(content) * torch.sigmoid(gate))
            if y.shape[1] > self.width:  # all layers but the last
                x = x + y[:, : self.width]
                y = y[:, self.width :]
            out = y if out is None else out + y
        assert out is not None, "a coupling without layers"
        return out

    def fold(self, ge: Tensor) -> None:
        """Move the terms of timbre (1, G, 1) into the biases, for good."""
        assert self.cond_layer is not None, "folded before"
        biases = self.cond_layer(ge).flatten().split(2 * self.width)
        for layer, bias in zip(self.in_layers, biases, strict=True):
            add_to_bias(layer, bias)
        self.cond_layer = None


class Coupling(nn.Module):
    """Move one half of the channels by what the other half says."""

    def __init__(self, channels: int, n_layers: int, kernel: int, timbre: int) -> None:
        super().__init__()
        self.pre = nn.Conv1d(channels // 2, channels, 1)
        self.enc = WaveNet(channels, n_layers, kernel, timbre)
        self.post = nn.Conv1d(channels, channels // 2, 1)

    def forward(self, x: Tensor, ge: Tensor | None, sign: int) -> Tensor:
        """Add the shift (sign 1) to (B, C, T) or take it away (sign -1)."""
        still, moved = x.chunk(2, dim=1)
        return torch.cat([still, moved + sign * self.post(self.enc(self.pre(still), ge))], dim=1)


class Flow(nn.Module):
    """Couplings, the order of the channels turned round after each.

    The files number couplings and turns together, so the couplings have the even numbers.
    """

    def __init__(self, channels: int, n_couplings: int, n_layers: int, kernel: int, timbre: int) -> None:
        super().__init__()
        couplings = {str(2 * i): Coupling(channels, n_layers, kernel, timbre) for i in range(n_couplings)}
        self.flows = nn.ModuleDict(couplings)

    def forward(self, z: Tensor, ge: Tensor | None) -> Tensor:
        """Take latents (B, C, T) to the prior's space."""
        for coupling in self.flows.values():
            z = coupling(z, ge, 1).flip(1)
        return z

    def reverse(self, z_p: Tensor, ge: Tensor | None) -> Tensor:
        """Take draws of the prior (B, C, T) to latents, timbre (B, G, 1) or None when it is folded in."""
        for coupling in reversed(list(self.flows.values())):
            z_p = coupling(z_p.flip(1), ge, -1)
        return z_p

    def fold(self, ge: Tensor) -> None:
        """Move the terms of timbre (1, G, 1) into the biases, for good."""
        for wavenet in (module for module in self.modules() if isinstance(module, WaveNet)):
            wavenet.fold(ge)
