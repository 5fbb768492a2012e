from __future__ import annotations

import pytest

from edge.text.en.lengthened import is_stutter
from edge.text.en.reader import EnglishReader
from edge.text.en.romaji import from_romaji

READER = EnglishReader()


def phonemes(text: str) -> str:
    return " ".join(symbol for token in READER.read(READER.normalize(text), {}) for symbol in token.phonemes)


@pytest.mark.parametrize(
    ("drawn", "plain"),
    [
        ("Nooooo", "no"),
        ("soooo", "so"),
        ("Waaait", "wait"),
        ("Stooop", "stop"),
        ("Goooood", "good"),
        ("Soooon", "soon"),
        ("Pleeease", "please"),
        ("Yesss", "yes"),
        ("byeee", "bye"),
        ("heyy", "hey"),
        ("chokin'", "chokin'"),
    ],
)
def test_a_word_drawn_out_has_the_sounds_of_the_word(drawn: str, plain: str) -> None:
    assert phonemes(drawn) == phonemes(plain)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("W-what", "W AH0 W AH1 T"),
        ("W-w-what", "W AH0 W AH0 W AH1 T"),
        ("Th-that", "DH AH0 DH AE1 T"),
        ("Wha-what", "W AH1 W AH1 T"),
        ("A-all", "AO1 AO1 L"),
        ("T-shirt", "T IY1 SH ER1 T"),
        ("re-read", "R IY0 R EH1 D"),
        ("no-no", "N OW1 N OW1"),
        ("chokin'", "CH OW1 K IH0 N"),
    ],
)
def test_a_stutter_repeats_the_first_sound(text: str, expected: str) -> None:
    assert phonemes(text) == expected


def test_what_is_no_stutter() -> None:
    assert not is_stutter("t", "shirt")
    assert not is_stutter("re", "read")
    assert not is_stutter("no", "no")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("Sasuke", "S AA0 S UW1 K EY2"), ("Kakashi", "K AA0 K AA1 SH IY0"), ("Tanjiro", "T AA0 N JH IY1 R OW0")],
)
def test_japanese_names(name: str, expected: str) -> None:
    assert " ".join(from_romaji(name) or ()) == expected


@pytest.mark.parametrize("word", ["biome", "site", "Rem", "Lumina", "time", "Xue"])
def test_words_that_are_no_japanese_names(word: str) -> None:
    assert from_romaji(word) is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("GPS", "JH IY1 P IY1 EH1 S"),
        ("too much CO2", "T UW1 M AH1 CH S IY1 OW1 T UW1"),
        ("AIGC", "EY1 AY1 JH IY1 S IY1"),
        ("TTYL", "T IY1 T IY1 W AY1 EH1 L"),
        ("MY AI IS ALIVE", "M AY1 EY1 AY1 IH1 Z AH0 L AY1 V"),
        ("HDMI, USB, LED", "EY1 CH D IY1 EH1 M AY1 , Y UW1 EH1 S B IY1 , EH1 L IY1 D IY1"),
        ("U.S., U.K., E.U.", "Y UW1 EH1 S , Y UW1 K EY1 , IY1 Y UW1 ."),
        ("B, A, D", "B IY1 , EY1 , D IY1"),
        ("Li Xue", "L IY1 SH W EH1"),
        ("Wi-Fi", "W AY1 F AY1"),
    ],
)
def test_abbreviations_and_letters(text: str, expected: str) -> None:
    assert phonemes(text) == expected
