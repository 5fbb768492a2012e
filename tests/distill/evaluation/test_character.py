"""The characters of the teachers are told apart, and a swapped voice is noticed."""

from dataclasses import replace

import numpy as np
import pytest

from distill.evaluation.character import CharacterClassifier, percent_right, voice_print
from distill.evaluation.speech import Recording

from .conftest import Speak

TEXTS = (
    "The garden was quiet this morning.", "She left the letter on the table.", "Bring the blue chair inside.",
    "We will meet at the station.", "Nobody heard the second bell.", "His brother works near the river.",
    "They closed the window at night.", "Please count the apples again.",
)  # fmt: skip


@pytest.fixture(scope="module")
def lines(speak: Speak) -> list[Recording]:
    return [speak(text, name, "en") for text in TEXTS for name in ("noah", "ava", "claire")]


@pytest.mark.espeak
@pytest.mark.flite
def test_characters_are_told_apart_and_swaps_are_noticed(lines: list[Recording]) -> None:
    classifier = CharacterClassifier(lines[:15])
    swapped = {"noah": "ava", "ava": "noah", "claire": "claire"}

    assert percent_right(classifier.confusion(lines[15:])) == 100
    liars = [replace(line, character=swapped[line.character]) for line in lines[15:]]
    assert percent_right(classifier.confusion(liars)) == pytest.approx(100 / 3)


@pytest.mark.espeak
def test_level_is_not_part_of_a_voice(speak: Speak) -> None:
    line = speak(TEXTS[0], "noah", "en")
    quiet = voice_print(line.with_audio(line.audio * 0.7))
    other = voice_print(speak(TEXTS[0], "ava", "en"))

    assert np.abs(quiet - voice_print(line)).max() < 0.1 * np.abs(other - voice_print(line)).max()


def test_nobody_is_no_number() -> None:
    assert percent_right({}) != percent_right({})  # NaN
