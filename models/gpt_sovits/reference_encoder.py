"""Spectrogram of a reference clip to a timbre vector."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn

N_HEADS = 2  # fixed in the original, and no tensor tells


class GatedConvolution(nn.Conv1d):
    """Convolution to twice the channels; one half gates the other; residual."""

    def __init__(self, width: int, kernel: int) -> None:
        super().__init__(width, 2 * width, kernel, padding=kernel // 2)

    def forward(self, x: Tensor) -> Tensor:
        """Transform (B, C, R)."""
        return x + nn.functional.glu(super().forward(x), dim=1)


class StyleAttention(nn.Module):
    """Self-attention with a residual, without a norm."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.w_qs, self.w_ks, self.w_vs = (nn.Linear(width, width) for _ in range(3))
        self.fc = nn.Linear(width, width)

    def forward(self, x: Tensor) -> Tensor:
        """Transform (B, R, C)."""
        q, k, v = (self._split(project(x)) for project in (self.w_qs, self.w_ks, self.w_vs))
        # The whole width, not that of a head: so the original was trained.
        scores = q @ k.transpose(2, 3) / math.sqrt(x.shape[-1])  # (B, H, R, R)
        out = torch.softmax(scores, dim=-1) @ v
        return x + self.fc(out.transpose(1, 2).flatten(2))

    @staticmethod
    def _split(x: Tensor) -> Tensor:
        return x.unflatten(2, (N_HEADS, -1)).transpose(1, 2)  # (B, H, R, head)


class ReferenceEncoder(nn.Module):
    """Layers per frame, gated convolutions, attention, and the mean over time.

    Source: the mel-style encoder of Meta-StyleSpeech, arXiv:2106.03153, section 3.1.
    """

    def __init__(self, n_bins: int, width: int, timbre: int, kernel: int) -> None:
        super().__init__()
        self.n_bins = n_bins
        self.spectral = nn.Sequential(nn.Linear(n_bins, width), nn.Mish(), nn.Linear(width, width), nn.Mish())
        self.temporal = nn.Sequential(GatedConvolution(width, kernel), GatedConvolution(width, kernel))
        self.slf_attn = StyleAttention(width)
        self.fc = nn.Linear(width, timbre)

    def forward(self, spectrogram: Tensor) -> Tensor:
        """Turn magnitudes (B, 1025, R) into (B, G, 1); bins above those the model knows are not read."""
        x = self.spectral(spectrogram[:, : self.n_bins].transpose(1, 2))  # (B, R, C)
        x = self.temporal(x.transpose(1, 2)).transpose(1, 2)
        return self.fc(self.slf_attn(x)).mean(dim=1).unsqueeze(-1)
