"""Inbox of the core: three lanes, one reader, bounded where strangers write."""

from __future__ import annotations

import threading
import time
from collections import deque
from typing import Protocol


class Sized(Protocol):
    """What the intake lane holds: something whose memory can be counted."""

    @property
    def n_bytes(self) -> int:
        """Return about how much memory it takes."""
        ...


class Inbox:
    """Messages for the core thread.

    Lanes, in the order in which they are read: `urgent` (stop), `internal` (synthesiser, player, journal,
    network) and `intake` (requests as received). The second is filled by the daemon itself and bounded by
    the work it has taken on; the others are filled by strangers and refuse beyond their bounds.

    The inbox lock is a leaf: nothing else is locked, called or awaited while it is held.
    """

    def __init__(self, max_intake: int, max_intake_bytes: int) -> None:
        self._max_intake = max_intake
        self._max_intake_bytes = max_intake_bytes
        self._intake_bytes = 0
        self._urgent: deque[Sized] = deque()
        self._internal: deque[object] = deque()
        self._intake: deque[Sized] = deque()
        self._condition = threading.Condition(threading.Lock())
        self.dropped = 0
        """Messages refused since start because intake was full."""

    def put(self, message: object) -> None:
        """Leave a message of the daemon's own."""
        with self._condition:
            self._internal.append(message)
            self._condition.notify()

    def offer(self, message: Sized, *, urgent: bool = False, owed: bool = False) -> bool:
        """Leave a message from outside; `False` if intake is full and it was dropped.

        Args:
            message: as received.
            urgent: whether it overtakes everything else.
            owed: whether the broker waits for its acknowledgement. It is never dropped: the broker bounds how
                many of these it keeps for us.
        """
        with self._condition:
            lane = self._urgent if urgent else self._intake
            full = len(lane) >= self._max_intake
            if not owed and (full or self._intake_bytes + message.n_bytes > self._max_intake_bytes):
                self.dropped += 1
                return False
            lane.append(message)
            self._intake_bytes += message.n_bytes
            self._condition.notify()
            return True

    def is_empty(self) -> bool:
        """Tell whether nothing waits, as of a moment ago."""
        return not (self._urgent or self._internal or self._intake)

    def intake_depth(self) -> int:
        """Return how many messages from outside wait."""
        return len(self._intake)

    def get(
        self, until: float | None, with_outside: bool = True, *, with_intake: bool = True
    ) -> object | None:
        """Take the next message.

        Args:
            until: `time.monotonic()` at which to give up; `None` waits for ever.
            with_outside: whether messages from outside are wanted yet.
            with_intake: whether those of them are wanted that are not urgent.
        """
        with self._condition:
            while True:
                if self._urgent and with_outside:
                    return self._take(self._urgent)
                if self._internal:
                    return self._internal.popleft()
                if self._intake and with_outside and with_intake:
                    return self._take(self._intake)
                timeout = None if until is None else until - time.monotonic()
                if timeout is not None and timeout <= 0:
                    return None
                self._condition.wait(timeout)

    def _take(self, lane: deque[Sized]) -> Sized:
        taken = lane.popleft()
        self._intake_bytes -= taken.n_bytes
        return taken
