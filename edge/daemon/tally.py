"""Counts since start, for health and metrics."""

from __future__ import annotations

from collections import Counter, deque
from dataclasses import dataclass, field

from ..protocols.figures import Histogram


@dataclass
class Tally:
    """What has happened since start. Only the core thread touches it."""

    lines: Counter[str] = field(default_factory=Counter)
    """Terminal events by name."""
    first_audio_ms: deque[float] = field(default_factory=lambda: deque(maxlen=256))
    first_audio: Histogram = field(default_factory=Histogram)
    """Seconds from arrival to the first sample."""
    waiting: Histogram = field(default_factory=Histogram)
    """Seconds from arrival to the turn."""
    faults: Counter[str] = field(default_factory=Counter)
    """Failed and refused requests by code."""
    cache_hits: int = 0
    cache_misses: int = 0
    sound_s: float = 0.0
    synthesis_s: float = 0.0
    underruns: int = 0
    engine_faults: int = 0
    """Times that the synthesiser had to be replaced."""
    last_error: str = ""

    def turn(self, waited_s: float, *, from_cache: bool) -> None:
        """Count a line whose turn has come."""
        self.waiting.add(waited_s)
        self.cache_hits += from_cache
        self.cache_misses += not from_cache

    def finish(self, audio_ms: float, synthesis_ms: float) -> None:
        """Count the sound of a line that was said to the end."""
        self.sound_s += audio_ms / 1000
        self.synthesis_s += synthesis_ms / 1000
