"""Moments that the core waits for by its timers while lines are on stage."""

from __future__ import annotations

from dataclasses import dataclass

from ..playback.player import LineEnded, LineMark, LineSilenced


@dataclass(frozen=True)
class EngineWatch:
    """Look whether the synthesiser has made progress with a line since."""

    line_id: str
    progress: int


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
