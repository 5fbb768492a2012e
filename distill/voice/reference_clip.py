"""Listens to reference clips before a full model does: what it clones, it clones with all their faults.

Limits were set on espeak-ng and Flite, clean and with noise, filters, clipping and room echoes of known size.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile as sf
from numpy.typing import NDArray

from ..config import DistillError
from ..teachers.base import TeacherError
from ..teachers.reference import Reference
from .clip_measures import (
    active_level_dbfs,
    bandwidth_hz,
    clipped_share,
    decay_time_s,
    pitch_groups_semitones,
    signal_to_noise_db,
    silence_share,
)

logger = logging.getLogger(__name__)

OK, WARNING, ERROR = "ok", "warning", "error"


@dataclass(frozen=True)
class Limit:
    """What a measure should be."""

    check: str
    """Name of the measure."""
    unit: str
    """Of its values."""
    advice: str
    """What to do."""
    at_least: float = -np.inf
    at_most: float = np.inf
    """``at_least``, ``at_most``: outside of these it is a warning."""
    error_below: float = -np.inf
    error_above: float = np.inf
    """``error_below``, ``error_above``: outside of these it is an error."""

    def severity(self, measured: float) -> str:
        """Judge a value."""
        if not self.error_below <= measured <= self.error_above:
            return ERROR
        return OK if self.at_least <= measured <= self.at_most else WARNING

    def expected(self) -> str:
        """Say in words what the value should be."""
        if np.isinf(self.at_most):
            return f"at least {self.at_least:g}"
        if np.isinf(self.at_least):
            return f"at most {self.at_most:g}"
        return f"{self.at_least:g} to {self.at_most:g}"


# GPT-SoVITS refuses clips that are not 3 to 10 s long. Its timbre encoder hears up to 11 kHz.
LENGTH = Limit("length", "s", "cut the clip to one or two whole sentences", 3.0, 10.0, 3.0, 10.0)
SAMPLE_RATE = Limit(
    "sample rate",
    "Hz",
    "take the recording itself, not a copy at a lower rate",
    at_least=24_000,
    error_below=24_000,
)
LEVEL = Limit("level", "dBFS", "bring speech to about -20 dBFS without limiting it", -35.0, -10.0, -50.0)
CLIPPING = Limit(
    "clipping",
    "%",
    "record again with less gain; clipped peaks cannot be mended",
    at_most=0.05,
    error_above=1.0,
)
NOISE = Limit(
    "noise", "dB", "the model learns what sounds between words, noise or echo: record in a quieter place",
    at_least=35.0, error_below=22.0,
)  # fmt: skip
BANDWIDTH = Limit(
    "bandwidth", "Hz", "use a recording that was never a telephone call or a low-rate MP3", at_least=9_000,
    error_below=5_000,
)  # fmt: skip
REVERBERATION = Limit(
    "reverberation",
    "s",
    "record nearer to the microphone in a room with soft walls",
    at_most=0.4,
    error_above=0.7,
)
SILENCE = Limit("silence", "%", "cut the silence at the ends and long pauses", at_most=40.0, error_above=65.0)
SPEAKERS = Limit("speakers", "semitones", "keep one person only: two pitch ranges were found", at_most=7.0)
# Letters of English, characters of Chinese and Japanese, per second of speech without its pauses.
_PACE_ADVICE = "compare the transcript with what is said, word for word"
PACE = {
    "en": Limit("pace", "letters/s", _PACE_ADVICE, 7.0, 26.0, 3.0, 45.0),
    "zh": Limit("pace", "characters/s", _PACE_ADVICE, 2.0, 9.0, 0.8, 16.0),
    "ja": Limit("pace", "characters/s", _PACE_ADVICE, 2.0, 13.0, 0.8, 20.0),
}
TRANSCRIPT = Limit(
    "transcript", "characters", "write what is said into the .txt beside the clip", 1.0, error_below=1.0
)


@dataclass(frozen=True)
class Finding:
    """One measure of one clip."""

    clip: str
    """Path, as the configuration has it or shorter."""
    emotion: str
    """That the clip stands for."""
    check: str
    """Name of the measure."""
    measured: float | None
    """Value; None where the clip could not be read."""
    unit: str
    """Of the value."""
    expected: str
    """What the value should be, in words."""
    severity: str
    """``ok``, ``warning`` or ``error``."""
    advice: str
    """What to do about it."""

    def line(self) -> str:
        """Say it in one line."""
        value = "" if self.measured is None else f" {self.measured:g} {self.unit}, expected {self.expected}"
        advice = f"; {self.advice}" if self.advice else ""
        return f"{self.severity}: {self.emotion} ({self.clip}): {self.check}{value}{advice}"


def check_references(references: Mapping[str, Reference]) -> list[Finding]:
    """Measure every reference clip.

    Returns:
        A finding for each measure of each clip, good ones too.
    """
    return [finding for emotion, clip in references.items() for finding in _check(emotion, clip)]


def findings_json(findings: Sequence[Finding]) -> dict[str, Any]:
    """Give the findings as ``references.json`` holds them."""
    return {"findings": [asdict(finding) for finding in findings]}


def refuse_bad_references(references: Mapping[str, Reference]) -> list[Finding]:
    """Measure the clips; log what is doubtful.

    Raises:
        DistillError: a clip cannot be used; the message says what to do about the first of its faults.
    """
    findings = check_references(references)
    for finding in findings:
        if finding.severity == WARNING:
            logger.warning("%s", finding.line())
    errors = [finding for finding in findings if finding.severity == ERROR]
    if errors:
        more = f"; {len(errors) - 1} more: sovits-distill check lists all" if len(errors) > 1 else ""
        raise DistillError(errors[0].line() + more)
    return findings


def _check(emotion: str, reference: Reference) -> Iterator[Finding]:
    path = reference.audio
    yield _transcript(emotion, reference)
    try:
        audio, rate = sf.read(path, dtype="float64", always_2d=True)
    except (OSError, sf.LibsndfileError) as error:
        yield Finding(
            _short(path), emotion, "file", None, "", "a sound file", ERROR, f"cannot be read: {error}"
        )
        return
    mono = audio.mean(axis=1)
    for limit, measured in _measures(mono, audio, rate):
        yield _finding(limit, measured, path, emotion)
    yield from _pace(emotion, reference, mono, rate)


def _measures(
    mono: NDArray[np.float64], channels: NDArray[np.float64], rate: int
) -> Iterator[tuple[Limit, float]]:
    yield LENGTH, round(len(mono) / rate, 2)
    yield SAMPLE_RATE, rate
    level = active_level_dbfs(mono, rate)
    yield LEVEL, round(level, 1)
    if level <= LEVEL.error_below:  # nothing is there to be measured
        return
    yield CLIPPING, round(100 * max(clipped_share(channel) for channel in channels.T), 3)
    yield NOISE, round(signal_to_noise_db(mono, rate), 1)
    yield BANDWIDTH, round(bandwidth_hz(mono, rate))
    decay = decay_time_s(mono, rate)
    if decay is not None:
        yield REVERBERATION, round(decay, 2)
    yield SILENCE, round(100 * silence_share(mono, rate), 1)
    yield SPEAKERS, round(pitch_groups_semitones(mono, rate), 1)


def _pace(emotion: str, reference: Reference, mono: NDArray[np.float64], rate: int) -> Iterator[Finding]:
    """Tell a transcript that is far too long or too short for the clip."""
    try:
        letters = sum(character.isalnum() for character in reference.transcript())
        limit = PACE[reference.spoken_language()]
    except TeacherError:  # told already
        return
    seconds = len(mono) / rate * (1.0 - silence_share(mono, rate))
    if letters and seconds:
        yield _finding(limit, round(letters / seconds, 1), reference.audio, emotion)


def _transcript(emotion: str, reference: Reference) -> Finding:
    try:
        text = reference.transcript()
    except TeacherError as error:
        clip = _short(reference.audio)
        return Finding(clip, emotion, TRANSCRIPT.check, None, "", "a text", ERROR, str(error))
    # An empty text in the configuration is a wish; an empty file is refused above.
    return _finding(TRANSCRIPT, max(1, len(text)), reference.audio, emotion)


def _finding(limit: Limit, measured: float, path: Path, emotion: str) -> Finding:
    severity = limit.severity(measured)
    advice = "" if severity == OK else limit.advice
    return Finding(
        _short(path), emotion, limit.check, measured, limit.unit, limit.expected(), severity, advice
    )


def _short(path: Path) -> str:
    return "/".join(path.parts[-2:])
