from __future__ import annotations

import numpy as np
import pytest

from edge.errors import RunnerError
from edge.sanity import MIN_SPOKEN_S, SoundGate, check_durations
from edge.spec import FRAME_RATE, HOP_LENGTH

ALL = np.ones(4, bool)


@pytest.mark.parametrize("frames", [[0.6, 0.6, 0.6, 0.6], [4, 20, 1, 9], [50, 70, 60, 60], [200, 8, 8, 8]])
def test_unusual_speech_passes(frames: list[float]) -> None:
    check_durations(np.array(frames), ALL)


@pytest.mark.parametrize("frames", [[0.1, 0.1, 0.1, 0.1], [320, 4, 4, 4], [70, 70, 70, 70], [-9, 1, 1, 1]])
def test_lengths_that_nobody_speaks_are_refused(frames: list[float]) -> None:
    with pytest.raises(RunnerError, match="not speech"):
        check_durations(np.array(frames), ALL)


def test_what_takes_no_time_does_not_count() -> None:
    check_durations(np.array([4.0, 900.0]), np.array([True, False]))


def gate(symbol: str = "a", seconds: float = 2.0) -> SoundGate:
    return SoundGate(["SP", symbol, "."], np.array([5, round(seconds * FRAME_RATE), 5]))


def stretch(level: float, seconds: float = 2.0) -> np.ndarray:
    return np.full(round(seconds * FRAME_RATE) * HOP_LENGTH, level, np.float32)


@pytest.mark.parametrize("level", [3e-4, 0.05, 0.99])
def test_quiet_and_loud_voices_pass(level: float) -> None:
    gate().check(stretch(level))


@pytest.mark.parametrize("level", [1.01, 1e30, np.inf, np.nan])
def test_noise_is_refused(level: float) -> None:
    with pytest.raises(RunnerError, match="noise"):
        gate().check(stretch(level))


def test_silence_is_refused_where_somebody_should_speak() -> None:
    with pytest.raises(RunnerError, match="silence"):
        gate().check(stretch(0.0))
    later = gate()
    later.check(stretch(0.1, 1.0))
    with pytest.raises(RunnerError, match="silence"):
        later.check(stretch(0.0, 1.0))


def test_silence_is_fine_in_pauses_and_in_short_stretches() -> None:
    gate("…").check(stretch(0.0))
    gate().check(stretch(0.0, MIN_SPOKEN_S))  # it begins with a pause
    gate().check(stretch(0.0, 0.0))
