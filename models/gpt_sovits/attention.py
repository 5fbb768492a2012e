"""Attention with relative positions in a window, and encoder blocks made of it."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn


class MultiHeadAttention(nn.Module):
    """Attention between two sequences of channels-first vectors.

    With a window, each head adds a learnt vector per distance to keys and values; distances beyond the
    window add nothing. Within one sequence only, as a distance means nothing between two.

    Source: Shaw et al., arXiv:1803.02155, as used in VITS, arXiv:2106.06103.
    """

    def __init__(self, width: int, n_heads: int, window: int = 0) -> None:
        super().__init__()
        self.n_heads, self.head, self.window = n_heads, width // n_heads, window
        self.conv_q = nn.Conv1d(width, width, 1)
        self.conv_k = nn.Conv1d(width, width, 1)
        self.conv_v = nn.Conv1d(width, width, 1)
        self.conv_o = nn.Conv1d(width, width, 1)
        if window:
            self.emb_rel_k = nn.Parameter(torch.empty(1, 2 * window + 1, self.head))
            self.emb_rel_v = nn.Parameter(torch.empty(1, 2 * window + 1, self.head))

    def forward(self, x: Tensor, context: Tensor) -> tuple[Tensor, Tensor]:
        """Let x (B, C, T) look at context (B, C, S).

        Returns:
            The result (B, C, T) and the attention weights (B, n_heads, T, S).
        """
        q = self._split(self.conv_q(x)) / math.sqrt(self.head)  # (B, H, T, head)
        k, v = self._split(self.conv_k(context)), self._split(self.conv_v(context))
        scores = q @ k.transpose(2, 3)  # (B, H, T, S)
        if self.window:
            scores = scores + _spread(q @ self.emb_rel_k.transpose(1, 2), self.window)
        weights = torch.softmax(scores, dim=-1)
        out = weights @ v
        if self.window:
            out = out + _collect(weights, self.window) @ self.emb_rel_v
        return self.conv_o(out.transpose(2, 3).flatten(1, 2)), weights

    def _split(self, x: Tensor) -> Tensor:
        """Split (B, C, T) into heads (B, H, T, head)."""
        return x.unflatten(1, (self.n_heads, self.head)).transpose(2, 3)


def _spread(by_distance: Tensor, window: int) -> Tensor:
    """Put values per distance (..., T, 2 * window + 1) at their places in (..., T, T), zeros elsewhere."""
    n = by_distance.shape[-2]
    steps = torch.arange(n, device=by_distance.device)
    distance = steps[None, :] - steps[:, None] + window
    index = distance.clamp(0, 2 * window).expand(*by_distance.shape[:-1], n)
    return by_distance.gather(-1, index) * (index == distance)


def _collect(weights: Tensor, window: int) -> Tensor:
    """Take from (..., T, T) what lies within the window, by distance (..., T, 2 * window + 1)."""
    n = weights.shape[-1]
    steps = torch.arange(n, device=weights.device)
    index = steps[:, None] + torch.arange(2 * window + 1, device=weights.device)
    padded = nn.functional.pad(weights, (window, window))
    return padded.gather(-1, index.expand(*weights.shape[:-1], 2 * window + 1))


class ChannelNorm(nn.Module):
    """Layer norm over the channels of (B, C, T)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.gamma = nn.Parameter(torch.empty(width))
        self.beta = nn.Parameter(torch.empty(width))

    def forward(self, x: Tensor) -> Tensor:
        """Normalise (B, C, T)."""
        y = nn.functional.layer_norm(x.transpose(1, 2), self.gamma.shape, self.gamma, self.beta)
        return y.transpose(1, 2)


class FeedForward(nn.Module):
    """Two convolutions with a ReLU between them."""

    def __init__(self, width: int, filters: int, kernel: int) -> None:
        super().__init__()
        self.conv_1 = nn.Conv1d(width, filters, kernel, padding=kernel // 2)
        self.conv_2 = nn.Conv1d(filters, width, kernel, padding=kernel // 2)

    def forward(self, x: Tensor) -> Tensor:
        """Transform (B, C, T)."""
        return self.conv_2(torch.relu(self.conv_1(x)))


class Encoder(nn.Module):
    """Blocks of self-attention and convolutions, each with a residual and a norm after it."""

    def __init__(self, width: int, filters: int, n_layers: int, head: int, window: int, kernel: int) -> None:
        super().__init__()
        layers = range(n_layers)
        self.attn_layers = nn.ModuleList(MultiHeadAttention(width, width // head, window) for _ in layers)
        self.norm_layers_1 = nn.ModuleList(ChannelNorm(width) for _ in layers)
        self.ffn_layers = nn.ModuleList(FeedForward(width, filters, kernel) for _ in layers)
        self.norm_layers_2 = nn.ModuleList(ChannelNorm(width) for _ in layers)

    def forward(self, x: Tensor) -> Tensor:
        """Transform (B, C, T)."""
        blocks = zip(self.attn_layers, self.norm_layers_1, self.ffn_layers, self.norm_layers_2, strict=True)
        for attention, norm_1, feed_forward, norm_2 in blocks:
            x = norm_1(x + attention(x, x)[0])
            x = norm_2(x + feed_forward(x))
        return x
