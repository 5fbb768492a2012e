"""Content features to semantic tokens and back: one codebook, nearest entry."""

from __future__ import annotations

import torch
from torch import Tensor, nn


class Quantizer(nn.Module):
    """Codebook of vectors; a token is the number of an entry."""

    codebook: Tensor

    def __init__(self, n_codes: int, width: int) -> None:
        super().__init__()
        self.register_buffer("codebook", torch.empty(n_codes, width))

    def encode(self, x: Tensor) -> Tensor:
        """Return the nearest entries (B, T) of vectors (B, C, T).

        The square of the distance is taken apart in the same way as in the original, so that near ties
        fall to the same side.
        """
        rows = x.transpose(1, 2)  # (B, T, C)
        square = rows.pow(2).sum(dim=-1, keepdim=True)
        distance = square - 2 * rows @ self.codebook.T + self.codebook.pow(2).sum(dim=1)
        return (-distance).argmax(dim=-1)

    def decode(self, tokens: Tensor) -> Tensor:
        """Return the entries (B, C, T) of tokens (B, T).

        Raises:
            ValueError: a token is outside the codebook, as the end token 1024 is.
        """
        n_codes = self.codebook.shape[0]
        low, high = (int(bound) for bound in tokens.aminmax())
        if low < 0 or high >= n_codes:
            raise ValueError(
                f"semantic tokens from {low} to {high}; the codebook has {n_codes} entries from 0:"
                " cut the end token off before decoding"
            )
        return nn.functional.embedding(tokens, self.codebook).transpose(1, 2)
