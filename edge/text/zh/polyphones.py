"""Readings that depend on the neighbours of a word.

Most words of several characters have one reading, which the dictionary gives; what is left here are mainly
characters that stand alone after segmentation: 长 in 长得很高, 得 in 我得走了, 只 in 一只猫. The first rule
of a word that fits decides; where none fits, the dictionary's reading stays.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from ..symbols import DATA
from .dictionary import DISPUTED, GUESSED, LISTED, OWN
from .polyphone_model import PolyphoneModel
from .surnames import SURNAMES, surname_reading
from .word import ChineseWord

# What the dictionary's reading of a longer word counts for beside the network's scores (natural
# logarithms), by how sure it is. Found on the development part of CPP. Where the dictionary has an exception
# and the network the usual reading (的确, 着凉), the dictionary stays: the network has met 的 and 着 in their
# usual reading alone.
_WEIGHTS = {GUESSED: 2.0, LISTED: 12.0, OWN: 100.0, DISPUTED: 0.0}
_VOTE = 3.0  # of a word of the second list around a character that stands alone
_LOOK = 16  # characters on either side; no rule looks farther, and hostile lines cost no more
_NUMERAL = "零一二两三四五六七八九十百千万亿几半数"


@dataclass(frozen=True)
class _Rule:
    """One reading and where it holds."""

    reading: tuple[str, ...]
    """Pinyin with tone digits; empty to keep the usual reading."""
    before: re.Pattern[str] | None
    """Pattern that must match the end of the clause before the word."""
    after: re.Pattern[str] | None
    """Pattern that must match the start of the clause after it."""
    before_pos: str
    """Parts of speech the word before may have, ^ for the start of the clause; empty for any."""
    after_pos: str
    """The same for the word after, $ for the end of the clause."""

    def fits(self, words: Sequence[ChineseWord], index: int, before: str, after: str) -> bool:
        """Whether the rule holds for the word at ``index``."""
        if self.before_pos and _pos(words, index - 1, "^") not in self.before_pos:
            return False
        if self.after_pos and _pos(words, index + 1, "$") not in self.after_pos:
            return False
        if self.before and not self.before.search(before):
            return False
        return self.after is None or self.after.match(after) is not None


def _pos(words: Sequence[ChineseWord], index: int, outside: str) -> str:
    return words[index].pos if 0 <= index < len(words) else outside


@dataclass(frozen=True)
class OpenReading:
    """A syllable that no rule has decided, the word's ``index``-th; its character's ``place`` in the line."""

    word: ChineseWord
    index: int
    place: int


def resolve(words: Sequence[ChineseWord], start: int, knows: Callable[[str], bool]) -> list[OpenReading]:
    """Choose the readings of the words of a clause by their neighbours, in place.

    Args:
        words: of the clause.
        start: place of the clause in the line.
        knows: whether the network has readings for a character.

    Returns:
        What the rules leave to the network.
    """
    text = "".join(word.text for word in words)
    left: list[OpenReading] = []
    end = 0
    for index, word in enumerate(words):
        begin, end = end, end + len(word.text)
        if word.is_fixed or _decided(
            words, index, text[max(0, begin - _LOOK) : begin], text[end : end + _LOOK]
        ):
            continue
        left += [
            OpenReading(word, i, start + begin + i)
            for i, character in enumerate(word.text)
            if knows(character)
        ]
    return left


def _decided(words: Sequence[ChineseWord], index: int, before: str, after: str) -> bool:
    """Apply the first rule for a word, if it has one that holds."""
    word = words[index]
    if not (word.text in SURNAMES or word.text in _lines()):
        return False
    surname = surname_reading(words, index, after)
    reading = (surname,) if surname else _by_rule(words, index, before, after)
    word.syllables[: len(reading)] = reading
    return bool(reading)


def choose(
    left: Sequence[OpenReading],
    text: str,
    usual: Callable[[str], str],
    vote: Callable[[str, int], str],
    model: PolyphoneModel,
) -> None:
    """Take the likeliest reading; that of a word of the dictionary has to be outvoted by far.

    Args:
        left: what the rules left open in the line.
        text: the line in simplified characters.
        usual: the reading of a character alone.
        vote: the reading that a longer word around a place of the line has, or an empty string.
        model: the network.
    """
    found = model.scores(text, [reading.place for reading in left]) if left else []
    for reading, scores in zip(left, found, strict=True):
        word, listed = reading.word, reading.word.syllables[reading.index]
        if listed not in scores and listed.endswith("5"):  # 弟弟: the network knows the tone of 弟 alone
            full = next((name for name in scores if name[:-1] == listed[:-1]), "")
            scores[listed] = scores.pop(full, -math.inf)
        if len(word.text) > 1:
            best = max(scores, key=scores.__getitem__)
            is_exception = listed != best == usual(word.text[reading.index])
            weight = _WEIGHTS[OWN if listed.endswith("5") or (is_exception and word.trust) else word.trust]
            scores[listed] = scores.get(listed, min(scores.values())) + weight
        elif _is_close(scores):
            voted = vote(text, reading.place)
            if voted in scores:
                scores[voted] += _VOTE
        word.syllables[reading.index] = max(scores, key=scores.__getitem__)


def _is_close(scores: Mapping[str, float]) -> bool:
    """Whether a vote can change the choice."""
    best = sorted(scores.values())[-2:]
    return len(best) == 2 and best[1] - best[0] < _VOTE


def compile_rules() -> None:
    """Compile the patterns of all rules now; left alone, each is compiled when its word first turns up."""
    for word in _lines():
        _rules(word)


def _by_rule(words: Sequence[ChineseWord], index: int, before: str, after: str) -> tuple[str, ...]:
    for rule in _rules(words[index].text):
        if rule.fits(words, index, before, after):
            return rule.reading
    return ()


@lru_cache(maxsize=1)
def _lines() -> dict[str, list[str]]:
    """The lines of ``zh_polyphones.txt`` by word."""
    lines: dict[str, list[str]] = {}
    for line in (DATA / "zh_polyphones.txt").read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            lines.setdefault(line.split()[0], []).append(line)
    return lines


@lru_cache(maxsize=512)
def _rules(word: str) -> tuple[_Rule, ...]:
    """The rules of one word."""
    return tuple(_parse(line) for line in _lines().get(word, ()))


def _parse(line: str) -> _Rule:
    """A line is ``word reading [<pattern] [>pattern] [<=pos] [>=pos]``; ``#`` in a pattern is any numeral."""
    _, reading, *conditions = line.split()
    given = {"<": "", ">": "", "<=": "", ">=": ""}
    for condition in conditions:
        sign = condition[:2] if condition[1] == "=" else condition[0]
        given[sign] = condition[len(sign) :].replace("#", f"[{_NUMERAL}]")
    before = re.compile(f"(?:{given['<']})$") if given["<"] else None
    after = re.compile(f"(?:{given['>']})") if given[">"] else None
    return _Rule(() if reading == "-" else tuple(reading.split(",")), before, after, given["<="], given[">="])
