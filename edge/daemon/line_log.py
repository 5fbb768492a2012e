"""How each line ended, in the log of the daemon: without its text, which may be anybody's."""

from __future__ import annotations

import logging

from ..logs import fields
from ..messages import TERMINAL_EVENTS, Event

logger = logging.getLogger(__name__)

_TOLD = ("code", "stage", "by", "audio_ms", "cached", "underruns", "played_ms", "late_ms", "latency_ms")
_FAILURES = ("failed", "rejected")


def log_event(event: Event) -> None:
    """Tell of a step of a line: its end as a rule, the others where everything is told."""
    level = logging.INFO if event.event in TERMINAL_EVENTS else logging.DEBUG
    level = logging.WARNING if event.event in _FAILURES else level
    if not logger.isEnabledFor(level):
        return
    about = {name: getattr(event, name, None) for name in _TOLD}
    why = f": {event.code}: {event.message}" if event.event in _FAILURES else ""  # type: ignore[attr-defined]
    extra = fields(line=event.id, character=event.character or None, event=event.event, **about)
    logger.log(level, "line %s %s%s", event.id, event.event, why, extra=extra)
