"""The real ears on the real teacher: they understand it, like it, know it, and notice when it is spoilt."""

from __future__ import annotations

import numpy as np
import pytest

from distill.evaluation import listener, transcript
from distill.sound import resample
from distill.teachers import LineRequest
from distill.teachers.kokoro import KokoroTeacher
from distill.teachers.settings import KokoroSettings
from edge.text import FrontEnd

for library in ("faster_whisper", "distillmos", "resemblyzer"):
    pytest.importorskip(library, reason="the extra evaluation is not installed")

pytestmark = [
    pytest.mark.models,
    # What the libraries warn of is theirs: deprecated calls in librosa, numba, torch and webrtcvad.
    pytest.mark.filterwarnings("ignore"),
]

LINES = {
    "en": "The last train leaves in seven minutes, so please hurry.",
    "zh": "今天天气很好，我们一起去公园走走吧。",
    "ja": "明日は友達と一緒に、海へ行くつもりです。",
}
VOICES = {"am_michael": 0.5, "zm_yunxi": 0.5}


def say(language: str, voices: dict[str, float] = VOICES) -> np.ndarray:
    teacher = KokoroTeacher(KokoroSettings(kind="kokoro", voices=voices))
    text = LINES[language]
    line = teacher.synthesize(LineRequest(text, FrontEnd().read(text, language), language, "noah"))
    return resample(line.audio, line.sample_rate) * np.float32(0.9 / np.abs(line.audio).max())


def noisy(audio: np.ndarray) -> np.ndarray:
    noise = np.random.default_rng(0).normal(0.0, 0.1, len(audio))
    return (audio * 0.3 + noise).astype(np.float32)


@pytest.mark.parametrize("language", sorted(LINES))
def test_whisper_understands_the_teacher_and_not_the_same_backwards(language: str) -> None:
    audio, text = say(language), LINES[language]
    errors = transcript.compare(text, listener.whisper().transcribe(audio, language), language)
    assert all(found.percent <= 25.0 for found in errors.values()), errors
    backwards = transcript.compare(text, listener.whisper().transcribe(audio[::-1], language), language)
    assert all(found.percent > 60.0 for found in backwards.values()), backwards


def test_judges_hear_noise() -> None:
    audio = say("en")
    assert listener.distill_mos()(audio) > 4.0 > listener.distill_mos()(noisy(audio)) + 1.0
    assert listener.dns_mos()(audio) > 3.0 > listener.dns_mos()(noisy(audio)) + 0.5


def test_a_voice_is_known_in_another_language_and_told_from_another() -> None:
    who = listener.timbre()
    english, chinese, other = who(say("en")), who(say("zh")), who(say("en", {"af_heart": 1.0}))
    assert english @ chinese > 0.75 > english @ other + 0.05
