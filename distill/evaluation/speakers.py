"""Speakers compared: the teacher's lines out of a corpus, and the student out of its bundle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from edge.bundle.bundle import workshop
from edge.spec import SAMPLE_RATE, ZERO_LENGTH_SYMBOLS
from edge.synthesizer import SpeechRequest, Synthesizer

from ..manifest import Utterance, read_manifest
from ..script import load_lines
from ..training.told import told_times
from .alignment import differences, segments_from_times
from .speech import Recording, Samples, Segment

STEP_S = 0.008  # one step of the learnt alignment


Where = Mapping[str, str]
_ANYWHERE: Where = {}


class TeacherLines:
    """Lines of a corpus, cut as the teacher tells, by the learnt alignment, or by the teacher's own phonemes.

    Args:
        corpus: folder with ``manifest.jsonl``.
        durations: steps of 8 ms per phoneme by utterance id, from ``distill.training.align``.
    """

    def __init__(self, corpus: Path, durations: Mapping[str, Sequence[int]] | None = None) -> None:
        self.corpus = corpus
        self._utterances = read_manifest(corpus)
        self._durations = durations or {}

    def find(self, split: str, where: Where = _ANYWHERE, limit: int | None = None) -> list[Utterance]:
        """Return the utterances of a split that fit, e.g. ``{"language": "zh"}``; ``limit`` of them."""
        found = [
            utterance
            for utterance in self._utterances
            if utterance.split == split
            and all(getattr(utterance, key) == value for key, value in where.items())
        ]
        return spread(found, limit)

    def conditions(self) -> list[tuple[str, str]]:
        """Return the (character, language) pairs of the corpus in order."""
        return sorted({(u.character, u.language) for u in self._utterances})

    def held_out(self, where: Where, limit: int) -> list[Utterance]:
        """Return lines that training has not seen and that are cut: test lines, or else validation lines."""
        for split in ("test", "valid"):
            lines = [u for u in self.find(split, where) if self.is_aligned(u)]
            if lines:
                return spread(lines, limit)
        return self.find("test", where, limit)

    def sentences(self, where: Where, limit: int, phase: float = 0.0) -> list[Utterance]:
        """Return test lines that are sentences by no pattern; any, where the corpus has none of these."""
        lines = self.find("test", where)
        natural = {line.text for line in load_lines(where["language"], name="heldout")}
        return spread([line for line in lines if line.text in natural] or lines, limit, phase)

    def is_aligned(self, utterance: Utterance) -> bool:
        """Whether the times of an utterance's phonemes are told or learnt."""
        return utterance.prosody is not None or utterance.id in self._durations

    def record(self, utterance: Utterance) -> Recording:
        """Read the sound of an utterance."""
        audio, _ = soundfile.read(utterance.audio, dtype="float32")
        segments = self.cut(utterance, len(audio) / SAMPLE_RATE)
        return Recording(
            utterance.text, utterance.character, utterance.language, utterance.emotion, audio, segments
        )

    def cut(self, utterance: Utterance, seconds: float = 0.0) -> tuple[Segment, ...]:
        """Return the segments of an utterance, ``seconds`` long; none where nobody tells them."""
        if utterance.prosody is not None:
            return segments_from_starts(utterance.phonemes, told_times(utterance))
        steps = self._durations.get(utterance.id)
        if steps is not None:
            return segments_from_steps(utterance.phonemes, steps)
        if (told := utterance.phoneme_times) and not self._durations:
            return segments_from_times(utterance.phonemes, told, utterance.language, seconds)
        return ()

    def aligned_and_told(self, limit: int) -> dict[str, list[Utterance]]:
        """Return training lines with a learnt alignment whose teacher tells its times, by voice."""
        found = {}
        for character, language in self.conditions():
            lines = self.find("train", {"character": character, "language": language})
            lines = [u for u in lines if u.phoneme_times and u.id in self._durations]
            if lines:
                found[f"{character} {language}"] = spread(lines, limit)
        return found

    def deviations(self, lines: Sequence[Utterance]) -> NDArray[np.float64]:
        """Return (n_matched,) seconds: learnt starts of phonemes minus told ones."""
        return np.concatenate([differences(self.cut(u), u.phoneme_times, u.language) for u in lines])


def spread(lines: list[Utterance], limit: int | None, phase: float = 0.0) -> list[Utterance]:
    """Return ``limit`` of ``lines`` at equal distances, the first a share ``phase`` of one from the front."""
    if limit is None or limit >= len(lines):
        return lines
    return [lines[int((k + phase) * len(lines) / limit)] for k in range(limit)]


def segments_from_steps(phonemes: Sequence[str], steps: Sequence[int]) -> tuple[Segment, ...]:
    """Turn durations (n_phonemes,) in steps of 8 ms into segments, pitch marks left out."""
    return segments_from_starts(phonemes, np.concatenate([[0.0], np.cumsum(steps) * STEP_S]))


def segments_from_starts(phonemes: Sequence[str], starts: NDArray[np.float64]) -> tuple[Segment, ...]:
    """Turn times (n_phonemes + 1,) in seconds into segments, pitch marks left out."""
    return tuple(
        Segment(symbol, float(start), float(end))
        for symbol, start, end in zip(phonemes, starts[:-1], starts[1:], strict=True)
        if symbol not in ZERO_LENGTH_SYMBOLS
    )


@dataclass(frozen=True)
class StreamedLine:
    """A line as the device sends it."""

    audio: Samples
    """(n_samples,) all chunks."""
    joins: tuple[int, ...]
    """Offsets at which one window ends and the next begins."""


class Student:
    """Speaks with a bundle exactly as a device does, on one thread so that a run is the same everywhere."""

    def __init__(self, bundle: Path | None) -> None:
        self.synthesizer = Synthesizer.load(bundle, threads=1, gate=workshop)

    def speak(self, text: str, character: str, language: str, emotion: str = "neutral") -> Recording:
        """Speak a whole line.

        Raises:
            EdgeError: the bundle cannot say it.
        """
        speech = self.synthesizer.synthesize(SpeechRequest(text, character, language, emotion))
        segments = tuple(Segment(p.ph, p.t, p.t + p.d) for p in speech.timeline.phonemes)
        return Recording(text, character, language, emotion, _as_float(speech.audio), segments)

    def repeat(self, utterance: Utterance) -> Recording:
        """Say what a teacher said."""
        return self.speak(utterance.text, utterance.character, utterance.language, utterance.emotion)

    def stream(self, utterance: Utterance) -> StreamedLine:
        """Say it window by window."""
        request = SpeechRequest(utterance.text, utterance.character, utterance.language, utterance.emotion)
        chunks = list(self.synthesizer.stream(self.synthesizer.prepare(request)))
        audio = np.concatenate([chunk.samples for chunk in chunks])
        return StreamedLine(_as_float(audio), tuple(chunk.start for chunk in chunks[1:]))


def _as_float(audio: np.ndarray) -> Samples:
    return np.asarray(audio / np.float32(32768.0), np.float32)
