"""Messages that the core leaves for itself, for later."""

from __future__ import annotations

import heapq
from itertools import count


class Timers:
    """Messages by time, for the core thread alone. Whoever gets one checks that it still matters."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, object]] = []
        self._order = count()

    def __len__(self) -> int:
        return len(self._heap)

    def at(self, when: float, message: object) -> None:
        """Deliver a message at `when`, `time.monotonic()` seconds."""
        heapq.heappush(self._heap, (when, next(self._order), message))

    def next_time(self) -> float | None:
        """Return when the next message is due."""
        return self._heap[0][0] if self._heap else None

    def due(self, now: float) -> object | None:
        """Take the next message that is due."""
        return heapq.heappop(self._heap)[2] if self._heap and self._heap[0][0] <= now else None
