"""Counts since start, for health and metrics."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field


@dataclass
class Tally:
    """What has happened since start. Only the core thread touches it."""

    lines: Counter[str] = field(default_factory=Counter)
    """Terminal events by name."""
    first_audio_ms: deque[float] = field(default_factory=lambda: deque(maxlen=256))
    underruns: int = 0
    last_error: str = ""
