"""A classifier that heard right tones finds them again and notices wrong ones."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest

from distill.evaluation.speech import Recording
from distill.evaluation.tones import ToneClassifier, is_rime, syllables

from .conftest import Speak

TONELESS = {"1": "2", "2": "3", "3": "4", "4": "1", "5": "4"}
SYLLABLES = (
    "妈麻马骂 衣姨椅意 书熟鼠树 天田舔电 飞肥匪肺 汤糖躺烫 花华画话 中种重众 关管惯官 窗床闯创".split()
)


@pytest.fixture(scope="module")
def lines(speak: Speak) -> list[Recording]:
    draw = random.Random(0)
    texts = ["".join(draw.choice(draw.choice(SYLLABLES)) for _ in range(8)) + "。" for _ in range(50)]
    return [speak(text, "noah", "zh") for text in texts]


@pytest.mark.espeak
@pytest.mark.slow
def test_right_tones_are_recognised_and_wrong_ones_are_not(lines: list[Recording]) -> None:
    classifier = ToneClassifier(lines[:38])
    right, n = classifier.accuracy(lines[38:])
    wrong, _ = classifier.accuracy([with_other_tones(line) for line in lines[38:]])

    assert n > 70
    assert right > 80
    assert wrong < 25


@pytest.mark.espeak
def test_a_monotone_loses_the_tones(lines: list[Recording]) -> None:
    """Each rime is given the pitch of another line: the labels stay, the melody is gone."""
    classifier = ToneClassifier(lines[:38])
    moved = [replace(a, audio=b.audio) for a, b in zip(lines[38:], reversed(lines[38:]), strict=True)]

    assert classifier.accuracy(moved)[0] < 60


@pytest.mark.espeak
def test_one_syllable_per_character(lines: list[Recording]) -> None:
    assert len(list(syllables(lines[0]))) == 8


@pytest.mark.parametrize(
    ("symbol", "expected"), [("ao3", True), ("ian1", True), ("j", False), ("AH0", False), ("SP", False)]
)
def test_rimes(symbol: str, expected: bool) -> None:
    assert is_rime(symbol) is expected


def with_other_tones(line: Recording) -> Recording:
    """The same sound with labels that claim another tone: what a wrong tone is to the judge."""
    segments = tuple(
        replace(s, symbol=s.symbol[:-1] + TONELESS[s.symbol[-1]]) if is_rime(s.symbol) else s
        for s in line.segments
    )
    return replace(line, segments=segments)
