"""Durations and pitch of a repeated line agree; of a flat, a shuffled or another line they do not."""

from dataclasses import replace

import numpy as np
import pytest

from distill.evaluation.prosody import (
    Agreement,
    comparable,
    duration_agreement,
    phoneme_pitch,
    pitch_agreement,
)
from distill.evaluation.speech import Recording, Segment

from .conftest import Speak

LINES = (
    "今天天气很好，我们去公园玩吧。",
    "请把门打开，谢谢你。",
    "这本书我已经看过三遍了。",
    "他昨天买了一辆红色的自行车。",
)


@pytest.fixture(scope="module")
def told(speak: Speak) -> list[Recording]:
    return [speak(text, "noah", "zh") for text in LINES]


def with_lengths(line: Recording, lengths: np.ndarray) -> Recording:
    ends = np.cumsum(lengths)
    segments = tuple(
        Segment(s.symbol, float(end - length), float(end))
        for s, length, end in zip(line.segments, lengths, ends, strict=True)
    )
    return replace(line, segments=segments)


@pytest.mark.espeak
def test_a_slower_rendering_keeps_the_pattern_and_shows_the_bias(told: list[Recording], speak: Speak) -> None:
    slow = [speak(text, "noah", "zh", rate=0.8) for text in LINES]
    found = duration_agreement(list(zip(told, slow, strict=True)))

    assert found.correlation > 0.9
    assert found.bias > 10


@pytest.mark.espeak
def test_shuffled_durations_do_not_agree(told: list[Recording]) -> None:
    rng = np.random.default_rng(0)
    shuffled = [with_lengths(t, rng.permutation([s.duration for s in t.segments])) for t in told]

    assert duration_agreement(list(zip(told, shuffled, strict=True))).correlation < 0.5


@pytest.mark.espeak
def test_pitch_agrees_with_itself_and_with_another_tempo(told: list[Recording], speak: Speak) -> None:
    fast = [speak(text, "noah", "zh", rate=1.1) for text in LINES]

    assert pitch_agreement(list(zip(told, told, strict=True))).correlation == pytest.approx(1.0)
    assert pitch_agreement(list(zip(told, fast, strict=True))).correlation > 0.95


@pytest.mark.espeak
def test_wrong_tones_do_not_agree(told: list[Recording], speak: Speak) -> None:
    """The same initials and finals with the tones turned round."""
    flat = [speak(text, "noah", "zh", emotion="sad") for text in LINES]
    wrong = [replace(s, audio=s.audio[::-1].copy()) for s in flat]

    assert pitch_agreement(list(zip(told, wrong, strict=True))).correlation < 0.5


@pytest.mark.espeak
def test_other_phonemes_are_left_out(told: list[Recording], speak: Speak) -> None:
    other = speak("明天再说吧。", "noah", "zh")

    assert comparable([(told[0], other), (told[0], told[0])]) == [(told[0], told[0])]


@pytest.mark.espeak
def test_pitch_points_have_their_shape_and_height(told: list[Recording]) -> None:
    pitch, voiced = phoneme_pitch(told[0])

    assert pitch.shape == voiced.shape == (len(told[0].sounding), 4)
    assert 70 < 2 ** (np.median(pitch[voiced]) / 12) < 150  # Hz: noah is a man


def test_too_little_gives_no_number() -> None:
    line = Recording("x", "noah", "en", "neutral", np.zeros(3200, np.float32), (Segment("AH0", 0.0, 0.1),))

    assert np.isnan(duration_agreement([(line, line)]).correlation)


# --- Within sentences ---


def test_sentences_that_only_differ_from_each_other_do_not_agree_within() -> None:
    rng = np.random.default_rng(0)
    levels = np.repeat([100.0, 200.0, 300.0], 20).reshape(3, 20)
    one, other = levels + rng.normal(0, 5, levels.shape), levels + rng.normal(0, 5, levels.shape)
    assert Agreement.between(one.ravel(), other.ravel()).correlation > 0.9
    assert abs(Agreement.within(list(zip(one, other, strict=True))).correlation) < 0.4


def test_sentences_that_move_alike_agree_within_however_far_apart_they_lie() -> None:
    moves = np.random.default_rng(0).normal(0, 5, (4, 15))
    apart = [(move, move + 50.0 * index) for index, move in enumerate(moves)]
    assert Agreement.within(apart).correlation == pytest.approx(1.0)
    assert Agreement.within([]).n == 0
