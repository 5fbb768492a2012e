"""How many frames to decode at a time."""

from __future__ import annotations

from collections.abc import Iterator

MAX_WINDOW = 4096  # frames, 65 s: longer than any phrase
GROWTH = 2


class Windows:
    """Window sizes of one line: the first short for a quick first sound, each next twice as long.

    Growth goes on from phrase to phrase. What is left of a phrase joins its last window when it is short,
    because every window pays for the decoder's context on both sides.
    """

    def __init__(self, first: int, largest: int) -> None:
        self._size = first
        self._largest = largest

    def spans(self, n_frames: int) -> Iterator[tuple[int, int]]:
        """Spans [start, stop) that cover one phrase."""
        start = 0
        while start < n_frames:
            left = n_frames - start
            stop = n_frames if left <= self._size * 3 // 2 else start + self._size
            yield start, stop
            start = stop
            self._size = min(self._size * GROWTH, max(self._largest, self._size))
