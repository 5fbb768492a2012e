"""How each line ended, in the log of the daemon: without its text, which may be anybody's."""

from __future__ import annotations

import logging
import time

from ..logs import fields
from ..messages import TERMINAL_EVENTS, Event

logger = logging.getLogger(__name__)

MOST_PER_S = 20  # a burst does not fill the journal, nor take time from what is asked
_TOLD = ("code", "stage", "by", "audio_ms", "cached", "underruns", "played_ms", "late_ms", "latency_ms")
_FAILURES = ("failed", "rejected")


class LineLog:
    """Tells of the ends of lines, so many in a second; how many more there were is told afterwards."""

    def __init__(self) -> None:
        self._second = 0
        self._n_told = 0
        self._n_untold = 0

    def tell(self, event: Event) -> None:
        """Tell of a step of a line: its end as a rule, the others where everything is told."""
        level = logging.INFO if event.event in (*TERMINAL_EVENTS, "rejected") else logging.DEBUG
        level = logging.WARNING if event.event == "failed" else level
        if logger.isEnabledFor(level) and self._may():
            about = {name: getattr(event, name, None) for name in _TOLD}
            extra = fields(line=event.id, character=event.character or None, event=event.event, **about)
            logger.log(level, "line %s %s%s", event.id, event.event, _why(event), extra=extra)

    def _may(self) -> bool:
        second = int(time.monotonic())
        if second != self._second:
            if self._n_untold:
                logger.warning("%d more lines were not told of: too many at once", self._n_untold)
            self._second, self._n_told, self._n_untold = second, 0, 0
        is_told = self._n_told < MOST_PER_S
        self._n_told += is_told
        self._n_untold += not is_told
        return is_told


def _why(event: Event) -> str:
    code, message = getattr(event, "code", ""), getattr(event, "message", "")
    return f": {code}: {message}" if event.event in _FAILURES else ""
