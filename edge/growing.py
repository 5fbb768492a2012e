"""A sequence that is made while it is used: the phrases of a long text."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Growing(Sequence[Item], Generic[Item]):
    """Items of an iterable, each made when it is first asked for; for one thread at a time.

    Args:
        items: whatever they raise is raised where the item is asked for.
    """

    def __init__(self, items: Iterable[Item]) -> None:
        self._items = iter(items)
        self._made: list[Item] = []

    def has(self, index: int) -> bool:
        """Whether there is an item at a place, counted from 0; makes no more than it takes to know."""
        while len(self._made) <= index:
            try:
                self._made.append(next(self._items))
            except StopIteration:
                return False
        return True

    def __getitem__(self, index: int) -> Item:  # type: ignore[override]
        """The item at a place, counted from 0."""
        if not self.has(index):
            raise IndexError(index)
        return self._made[index]

    def __len__(self) -> int:
        """How many there are; makes them all."""
        while self.has(len(self._made)):
            pass
        return len(self._made)
