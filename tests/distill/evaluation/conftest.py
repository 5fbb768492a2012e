"""Real speech of espeak-ng and Flite to damage on purpose; spoken once per session and line."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache

import numpy as np
import pytest

pytest.importorskip("torch", reason="the pitch tracker lives with the training code")
pytest.importorskip("pyworld")

from distill import sound
from distill.evaluation.alignment import segments_from_times
from distill.evaluation.speech import Recording
from distill.teachers import LineRequest, make_teacher
from distill.teachers.base import Teacher, TeacherLine
from edge.text import FrontEnd, Reading

TEACHERS = {"noah": "espeak-ng", "ava": "espeak-ng", "claire": "flite", "mei": "openjtalk"}
LEADING_S, TRAILING_S = 0.016, 0.1

Speak = Callable[..., Recording]


class Speaker:
    """Calls the teacher of a character and cuts its line by the times that it tells."""

    def __init__(self) -> None:
        self._front_end = FrontEnd()
        self._teachers: dict[str, Teacher] = {}

    def __call__(
        self, text: str, character: str, language: str, emotion: str = "neutral", rate: float = 1.0
    ) -> Recording:
        reading, line = self.line(text, character, language, emotion, rate)
        audio, moved = sound.trim(sound.resample(line.audio, line.sample_rate), LEADING_S, TRAILING_S)
        audio = audio * (0.5 / np.abs(audio).max())
        told = [(symbol, start - moved) for symbol, start in line.phoneme_times or ()]
        phonemes = ("SP", *reading.phonemes)
        segments = segments_from_times(phonemes, told, language, len(audio) / 32_000) if told else ()
        return Recording(text, character, language, emotion, audio.astype(np.float32), segments)

    def line(
        self, text: str, character: str, language: str, emotion: str = "neutral", rate: float = 1.0
    ) -> tuple[Reading, TeacherLine]:
        """What is read, and the teacher's own sound and times."""
        name = TEACHERS[character]
        if name not in self._teachers:
            self._teachers[name] = make_teacher(name)
        reading = self._front_end.read(text, language)
        request = LineRequest(text, reading, language, character, emotion, rate)
        return reading, self._teachers[name].synthesize(request)

    def close(self) -> None:
        for teacher in self._teachers.values():
            teacher.close()


@pytest.fixture(scope="session")
def speaker() -> Iterator[Speaker]:
    """All teachers, started when first asked."""
    speaker = Speaker()
    yield speaker
    speaker.close()


@pytest.fixture(scope="session")
def speak(speaker: Speaker) -> Speak:
    """``speak(text, character, language, emotion="neutral", rate=1.0)``, each line once."""
    return cache(speaker)
