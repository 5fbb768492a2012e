"""Which lines are heard, and that their sound is not touched."""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import pytest
import soundfile

pytest.importorskip("torch", reason="the pitch tracker lives with the training code")

from distill.evaluation.speakers import TeacherLines
from distill.report.players import choose, sound_uri

pytestmark = [pytest.mark.torch, pytest.mark.espeak, pytest.mark.flite]

VOICES = {"noah": ("zh",), "claire": ("en",), "mei": ("ja",)}


def test_every_character_language_and_emotion_is_heard(small_corpus: Path) -> None:
    teacher = TeacherLines(small_corpus)
    chosen = choose(teacher, VOICES)
    held_out = {(u.character, u.language, u.emotion) for u in teacher.find("test")}
    assert {(u.character, u.language, u.emotion) for u in chosen} == held_out and len(held_out) == 4
    assert {u.split for u in chosen} == {"test"}
    assert [u.emotion for u in chosen[:4]] == ["neutral", "neutral", "neutral", "sad"]


def test_only_what_the_voice_can_say(small_corpus: Path) -> None:
    chosen = choose(TeacherLines(small_corpus), {"noah": ("en", "zh"), "claire": ("zh",)})
    assert {(u.character, u.language) for u in chosen} == {("noah", "zh")}


def test_sound_is_lossless() -> None:
    audio = (np.random.default_rng(1).integers(-30000, 30000, 3200) / 32768).astype(np.float32)
    kind, packed = sound_uri(audio).split(",")
    back, rate = soundfile.read(io.BytesIO(base64.b64decode(packed)), dtype="float32")
    assert kind == "data:audio/flac;base64" and rate == 32_000
    assert np.array_equal(back, audio)
