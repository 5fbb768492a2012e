"""Phonemes of ours and of the teachers are matched; a shifted alignment shows its shift."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest

from distill.evaluation.alignment import (
    Deviation,
    differences,
    segments_from_times,
    told_durations,
    told_starts,
)
from distill.evaluation.speech import Segment

from .conftest import Speaker

# What espeak-ng 1.51 told for these words.
MANDARIN = (
    ("tS;", 0.04),
    ("i", 0.12),
    ("n", 0.25),
    ("_|", 0.34),
    ("th", 0.38),
    ("iE", 0.43),
    ("n", 0.55),
    ("_:", 0.7),
)
ENGLISH = (("t", 2.44), ("aI3", 2.48), ("d", 2.74), ("_:", 2.8), ("w", 2.81), ("3:", 2.92), ("k", 3.06))
JAPANESE = (("k", 0.05), ("_j", 0.11), ("o", 0.21), ("o", 0.30), ("w", 0.38), ("a", 0.43))


def test_mandarin_codas_are_not_phonemes_of_ours() -> None:
    starts = told_starts(("SP", "j", "in1", "t", "ian1", "."), MANDARIN, "zh")

    assert starts == pytest.approx([np.nan, 0.04, 0.12, 0.38, 0.43, np.nan], nan_ok=True)


def test_merged_english_vowels_leave_the_second_untold() -> None:
    starts = told_starts(("T", "AY1", "ER0", "D", ",", "W", "ER1", "K"), ENGLISH, "en")

    assert starts == pytest.approx([2.44, 2.48, np.nan, 2.74, np.nan, 2.81, 2.92, 3.06], nan_ok=True)


def test_japanese_palatalisation_and_pitch_marks_are_passed_over() -> None:
    starts = told_starts(("ky", "o", "]", "o", "w", "a"), JAPANESE, "ja")

    assert starts == pytest.approx([0.05, 0.21, np.nan, 0.30, 0.38, 0.43], nan_ok=True)


def test_durations_are_compared_where_both_ends_are_told() -> None:
    segments = segments_from_times(("SP", "ky", "o", "]", "o", "w", "a", "."), JAPANESE, "ja", 0.6)
    stretched = [Segment(s.symbol, 2 * s.start, 2 * s.end) for s in segments]
    told, learnt = told_durations(stretched, JAPANESE, "ja")

    assert told == pytest.approx([0.16, 0.09, 0.08, 0.05])  # not the last: nobody tells where it ends
    assert learnt == pytest.approx(2 * told)


def test_segments_cover_the_line() -> None:
    segments = segments_from_times(("SP", "ky", "o", "]", "o", "w", "a", "."), JAPANESE, "ja", 0.6)

    assert [s.symbol for s in segments] == ["SP", "ky", "o", "o", "w", "a", "."]
    assert segments[0].start == 0
    assert segments[-1].end == 0.6
    assert all(a.end == b.start for a, b in pairwise(segments))


@pytest.mark.espeak
@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("今天天气很好，我们去公园玩吧。", "zh"),
        ("The river water is orange, and the tired workers are here.", "en"),
        ("今日はとても良い天気ですね。", "ja"),
    ],
)
def test_real_phonemes_are_told_in_order_and_a_shift_is_measured(
    speaker: Speaker, text: str, language: str
) -> None:
    reading, line = speaker.line(text, "noah", language)
    told = line.phoneme_times or ()
    starts = told_starts(reading.phonemes, told, language)
    known = starts[~np.isnan(starts)]
    sounding = [p for p in reading.phonemes if Segment(p, 0.0, 0.0).sounds]

    assert len(known) >= 0.85 * len(sounding)
    assert (np.diff(known) > 0).all()
    segments = segments_from_times(reading.phonemes, told, language, known[-1] + 0.1)
    late = [replace(s, start=s.start + 0.03, end=s.end + 0.03) for s in segments]
    assert Deviation.of(differences(late, told, language)).bias_ms == pytest.approx(30.0)


def test_nothing_matched_gives_no_number() -> None:
    assert np.isnan(Deviation.of(np.zeros(0)).median_ms)
