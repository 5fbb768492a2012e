"""Every fault that is put into a good line is found, and none in the good line itself."""

import numpy as np
import pytest

from distill.evaluation.defects import inspect, is_spoken
from distill.evaluation.speech import Recording, Segment

from .conftest import Speak

TEXT = "She left the letter on the kitchen table, and went home."


@pytest.fixture(scope="module")
def line(speak: Speak) -> Recording:
    return speak(TEXT, "noah", "en")


@pytest.mark.espeak
def test_a_good_line_has_no_faults(line: Recording) -> None:
    found = inspect(line)

    assert found.finite
    assert found.clipped == 0
    assert found.dead_air_s < 0.15  # closures of plosives
    assert found.peak == pytest.approx(0.5, abs=0.01)


@pytest.mark.espeak
def test_a_gap_in_a_phrase_is_dead_air_and_a_pause_is_not(line: Recording) -> None:
    word = next(s for s in line.segments if s.symbol == "EH1")
    audio = line.audio.copy()
    first = int(word.start * 32_000)
    audio[first : first + 9600] = 0

    assert inspect(line.with_audio(audio)).dead_air_s >= 0.29
    comma = next(s for s in line.segments if s.symbol == ",")
    assert comma.duration > inspect(line).dead_air_s


@pytest.mark.espeak
def test_clipping_and_nan_are_found(line: Recording) -> None:
    loud = np.clip(line.audio * 4, -1, 1)
    broken = line.audio.copy()
    broken[500] = np.nan

    assert inspect(line.with_audio(loud)).clipped > 100
    assert not inspect(line.with_audio(broken)).finite


@pytest.mark.espeak
def test_one_syllable_is_heard_and_its_absence_noticed(speak: Speak) -> None:
    line = speak("Go!", "noah", "en")

    assert is_spoken(line)
    assert not is_spoken(line.with_audio(line.audio * 0.01))
    assert not is_spoken(line.with_audio(np.tile(line.audio, 10)))
    assert not is_spoken(line.with_audio(line.audio[:400]))


def test_without_segments_the_whole_line_counts() -> None:
    audio = np.sin(np.arange(32_000) * 0.1).astype(np.float32) * 0.3
    audio[8000:16_000] = 0
    line = Recording("x", "noah", "en", "neutral", audio)

    assert inspect(line).dead_air_s == pytest.approx(0.25, abs=0.01)
    paused = Recording(
        "x", "noah", "en", "neutral", audio,
        (Segment("AH0", 0.0, 0.25), Segment(",", 0.25, 0.5), Segment("AH0", 0.5, 1.0)),
    )  # fmt: skip
    assert inspect(paused).dead_air_s == 0
