"""The recogniser hears what Flite says; a changed order, a lost word and noise are counted as errors."""

import numpy as np
import pytest

pytest.importorskip("pocketsphinx")

from distill.evaluation.intelligibility import Recogniser, WordErrors, edit_distance, said_words

from .conftest import Speak

WORDS = (
    "animal basket before better captain dinner garden morning orange river seven water winter yellow".split()
)
LINES = ("River orange seven basket winter captain.", "Yellow morning better water dinner animal.")


@pytest.fixture(scope="module")
def recogniser() -> Recogniser:
    return Recogniser(WORDS)


@pytest.mark.flite
def test_clear_speech_is_understood(recogniser: Recogniser, speak: Speak) -> None:
    errors = [recogniser.count(speak(text, "claire", "en").audio, said_words(text)) for text in LINES]

    assert sum(e.errors for e in errors) <= 1


@pytest.mark.flite
def test_shuffled_words_are_errors(recogniser: Recogniser, speak: Speak) -> None:
    words = said_words(LINES[0])
    shuffled = (*words[3:], *words[:3])

    assert recogniser.count(speak(LINES[0], "claire", "en").audio, shuffled).percent >= 50


@pytest.mark.flite
def test_other_speech_is_errors(recogniser: Recogniser, speak: Speak) -> None:
    assert recogniser.count(speak(LINES[1], "claire", "en").audio, said_words(LINES[0])).percent >= 80


@pytest.mark.flite
def test_speech_buried_in_noise_is_errors(recogniser: Recogniser, speak: Speak) -> None:
    audio = speak(LINES[0], "claire", "en").audio
    noise = np.random.default_rng(0).normal(size=len(audio)).astype(np.float32) * 0.3

    assert recogniser.count(audio + noise, said_words(LINES[0])).percent >= 50


def test_silence_is_all_deletions(recogniser: Recogniser) -> None:
    assert recogniser.count(np.zeros(32_000, np.float32), said_words(LINES[0])) == WordErrors(6, 6)


def test_unknown_words_are_named() -> None:
    with pytest.raises(ValueError, match="blorbish"):
        Recogniser(["water", "blorbish"])


@pytest.mark.parametrize(
    ("heard", "errors"),
    [("a b c", 0), ("a c", 1), ("a x c", 1), ("a b b c", 1), ("c b a", 2), ("", 3)],
)
def test_edit_distance(heard: str, errors: int) -> None:
    assert edit_distance("a b c".split(), heard.split()) == errors


def test_every_script_word_can_be_recognised() -> None:
    from distill.evaluation.intelligibility import recognisable_words
    from distill.script.lines import FOLDER

    words = (FOLDER / "common_words_en.txt").read_text("utf-8").split()

    assert len(words) >= 140
    assert set(words) <= recognisable_words()
