"""Lines that somebody complained about in an issue tracker of a speech synthesiser, kind by kind."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.markup import parse
from edge.text import FrontEnd
from edge.text.zh.pinyin import pinyin_symbols

COMPLAINTS = Path(__file__).parent / "data" / "complaints.txt"
LEAST_RIGHT = 0.95
KANJI_ALONE = "kanji alone, for a voice of Japanese"
FRONT_END = FrontEnd()
_SYLLABLE = re.compile(r"([a-z]+)([1-5*])")


def complaints() -> Iterator[tuple[str, str, str, bool]]:
    """Kind, line, what must be heard, and whether it is known to be read otherwise."""
    kind = ""
    for line in COMPLAINTS.read_text(encoding="utf-8").partition("\n\n")[2].splitlines():
        if line.startswith("=== "):
            kind = line.removeprefix("=== ")
        else:
            known = line.startswith("~~ ")
            line = line.removeprefix("~~ ").rpartition(" # ")[0] if known else line
            text, _, sounds = line.rpartition(" = ")
            yield kind, text.replace("\\n", "\n"), sounds, known


def pattern(sounds: str) -> str:
    """A regular expression for sounds as the file writes them."""
    parts = []
    for symbol in sounds.split():
        syllable = _SYLLABLE.fullmatch(symbol)
        if syllable:
            onset, rime = pinyin_symbols(syllable[1] + "1")
            tone = r"\d" if syllable[2] == "*" else syllable[2]
            parts.append(f"{onset} {rime[:-1]}{tone}")
        else:
            parts.append(re.escape(symbol))
    return " ".join(parts)


def heard(kind: str, text: str) -> str:
    own = ("ja",) if kind == KANJI_ALONE else ()
    phonemes = FRONT_END.read(parse(text).plain, own=own).phonemes
    plain = ({"I": "i", "U": "u"}.get(symbol, symbol) for symbol in phonemes if symbol not in ("[", "]"))
    return f" {' '.join(plain)} "


def is_right(kind: str, text: str, sounds: str) -> bool:
    spoken = heard(kind, text)
    for part in sounds.split(" & "):
        wanted = not part.startswith("not ")
        ways = part.removeprefix("not ").split(" | ")
        if any(re.search(f" {pattern(way)} ", spoken) for way in ways) is not wanted:
            return False
    return True


@pytest.mark.parametrize(("kind", "text", "sounds", "known"), list(complaints()))
def test_complaint(kind: str, text: str, sounds: str, known: bool) -> None:
    assert is_right(kind, text, sounds) is not known, heard(kind, text)


def test_nearly_all_are_right_and_every_kind_is_there() -> None:
    kinds = Counter(kind for kind, *_ in complaints())
    known = sum(known for *_, known in complaints())
    assert len(kinds) == 39
    assert 1 - known / kinds.total() >= LEAST_RIGHT
