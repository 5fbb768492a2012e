"""The click detector finds every injected click and is quiet where there is none."""

import numpy as np
import pytest

from distill.evaluation.joins import judge, prominence, with_clicks

from .conftest import Speak

TEXTS = (
    "The garden was quiet this morning, and the river was low.", "She left the letter on the kitchen table.",
    "Bring the blue chair inside before it rains.", "Nobody heard the second bell in the afternoon.",
)  # fmt: skip


@pytest.fixture(scope="module")
def lines(speak: Speak) -> list[tuple[np.ndarray, list[int]]]:
    """Speech with pretended joins every 300 ms, as a window ends wherever it ends."""
    audio = [speak(text, name, "en").audio for text in TEXTS for name in ("noah", "ava")]
    return [(samples, list(range(3000, len(samples) - 1000, 9600))) for samples in audio]


@pytest.mark.espeak
def test_whole_speech_has_no_clicks(lines: list[tuple[np.ndarray, list[int]]]) -> None:
    found = judge(lines)

    assert found.n > 50
    assert found.outstanding <= 5  # of some 70 places: up to three by chance
    assert found.worst < 1.0


@pytest.mark.espeak
def test_injected_clicks_are_found(lines: list[tuple[np.ndarray, list[int]]]) -> None:
    assert judge([(with_clicks(audio, joins), joins) for audio, joins in lines]).outstanding > 85


@pytest.mark.espeak
def test_one_click_among_many_joins_is_the_worst(lines: list[tuple[np.ndarray, list[int]]]) -> None:
    audio, joins = lines[0]

    assert judge([(with_clicks(audio, joins[3:4]), joins)]).worst > judge([(audio, joins)]).worst


def test_prominence_has_one_score_per_sample_and_peaks_at_a_step() -> None:
    audio = (0.1 * np.sin(2 * np.pi * 200 * np.arange(8000) / 32_000)).astype(np.float32)
    audio[5000:] += 0.02
    audio[7000:] *= np.linspace(1, 0, 1000, dtype=np.float32)
    score = prominence(audio)

    assert score.shape == audio.shape
    assert abs(int(score.argmax()) - 5000) <= 16


def test_no_joins_give_no_number() -> None:
    assert np.isnan(judge([(np.zeros(1000, np.float32), [])]).outstanding)
