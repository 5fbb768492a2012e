"""The synthesiser as the daemon sees it: lines in, chunks out, on another thread or in another process.

The core never computes. It starts and cancels lines here and receives messages; whether a thread or a
child process does the work does not show in this interface.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from ..audio import AudioChunk
from ..bundle.manifest import Character
from ..errors import EdgeError
from ..synthesizer import SpeechRequest

logger = logging.getLogger(__name__)

CHECK, PLAY, STREAM, RENDER, PREPARE = -1, 0, 1, 2, 3
"""Urgencies: a line that is being spoken comes before one that only fills a file, chunk by chunk.

``STREAM`` goes to somebody who takes the sound as it is made. For ``RENDER`` and ``PREPARE`` nobody waits, so
their first chunk is not a short one. A ``CHECK`` ends after the text stage, which tells whether the line can
be spoken, and has no sound.
"""

LINES_SIDE_BY_SIDE = 4
"""Lines that nobody hears yet take turns, so many at a time: while one is computed, the next is read."""


@dataclass(frozen=True)
class VoiceInfo:
    """What is loaded, as far as the core needs to know it."""

    runner: str
    precision: str
    bundle: str
    """Name and version, for people."""
    identity: str
    """Of the bundle."""
    sample_rate: int
    imitates_a_person: bool
    """Whether it is the voice of a person, or does not say that it is none."""
    characters: tuple[Character, ...]
    fingerprint: str = ""
    """Changes with everything but request and lexicon that the sound depends on: part of every cache key."""
    lexicon: str = ""
    """Digest of the show's lexicon when the voice was loaded; empty without one."""
    levels: Mapping[str, float] = field(default_factory=dict)
    """RMS in dBFS by character, of those that have been measured."""
    unmeasured: tuple[str, ...] = ()
    """Characters that will be, before the first line of each at the latest."""

    def speaks_like(self, other: VoiceInfo) -> bool:
        """Tell whether it is the same voice, whatever has been measured of either."""
        return replace(self, levels={}, unmeasured=()) == replace(other, levels={}, unmeasured=())


@dataclass(frozen=True)
class EngineUp:
    """Loaded, warmed up and ready for lines; also the answer to a reload that worked."""

    voice: VoiceInfo


@dataclass(frozen=True)
class EngineLevels:
    """Measured since the voice was loaded; comes before the first sound of whoever was measured."""

    fingerprint: str
    """Of the voice."""
    levels: Mapping[str, float]
    """RMS in dBFS by character, of all that have been measured; who cannot be counts as silent."""


@dataclass(frozen=True)
class EngineDown:
    """Could not be loaded; after a reload, the voice loaded before stays in use."""

    error: EdgeError


@dataclass(frozen=True)
class EngineAlert:
    """The synthesiser has failed and is being replaced; with an empty ``fault`` it is well again."""

    fault: str
    away: bool = False
    """Nothing is computed until the next alert, so that lines which wait for sound are not late."""


@dataclass(frozen=True)
class LineReady:
    """The text stage is done."""

    line_id: str
    n_phrases: int | None
    """Each begins with a chunk that carries its timeline; None: the text is read while it is spoken."""
    warnings: tuple[str, ...]
    lexicon: str = ""
    """Digest of the show's lexicon that it was read with: the file may change while the daemon runs."""


@dataclass(frozen=True)
class LineChunk:
    """Sound, in order."""

    line_id: str
    chunk: AudioChunk


@dataclass(frozen=True)
class LineDone:
    """No more chunks; ``synthesis_ms`` is the time spent computing, not waiting."""

    line_id: str
    synthesis_ms: float


@dataclass(frozen=True)
class LineError:
    """No more chunks: something went wrong."""

    line_id: str
    code: str
    message: str
    stage: str


EngineMessage = (
    EngineUp | EngineLevels | EngineDown | EngineAlert | LineReady | LineChunk | LineDone | LineError
)


class Engine(Protocol):
    """A synthesiser somewhere. Methods return at once; messages arrive through what ``emit`` was given."""

    @property
    def pids(self) -> tuple[int, ...]:
        """Return the numbers of the processes in which it works, where these are others than the daemon's."""
        ...

    def open(self) -> None:
        """Begin to load; ``EngineUp`` or ``EngineDown`` follows."""
        ...

    def start(self, line_id: str, request: SpeechRequest, urgency: int) -> None:
        """Begin a line; its messages end with ``LineDone`` or ``LineError``, unless it is cancelled."""
        ...

    def cancel(self, line_id: str) -> None:
        """Give a line up; messages already on their way may still arrive."""
        ...

    def reload(self) -> None:
        """Load the bundle again; ``EngineUp`` or ``EngineDown`` follows."""
        ...

    def unload(self) -> None:
        """Let go of the voice and of every line; nothing follows, and until ``reload`` there is no voice."""
        ...

    def moves(self) -> bool:
        """Tell whether its thread has moved since the last call, or has reason not to; for a watchdog."""
        ...

    def restart(self, line_id: str = "") -> bool:
        """Get rid of a synthesiser that hangs and start another; False if only ending the process does.

        Args:
            line_id: the line, given up by now, with which it hangs; empty: that is not known.
        """
        ...

    def close(self) -> None:
        """Give everything up."""
        ...
