"""The lines by genre: enough of them, all readable, every sound among them, and held-out ones held out."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

import distill.script
from distill.config import DistillError
from distill.corpus.config import CORE_LINES, GENRES
from distill.script import Line, inventory, load_lines
from edge.text import FrontEnd

LEXICON = Path(distill.script.__file__).with_name("rare.lexicon")
RARE = {"zh": ("En5", "iong4", "iong5", "un5", "ve5", "vn5")}
LANGUAGES = ("zh", "en", "ja")


def genres(language: str) -> dict[str, list[Line]]:
    found = {}
    for name in (CORE_LINES, *GENRES):
        try:
            found[name] = load_lines(language, name=name)
        except DistillError:
            continue
    return found


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_hundred_sentences_are_held_out_and_half_are_of_a_film(language: str) -> None:
    test = [line for line in load_lines(language, name="heldout") if line.split == "test"]
    assert len(test) >= 100
    assert len([line for line in test if line.kind == "film"]) >= 50
    assert any(line.split == "valid" for line in load_lines(language, name="heldout"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_is_held_out_is_said_nowhere_else(language: str) -> None:
    lines = [line for found in genres(language).values() for line in found]
    trained = {line.text for line in lines if line.split == "train"}
    assert not trained & {line.text for line in lines if line.split != "train"}
    assert len(trained) >= 850


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sound_is_said_in_several_lines(language: str) -> None:
    front_end = FrontEnd(LEXICON)
    lines: Counter[str] = Counter()
    for found in genres(language).values():
        for line in found:
            if line.split == "train":
                lines.update(set(front_end.read(line.text, language).phonemes))
    assert not inventory(language) - set(lines)
    scarce = {symbol: lines[symbol] for symbol in inventory(language) if lines[symbol] < 2}
    assert not scarce
    assert all(lines[symbol] >= 2 for symbol in RARE.get(language, ()))
