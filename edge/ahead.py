"""Work done ahead: units are computed on other threads, a few at a time, and their pieces come in order."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue
from typing import Generic, TypeVar

Piece = TypeVar("Piece")
Unit = Callable[[], Iterable[Piece]]


class Ahead(Generic[Piece]):
    """Units in order, the next of them under way while the pieces of the first are used.

    Args:
        units: each gives its pieces when called; asked for one at a time, from the thread that uses them.
        pool: runs units begun; None: each runs in the caller's thread when its turn comes.
        most: units begun at the same time.
    """

    def __init__(self, units: Iterable[Unit[Piece]], pool: ThreadPoolExecutor | None, most: int) -> None:
        self._units = iter(units)
        self._pool = pool
        self._most = most
        self._begun: deque[_Begun[Piece]] = deque()

    def begin(self) -> None:
        """Start as many units as may be under way."""
        while self._pool is not None and len(self._begun) < self._most:
            unit = next(self._units, None)
            if unit is None:
                return
            self._begun.append(_Begun(self._pool, unit))

    def take(self) -> Iterator[Piece]:
        """Pieces of the next unit; whatever it raises is raised here."""
        if self._pool is None:
            yield from next(self._units)()
            return
        self.begin()
        yield from self._begun[0].pieces()
        self._begun.popleft()

    def close(self) -> None:
        """Give up what has been begun: at the next piece, or before it starts."""
        for unit in self._begun:
            unit.stop()
        self._begun.clear()


class _Begun(Generic[Piece]):
    """A unit in the pool and the pieces that it has given so far."""

    def __init__(self, pool: ThreadPoolExecutor, unit: Unit[Piece]) -> None:
        self._given: SimpleQueue[Piece | None] = SimpleQueue()
        self._stopped = False
        self._future: Future[None] = pool.submit(self._run, unit)
        self._future.add_done_callback(lambda _: self._given.put(None))

    def _run(self, unit: Unit[Piece]) -> None:
        for piece in unit():
            if self._stopped:
                return
            self._given.put(piece)

    def stop(self) -> None:
        self._stopped = True
        self._future.cancel()

    def pieces(self) -> Iterator[Piece]:
        while (piece := self._given.get()) is not None:
            yield piece
        self._future.result()
