"""Messages that the core leaves for itself, for later, and the queue that delivers them."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from itertools import count

from ..playback.player import LineEnded, LineMark, LineSilenced


@dataclass(frozen=True)
class EngineWatch:
    """Look whether the synthesiser has made progress with a line since."""

    line_id: str
    progress: int


@dataclass(frozen=True)
class ReadWatch:
    """Look whether a line has been read from disk."""

    line_id: str


@dataclass(frozen=True)
class CutWatch:
    """Look whether a line that was cut has ended."""

    line_id: str


@dataclass(frozen=True)
class MarkHeard:
    """A mark is heard now."""

    mark: LineMark


@dataclass(frozen=True)
class EndHeard:
    """The last sample of a line has been heard now. Comes after the line's marks: timers keep that order."""

    end: LineEnded


@dataclass(frozen=True)
class SilenceHeard:
    """A line that was cut is silent now."""

    silence: LineSilenced


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
