"""The pitch accent of a line is as its reading has it, whatever the network guessed."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from distill.teachers.kokoro_accent import accented, clauses
from edge.text import FrontEnd, Reading

STEP = 0.0125


def heights(reading: Reading) -> list[list[float]]:
    starts = np.arange(len(reading.phonemes) + 1) * 0.1
    return [[mora.height for mora in clause.morae] for clause in clauses(reading, starts)]


def read(text: str) -> Reading:
    return FrontEnd().read(text, "ja")


def ja(*phonemes: str) -> Reading:
    count = len(phonemes)
    return Reading("x", phonemes, ("ja",) * count, (0,) * count, ())


def test_a_mora_before_a_fall_is_high_and_before_a_rise_low() -> None:
    assert heights(ja("n", "e", "]", "k", "o", "g", "a", ".")) == [[1.0, 0.0, 0.0]]
    assert heights(ja("s", "a", "[", "k", "u", "r", "a", ".")) == [[0.0, 1.0, 1.0]]
    assert heights(ja("k", "o", "[", "k", "o", "]", "r", "o", ".")) == [[0.0, 1.0, 0.0]]


def test_what_follows_a_fall_is_lower_until_the_next_clause() -> None:
    first, second = heights(ja("a", "]", "m", "e", "g", "a", "]", ",", "a", "]", "m", "e", "."))
    assert first == [1.0, 0.0, 0.75]
    assert second == [1.0, 0.0]


def test_words_of_other_languages_are_left_alone() -> None:
    reading = FrontEnd().read("He said hello.", "en")
    starts = np.arange(len(reading.phonemes) + 1) * 0.1
    f0 = np.full(round(starts[-1] / STEP), 120, np.float32)
    assert np.array_equal(accented(f0, reading, starts, 60.0), f0)
    assert not list(clauses(reading, starts))


@pytest.mark.parametrize("wrong_way", [0.0, 4.0])
def test_the_contour_falls_where_the_mark_stands(wrong_way: float) -> None:
    """The network's guess, flat or rising through the word, is not heard any more."""
    reading = read("猫が窓から落ちた。")
    starts = np.arange(len(reading.phonemes) + 1) * 0.09
    seconds = np.arange(round(starts[-1] / STEP)) * STEP
    guess = (200 * 2 ** (wrong_way * np.sin(9 * seconds) / 12)).astype(np.float32)
    drawn = 12 * np.log2(accented(guess, reading, starts, 60.0) / 200)
    vowels = [i for i, symbol in enumerate(reading.phonemes) if symbol in "aiueoN"]
    levels = {i: drawn[(seconds >= starts[i]) & (seconds < starts[i + 1])].mean() for i in vowels}
    falls = [(i, j) for i, j in pairwise(vowels) if reading.phonemes[i + 1] == "]"]
    assert len(falls) >= 2
    assert all(levels[j] < levels[i] - 1.0 for i, j in falls)


def test_unvoiced_steps_stay_and_the_mean_too() -> None:
    reading = read("桜が咲いた。")
    starts = np.arange(len(reading.phonemes) + 1) * 0.09
    f0 = np.full(round(starts[-1] / STEP), 180, np.float32)
    f0[10:14] = 3.0
    drawn = accented(f0, reading, starts, 60.0)
    assert np.array_equal(drawn[10:14], f0[10:14])
    voiced = f0 > 60
    assert abs(12 * np.log2(drawn[voiced] / 180).mean()) < 1.0


def test_a_question_rises_at_its_end() -> None:
    asked, told = (read(f"明日も来てくれますか{mark}") for mark in "？。")
    starts = np.arange(len(asked.phonemes) + 1) * 0.09
    f0 = np.full(round(starts[-1] / STEP), 180, np.float32)
    rise = accented(f0, asked, starts, 60.0) / accented(f0, told, starts, 60.0)
    last = round(starts[-2] / STEP) - 1
    assert rise[last] > 2 ** (3 / 12)
    assert rise[: round(starts[-3] / STEP) - 4].max() < 1.01
