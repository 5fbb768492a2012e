"""When the next child starts: at once after one that was of use, later after each in a row that was not."""

from __future__ import annotations

import time

BACKOFF_S = (0.0, 0.0, 0.5, 1.0, 2.0, 4.0, 8.0)  # before a replacement, by those in a row that were of no use


class Restarts:
    """Times of the starts. Belongs to the supervisor's thread."""

    def __init__(self) -> None:
        self.at: float | None = None
        """On the monotonic clock; None: none is due."""
        self._n_useless = 0

    def plan(self, was_useful: bool) -> None:
        """Have another child started, the later the more before it were of no use."""
        self._n_useless = 0 if was_useful else self._n_useless + 1
        self.at = time.monotonic() + BACKOFF_S[min(self._n_useless, len(BACKOFF_S) - 1)]

    def is_due(self, now: float) -> bool:
        """Tell whether it is time."""
        return self.at is not None and now >= self.at

    def cancel(self) -> None:
        """Start none: there is one, or none is wanted."""
        self.at = None

    def begin_anew(self) -> None:
        """Forget what became of earlier ones: somebody has asked for a voice."""
        self._n_useless = 0
