"""Lines and words read by hand against what the front end makes of them.

The files hold pinyin; it is turned into symbols here by rules of spelling, not by the table under test.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.text import FrontEnd, Reading
from edge.text.symbols import PUNCTUATION

GOLDEN = Path(__file__).parents[2] / "data" / "golden_phonemes"
INITIALS = ("zh", "ch", "sh", *"bpmfdtnlgkhjqxrzcsyw")
FRONT_END = FrontEnd()


def spell(syllable: str) -> list[str]:
    """hao3 -> h ao3, as any pinyin primer has it, with the names of the inventory."""
    base, tone = syllable[:-1], syllable[-1]
    onset = next((initial for initial in INITIALS if base.startswith(initial)), "")
    rime = base[len(onset) :]
    if not onset:
        onset = {"a": "AA", "e": "EE", "o": "OO"}[base[0]]
    elif onset in ("zh", "ch", "sh", "r") and rime == "i":
        rime = "ir"
    elif onset in ("z", "c", "s") and rime == "i":
        rime = "i0"
    elif onset in ("j", "q", "x", "y") and rime.startswith("u"):
        rime = "v" + rime[1:]
    elif onset == "y" and rime in ("an", "e"):
        rime = rime.replace("an", "En").replace("e", "E")
    return [onset, rime + tone]


def entries(name: str) -> Iterator[tuple[str, list[str]]]:
    """Lines ``text = reading | other right reading``."""
    for line in (GOLDEN / name).read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            text, readings = line.split(" = ")
            yield text, [reading.strip() for reading in readings.split(" | ")]


def words() -> Iterator[tuple[str, list[tuple[str, list[str]]]]]:
    """Groups of ``word pinyin pinyin | other right reading``."""
    for line in (GOLDEN / "zh_words.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            topic, items = line.split(": ")
            pairs = [item.split(maxsplit=1) for item in items.split(", ")]
            yield topic, [(word, [one.strip() for one in readings.split("|")]) for word, readings in pairs]


def expected(reading: str, language: str = "zh") -> list[tuple[str, str]]:
    """(symbol, language) pairs of a reading; ``en:`` switches the language."""
    pairs = []
    for field in reading.split():
        if field.endswith(":"):
            language = field[:-1]
        elif field in PUNCTUATION or language != "zh":
            pairs.append((field, language))
        else:
            pairs.extend((symbol, language) for symbol in spell(field))
    return pairs


def spoken(reading: Reading) -> list[tuple[str, str]]:
    """(symbol, language) pairs without the pitch marks of Japanese."""
    pairs = zip(reading.phonemes, reading.languages, strict=True)
    return [(symbol, language) for symbol, language in pairs if symbol not in "[]"]


@pytest.mark.parametrize(("text", "readings"), [*entries("zh.txt"), *entries("mixed.txt")])
def test_line_is_read_as_by_hand(text: str, readings: list[str]) -> None:
    assert spoken(FRONT_END.read(text)) in [expected(reading) for reading in readings]


@pytest.mark.parametrize(("topic", "items"), [*words()])
def test_word_is_read_as_in_the_dictionary(topic: str, items: list[tuple[str, list[str]]]) -> None:
    wrong = {}
    for word, readings in items:
        found = [symbol for symbol, _ in spoken(FRONT_END.read(word))]
        if found not in [[symbol for symbol, _ in expected(reading)] for reading in readings]:
            wrong[word] = (readings, found)
    assert not wrong, topic


def test_there_are_enough_lines() -> None:
    assert len([*entries("zh.txt")]) >= 60
    assert len([*entries("mixed.txt")]) >= 20
    assert sum(len(items) for _, items in words()) >= 1400
