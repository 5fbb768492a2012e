"""Teacher: anything that speaks a line whose phonemes are known."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from edge.text import Reading

from ..script import Line


class TeacherError(RuntimeError):
    """A teacher cannot work here; the message says what to install or to set."""


class LineRejectedError(Exception):
    """A teacher would not say what the label says; the line is counted and left out.

    Attributes:
        reason: one of a few short words, the key under which the rejection is counted.
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(detail or reason)
        self.reason = reason


@dataclass(frozen=True)
class LineRequest:
    """One line to speak."""

    text: str
    """As written in the script."""
    reading: Reading
    """Phonemes of the line as the student will read them."""
    language: str
    """``zh``, ``en`` or ``ja``."""
    character: str
    """Name of the character in the voice to be trained."""
    emotion: str = "neutral"
    """One of the emotions that the teacher lists for the character."""
    rate: float = 1.0
    """Speaking rate relative to the character's own."""
    seed: int = 0
    """For teachers that sample; the same request and seed give the same sound."""


@dataclass(frozen=True)
class PhonemeProsody:
    """What a teacher tells of how it says a line, exactly enough to train on in the place of an aligner."""

    starts: NDArray[np.float64]
    """(P + 1,) seconds; start of each phoneme of the reading, and where the last one ends."""
    f0: NDArray[np.float32]
    """(n,) Hz, near 0 where unvoiced."""
    energy: NDArray[np.float32]
    """(n,) in the teacher's own unit."""
    step_s: float
    """From one value of ``f0`` and ``energy`` to the next, seconds; the first is at 0."""


@dataclass(frozen=True)
class TeacherLine:
    """Speech of a teacher."""

    audio: NDArray[np.float32]
    """(n_samples,) float32 in [-1, 1], as the teacher made it: untrimmed, own level."""
    sample_rate: int
    """Hz."""
    phoneme_times: tuple[tuple[str, float], ...] | None = None
    """The teacher's own names of its phonemes and their start in seconds, where it tells. For measuring
    alignment only: no teacher has to give them, so training must not need them."""
    prosody: PhonemeProsody | None = None
    """Durations, F0 and energy by our own phonemes, where the teacher knows them."""


@dataclass(frozen=True)
class Origin:
    """Who made the sound, for the provenance record of a voice."""

    name: str
    version: str
    licence: str
    credit: str


@dataclass(frozen=True)
class OwnLine:
    """A line that a teacher brings along, because it has been said already."""

    emotion: str
    """In which it was said."""
    line: Line
    """Text and split."""


class Teacher(ABC):
    """Speaks lines. One object is used by one thread of one process; ``close`` ends what it started.

    Making one and asking for a delivery is cheap: what takes long to load is loaded for the first line.
    """

    name: str
    """Of the kind of teacher."""
    samples: bool = False
    """Another seed gives another reading of the same line."""
    literal: bool = False
    """Cannot say anything else than what is written."""

    @abstractmethod
    def origin(self) -> Origin:
        """Say who made the sound and under which licence it may be used."""

    @abstractmethod
    def delivery(self, request: LineRequest) -> str:
        """Name every setting that decides the sound besides text, phonemes, rate and seed.

        A corpus renders a line again when this changes.
        """

    @abstractmethod
    def synthesize(self, request: LineRequest) -> TeacherLine:
        """Speak one line.

        Raises:
            LineRejectedError: the teacher would say other phonemes than ``request.reading``.
            TeacherError: the teacher is missing or broken.
        """

    def tell(self, request: LineRequest) -> PhonemeProsody | None:
        """Give the prosody of a line without saying it; None when this teacher cannot.

        Raises:
            LineRejectedError, TeacherError: as of ``synthesize``.
        """
        return None

    def lines(self, language: str) -> Sequence[OwnLine] | None:
        """Give the lines of a language that this teacher brings along; None when it speaks any script."""
        return None

    def rehearse(self) -> None:  # noqa: B027 - most need no more than to be made
        """Find out whether lines could be spoken now, which may load what is large.

        Raises:
            TeacherError: they could not.
        """

    def timbre(self, audio: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32] | None:
        """Describe whose voice it is, so that voices can be told apart; None when this teacher cannot.

        Args:
            audio: (n_samples,) mono.
            sample_rate: Hz.

        Returns:
            A vector; the cosine of two is near 1 when the voice is the same.
        """
        return None

    def close(self) -> None:  # noqa: B027 - not every teacher holds something
        """Release processes and files."""

    def __enter__(self) -> Teacher:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
