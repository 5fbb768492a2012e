"""Building blocks of the student: masked ConvNeXt blocks that keep time before channels."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class ConvNeXtBlock(nn.Module):
    """Depthwise convolution over time, then a two-layer perceptron per step, with a residual.

    Everything but the depthwise convolution is a matrix product over the last axis, which is what
    INT8 kernels speed up. ReLU, not GELU: the exact GELU costs as much as the integer product.

    Source: ConvNeXt, arXiv:2201.03545; its use for spectral vocoders: Vocos, arXiv:2306.00814.
    """

    def __init__(self, dim: int, expansion: int, kernel_size: int, dilation: int = 1) -> None:
        super().__init__()
        padding = (kernel_size - 1) // 2 * dilation
        self.depthwise = nn.Conv1d(dim, dim, kernel_size, padding=padding, dilation=dilation, groups=dim)
        self.norm = nn.LayerNorm(dim)
        self.expand = nn.Linear(dim, dim * expansion)
        self.project = nn.Linear(dim * expansion, dim)

    def forward(self, x: Tensor, mask: Tensor | None = None, condition: Tensor | None = None) -> Tensor:
        """Transform (B, T, D) to (B, T, D).

        Args:
            x: (B, T, D).
            mask: (B, T, 1), 1 inside the sequence; absent when nothing is padded.
            condition: (B, 1, D) added before the convolution.
        """
        y = x if condition is None else x + condition
        if mask is not None:
            y = y * mask
        y = self.depthwise(y.transpose(1, 2)).transpose(1, 2)  # (B, T, D)
        y = self.project(torch.relu(self.expand(self.norm(y))))
        return x + y
