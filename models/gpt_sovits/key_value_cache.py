"""Keys and values of all positions so far, so that a step computes one position only."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

BLOCK = 256  # positions, about ten seconds of speech


class KeyValueCache:
    """Memory for the keys and values of every layer, which grows by whole blocks.

    A position is written by ``append`` in each layer and counts once ``advance`` was called.

    Attributes:
        length: positions that are filled in every layer.
        n_rows: sequences that are still being written.
    """

    def __init__(self, n_layers: int, n_rows: int, n_heads: int, head_dim: int, like: Tensor) -> None:
        shape = (n_layers, 2, n_rows, n_heads, 0, head_dim)
        self._store = torch.empty(shape, dtype=like.dtype, device=like.device)
        self.n_rows = n_rows
        self.length = 0

    @property
    def capacity(self) -> int:
        """Positions that fit before the memory has to grow."""
        return self._store.shape[-2]

    def reserve(self, n_positions: int) -> None:
        """Make room for so many positions beyond the filled ones."""
        needed = self.length + n_positions
        if needed <= self.capacity:
            return
        layers, kinds, _, heads, _, dim = self._store.shape
        capacity = -(-needed // BLOCK) * BLOCK
        grown = self._store.new_empty(layers, kinds, self.n_rows, heads, capacity, dim)
        grown[..., : self.length, :] = self._store[:, :, : self.n_rows, :, : self.length]
        self._store = grown

    def append(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Write behind the filled positions and return all keys and values of the layer.

        Args:
            layer: index from 0.
            keys: (B, H, T, D) of the new positions; ``reserve`` made room for them.
            values: (B, H, T, D).

        Returns:
            Two views (B, H, length + T, D), valid until the next call of ``reserve`` or ``keep``.
        """
        end = self.length + keys.shape[2]
        memory = self._store[layer, :, : self.n_rows, :, :end]  # (2, B, H, length + T, D)
        memory[0, :, :, self.length :] = keys
        memory[1, :, :, self.length :] = values
        return memory[0], memory[1]

    def advance(self, n_positions: int) -> None:
        """Count positions that every layer has written."""
        self.length += n_positions

    def layer(self, index: int) -> tuple[Tensor, Tensor]:
        """Return keys and values (B, H, length, D) of a layer."""
        memory = self._store[index, :, : self.n_rows, :, : self.length]
        return memory[0], memory[1]

    def keep(self, order: Sequence[int]) -> None:
        """Go on with fewer rows: new row i is the old row ``order[i]``.

        Only rows that move are copied. No row may move over one that is still needed further on, which holds
        for the order of ``close_gaps``.
        """
        for new, old in enumerate(order):
            if new != old:
                self._store[:, :, new, :, : self.length] = self._store[:, :, old, :, : self.length]
        self.n_rows = len(order)


def close_gaps(is_done: Sequence[bool]) -> list[int]:
    """Return the order in which the last rows take the places of those that are done."""
    n_left = sum(not done for done in is_done)
    movers = [row for row in range(n_left, len(is_done)) if not is_done[row]]
    return [movers.pop() if is_done[row] else row for row in range(n_left)]
