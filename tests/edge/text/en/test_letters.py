from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.text.en.dictionary import PHONEMES
from edge.text.en.letters import ALPHABET, BLANK, DATA_PATH, SLOTS, LetterModel

MODEL = LetterModel()


def test_probabilities_have_a_row_per_slot() -> None:
    ids = [0, *(ALPHABET.index(letter) for letter in "robot"), 1]
    probabilities = MODEL.probabilities(ids)
    assert probabilities.shape == (len(ids) * SLOTS, BLANK + 1)
    assert probabilities.dtype == np.float32
    np.testing.assert_allclose(probabilities.sum(-1), 1.0, atol=1e-5)


@pytest.mark.parametrize(
    ("word", "phonemes"),
    [
        ("blick", "B L IH1 K"),
        ("stranded", "S T R AE1 N D IH0 D"),
        ("phantasm", "F AE1 N T AE2 Z AH0 M"),
        ("chessington", "CH EH1 S IH0 NG T AH0 N"),
        ("box", "B AA1 K S"),
    ],
)
def test_reads_regular_words(word: str, phonemes: str) -> None:
    assert " ".join(MODEL.read(word)) == phonemes


@given(st.text("abcdefghijklmnopqrstuvwxyz'", min_size=1, max_size=30))
@settings(max_examples=200, deadline=None)
def test_one_main_stress(word: str) -> None:
    phonemes = MODEL.read(word)
    assert all(phoneme in PHONEMES for phoneme in phonemes)
    vowels = [phoneme for phoneme in phonemes if phoneme[-1].isdigit()]
    assert sum(vowel.endswith("1") for vowel in vowels) == bool(vowels)


def test_other_characters_are_skipped() -> None:
    assert MODEL.read("ro-b^o$t") == MODEL.read("robot")
    assert MODEL.read("") == MODEL.read("123") == ()


def test_the_file_is_small() -> None:
    assert DATA_PATH.stat().st_size < 1_500_000
