from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.text.en.dictionary import PronunciationDictionary
from edge.text.en.letters import LetterModel
from edge.text.en.words import WordReader, fold
from edge.text.symbols import SYMBOL_TO_ID

DICTIONARY = PronunciationDictionary()
READER = WordReader(DICTIONARY.get, LetterModel().read)


def said(word: str, shouted: bool = False) -> str:
    return " ".join(READER.pronounce(word, shouted))


# None of these stands in the dictionary; their parts do.
MADE_UP = {
    "Zoe's": "Z OW1 IY0 Z",
    "Zendaya's": "Z EH0 N D EY1 AH0 Z",
    "Mark's'": "M AA1 R K S",
    "Bosch's": "B AO1 SH AH0 Z",
    "smartwatches": "S M AA1 R T W AA2 CH AH0 Z",
    "unhackable": "AH0 N HH AE1 K AH0 B AH0 L",
    "unfollow": "AH0 N F AA1 L OW0",
    "moonboat": "M UW1 N B OW2 T",
    "Xylophone'll": "Z AY1 L AH0 F OW2 N AH0 L",
    "robot'd": "R OW1 B AA2 T IH0 D",
    "optionally": "AA1 P SH AH0 N AH0 L IY0",
    "cyberpunk": "S AY1 B ER0 P AH2 NG K",
    "tweetable": "T W IY1 T AH0 B AH0 L",
}


@pytest.mark.parametrize(("word", "phonemes"), MADE_UP.items())
def test_known_parts(word: str, phonemes: str) -> None:
    assert DICTIONARY.get(word.lower()) is None
    assert said(word) == phonemes


@pytest.mark.parametrize(
    ("word", "phonemes"),
    [
        ("FBI", "EH1 F B IY1 AY1"),
        ("NASA", "N AE1 S AH0"),
        ("US", "Y UW1 EH1 S"),
        ("us", "AH1 S"),
        ("PM", "P IY1 EH1 M"),
        ("URLs", "Y UW1 AA1 R EH1 L Z"),
        ("CEO's", "S IY1 IY1 OW1 Z"),
        ("MQTT", "EH1 M K Y UW1 T IY1 T IY1"),
        ("VERY", "V EH1 R IY0"),
        ("tbh", "T IY1 B IY1 EY1 CH"),
        ("W", "D AH1 B AH0 L Y UW0"),
        ("GitHub", "G IH1 T HH AH2 B"),
        ("YouTube's", "Y UW1 T Y UW2 B Z"),
        ("SoVITS", "S OW1 V IH0 T S"),
        ("McDonald", "M AH0 K D AA1 N AH0 L D"),
    ],
)
def test_capitals(word: str, phonemes: str) -> None:
    assert said(word) == phonemes


def test_shouted_capitals_are_words() -> None:
    assert said("US", shouted=True) == said("us")
    assert said("IT", shouted=True) == said("it")


@pytest.mark.parametrize(
    ("word", "phonemes"),
    [
        ("café", "K AH0 F EY1"),
        ("Zoë", "Z OW1 IY0"),
        ("résumé", "R EH1 Z AH0 M EY2"),
        ("smörgåsbord", said("smorgasbord")),
        ("straße", said("strasse")),
        ("'em", "AH0 M"),
        ("'twas", "T W AH1 Z"),
        ("'quick'", "K W IH1 K"),
        ("dogs'", "D AO1 G Z"),
    ],
)
def test_accents_and_apostrophes(word: str, phonemes: str) -> None:
    assert said(word) == phonemes


def test_fold() -> None:
    assert fold("Łódź") == "Lodz"
    assert fold("œuvre") == "oeuvre"
    assert fold("don't") == "don't"


@given(st.text(st.characters(categories=("L", "P", "N")), max_size=40), st.booleans())
@settings(max_examples=300, deadline=None)
def test_any_word_gives_symbols_of_the_inventory(word: str, shouted: bool) -> None:
    phonemes = READER.pronounce(word, shouted)
    assert all(phoneme in SYMBOL_TO_ID for phoneme in phonemes)
    if any(letter.isascii() and letter.isalpha() for letter in word):
        assert phonemes


@pytest.mark.parametrize(
    "word", ["a" * 2000, "b" * 2000, "aB" * 1000, "s'" * 1000, "'" * 2000, "A" * 2000, "unre" * 500]
)
def test_endless_words_take_bounded_time(word: str) -> None:
    begin = time.process_time()
    READER.pronounce(word)
    assert time.process_time() - begin < 1.5
