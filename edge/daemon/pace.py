"""Pace of the work that nobody hears while something is heard.

Every thread of the daemon needs Python's lock. Where thousands of requests arrive at once, those who take,
write and answer them keep it so busy that a stop, or the next block of sound, waits tens of milliseconds for
it. So while a line is heard the rest gets a share of the time, and the gaps belong to the show.
"""

from __future__ import annotations

PER_SECOND = 50.0
"""Requests taken and lines started. Each costs some five packets out, and as many confirmations in."""
AT_ONCE = 16
"""So much may come in a row: a few requests at a time, as shows send them, never wait."""


class Pace:
    """A bucket of permits that fills with time. Only the core thread uses it.

    Args:
        per_second: permits that come in a second.
        at_once: the most that it holds.
    """

    def __init__(self, per_second: float = PER_SECOND, at_once: int = AT_ONCE) -> None:
        self._per_second = per_second
        self._at_once = at_once
        self._full_at = 0.0  # when it holds all that it can; as much later than now as permits are missing

    def allows(self, now: float) -> bool:
        """Tell whether there is a permit at ``now`` (monotonic seconds)."""
        return self.next_time() <= now

    def next_time(self) -> float:
        """Return when there is the next permit, which may be in the past."""
        return self._full_at - (self._at_once - 1) / self._per_second

    def take(self, now: float) -> None:
        """Use a permit, whether there is one or not."""
        self._full_at = max(self._full_at, now) + 1 / self._per_second
