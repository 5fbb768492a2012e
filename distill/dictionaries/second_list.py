"""A second list of words and readings beside the dictionary: where it differs, and what it adds.

``complete.json`` of the npm package @pinyin-pro/data 1.3.1 (ISC) has 337,000 words. The dictionary's reading
of a word is disputed where it says another one; then the network decides. Of the words that the dictionary
lacks those are kept, as votes beside the network, that the network alone would miss or be unsure of; they are
never words of a line.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from pypinyin.contrib.tone_convert import to_tone3

from edge.text.zh.dictionary import DISPUTED, LISTED, MOST_VOTED, Entry
from edge.text.zh.polyphone_model import PolyphoneModel

SURE = 3.0  # by how much (natural logarithms) the network alone must prefer a reading that needs no vote
_TOGETHER = 4000  # words that are read at once
_SANDHI = "一不"  # which the list writes as they are spoken
Readings = tuple[str, ...]


def read_second_list(path: Path, fix: Callable[[str], str | None]) -> dict[str, Readings]:
    """Words of two and more characters and their readings.

    Args:
        path: ``complete.json``.
        fix: spells a syllable as the symbol table does, or gives None.
    """
    found = {}
    for word, (marked, _) in json.loads(path.read_text(encoding="utf-8")).items():
        syllables = [fix(to_tone3(one, neutral_tone_with_five=True)) for one in marked.split()]
        if len(syllables) == len(word) > 1 and all(syllables):
            found[word] = tuple(syllable or "" for syllable in syllables)
    return found


def with_disputes(
    entries: Mapping[str, Entry], second: Mapping[str, Readings], usual: Callable[[str], str]
) -> dict[str, Entry]:
    """Mark listed words that the second list reads otherwise."""
    changed = dict(entries)
    for word, entry in entries.items():
        if entry.trust != LISTED or word not in second:
            continue
        reading = entry.reading or tuple(map(usual, word))
        if any(
            character not in _SANDHI and not is_same(one, other)
            for character, one, other in zip(word, reading, second[word], strict=True)
        ):
            changed[word] = replace(entry, trust=DISPUTED)
    return changed


def votes(
    entries: Mapping[str, Entry], second: Mapping[str, Readings], model: PolyphoneModel
) -> dict[str, Entry]:
    """Words that the dictionary lacks and the network alone misreads or is unsure of."""
    words = [word for word in second if len(word) <= MOST_VOTED and word not in entries]
    kept = {}
    for first in range(0, len(words), _TOGETHER):
        for word in _unsure(words[first : first + _TOGETHER], second, model):
            kept[word] = Entry(0, "-", len(word), second[word], LISTED)
    return kept


def with_votes(entries: Mapping[str, Entry], voting: Mapping[str, Entry]) -> dict[str, Entry]:
    """Add voting words to entries; one that is the beginning of a longer word is so still."""
    return {
        **entries,
        **{
            word: replace(entries[word], reading=entry.reading, trust=LISTED) if word in entries else entry
            for word, entry in voting.items()
        },
    }


def _unsure(words: list[str], second: Mapping[str, Readings], model: PolyphoneModel) -> Iterator[str]:
    """Words with a character whose listed reading the network does not clearly prefer, each alone."""
    asked: list[tuple[str, int]] = []
    places: list[int] = []
    start = 0
    for word in words:
        known = [i for i, character in enumerate(word) if character not in _SANDHI and model.knows(character)]
        asked += [(word, index) for index in known]
        places += [start + index for index in known]
        start += len(word) + 1
    for (word, index), scores in zip(asked, model.scores("。".join(words), places), strict=True):
        listed = [value for name, value in scores.items() if is_same(name, second[word][index])]
        others = [value for name, value in scores.items() if not is_same(name, second[word][index])]
        if listed and others and max(listed) - max(others) < SURE:
            yield word


def is_same(one: str, other: str) -> bool:
    """Whether two syllables are the same apart from a neutral tone."""
    return one == other or (one[:-1] == other[:-1] and "5" in one[-1] + other[-1])
