r"""Pack word frequencies and readings into what the device searches: edge/text/data/zh_dictionary.bin.

    python -m distill.dictionaries.chinese --words dict.txt --characters TSCharacters.txt \
        --second complete.json

Sources, all of licences that allow it (copied beside the result):
- ``dict.txt`` of jieba 0.42.1 (MIT): words, counts, parts of speech;
- pypinyin (MIT): readings of characters and phrases;
- ``TSCharacters.txt`` of OpenCC (Apache-2.0): traditional characters to simplified ones;
- ``complete.json`` of @pinyin-pro/data (ISC): a second list of readings, see ``second_list``;
- ``zh_overrides.txt`` beside the result, ours: what those get wrong.

As Python objects the first two take 120 MB and a second; packed, 2 MB and one memory map.
"""

from __future__ import annotations

import argparse
import math
import re
from dataclasses import replace
from pathlib import Path

from pypinyin import Style, lazy_pinyin, load_phrases_dict, load_single_dict
from pypinyin.constants import PHRASES_DICT, PINYIN_DICT
from pypinyin.contrib.tone_convert import to_tone, to_tone3

from edge.text.zh.dictionary import (
    COST_STEPS,
    DATA_PATH,
    GUESSED,
    LISTED,
    MAX_WORD,
    OWN,
    Entry,
    pack_entries,
)
from edge.text.zh.neutral_tone import SOFTENED
from edge.text.zh.pinyin import pinyin_symbols
from edge.text.zh.polyphone_model import PolyphoneModel

from .second_list import read_second_list, votes, with_disputes, with_votes

MIN_COUNT = 12  # of 60 million: below it are mostly names of persons
UNCOUNTED = 2  # count given to words that only the list of readings has
NOT_TRADITIONAL = "吒"  # 哪吒: a reading of its own, zha1
NUMERAL = re.compile("[零一二两三四五六七八九十百千万亿]{2,}")
# Digit and unit are one word, so that feet fall where speech has them: 一千|两百|九十|九.
DIGIT_WITH_UNIT = re.compile("[一二两三四五六七八九][十百千万亿]")
HAN_WORD = re.compile(rf"^[\u3400-\u4dbf\u4e00-\u9fff〇]{{1,{MAX_WORD}}}$")
# Part of speech by the first letter of jieba's tag; what is not here is a noun.
PARTS = {
    **{c: c for c in "nvadmqrpcutsfizyeo"},
    "b": "a",
    "l": "i",
    "j": "n",
    "g": "n",
    "x": "n",
    "k": "n",
    "h": "d",
}
# Interjections that pinyin writes without a vowel, and spellings that the syllable table lacks.
SPELLINGS = {
    "n": "en",
    "ng": "en",
    "m": "mu",
    "hm": "heng",
    "hng": "heng",
    "ê": "ei",
    "yai": "ya",
    "lue": "lve",
    "nue": "nve",
}

# 听得到: a verb, 得 and what it leads to; the word keeps 得到 from being cut out of it.
RESULTS = {
    **{
        c: c
        for c in "到 见 起 住 动 来 去 上 下 出 完 好 懂 清 过 开 成 及 到底 下去 下来 出来 起来 过来".split()
    },
    "了": "liao3",
    "着": "zhao2",
}
MIN_VERB_COUNT, RESULT_COUNT = 4000, 60
NO_RESULT = "可不获所难应既取只值觉记懂免舍省显使晓认懒是有"

SURNAMES = {
    "曾": "zeng1",
    "单": "shan4",
    "仇": "qiu2",
    "翟": "zhai2",
    "任": "ren2",
    "葛": "ge3",
    "解": "xie4",
    "朴": "piao2",
}

Words = dict[str, Entry]
Overrides = dict[str, tuple[tuple[str, ...], str, int]]  # word -> reading, part of speech, count


def fix_syllable(syllable: str) -> str | None:
    """Spell a syllable as the symbol table does; None where it has no sound there."""
    base, tone = syllable[:-1].replace("ü", "v"), syllable[-1]
    fixed = SPELLINGS.get(base, base) + tone
    try:
        pinyin_symbols(fixed)
    except KeyError:
        return None
    return fixed


def character_readings() -> dict[str, str]:
    """The usual reading of every character of the basic plane."""
    readings = {}
    for code, marked in PINYIN_DICT.items():
        candidates = (fix_syllable(to_tone3(one, neutral_tone_with_five=True)) for one in marked.split(","))
        found = next((one for one in candidates if one), None)
        if found and HAN_WORD.match(chr(code)):
            readings[chr(code)] = found
    return readings


def teach_overrides(added: Overrides) -> None:
    """Let pypinyin read words that contain one of ours as ours."""
    load_single_dict(
        {ord(word): to_tone(reading[0]) for word, (reading, _, _) in added.items() if len(word) == 1}
    )
    longer = {word: reading for word, (reading, _, _) in added.items() if len(word) > 1}
    load_phrases_dict(
        {word: [[to_tone(syllable)] for syllable in reading] for word, reading in longer.items()}
    )


def with_neutral_tones(word: str, reading: tuple[str, ...], added: Overrides) -> tuple[str, ...]:
    """Take over neutral tones of ours where the word starts or ends with one of our words: 小朋友, 朋友圈."""
    changed = list(reading)
    for length in range(2, len(word)):
        for first in (0, len(word) - length):
            ours = added.get(word[first : first + length], ((), "", 0))[0]
            for index, syllable in enumerate(ours, first):
                if syllable == reading[index][:-1] + "5":
                    changed[index] = syllable
    return tuple(changed)


def word_reading(word: str) -> tuple[str, ...] | None:
    """Reading of a word before tone sandhi, or None where pypinyin has none."""
    syllables = [fix_syllable(s) for s in lazy_pinyin(word, style=Style.TONE3, neutral_tone_with_five=True)]
    if len(syllables) != len(word) or None in syllables:
        return None
    plain = {"一": ("yi2", "yi4"), "不": ("bu2",)}
    base = {"一": "yi1", "不": "bu4"}
    return tuple(
        base[character] if syllable in plain.get(character, ()) else syllable or ""
        for character, syllable in zip(word, syllables, strict=True)
    )


def read_counts(path: Path) -> dict[str, tuple[int, str]]:
    """Count and part of speech of each word of jieba's list."""
    counts = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        word, count, tag = line.split()
        if HAN_WORD.match(word):
            part = "N" if tag.startswith("nr") else PARTS.get(tag[0], "n")
            counts[word] = (int(count), part)
    return counts


def read_overrides(path: Path) -> tuple[Overrides, list[tuple[str, str, str]], set[str]]:
    """Our own readings, described at the top of the file.

    Returns:
        words with reading, part of speech and count; (character, syllable, word) triples; dropped words.

    Raises:
        ValueError: a line does not fit its word, or two lines contradict each other.
    """
    added: Overrides = {}
    inside: list[tuple[str, str, str]] = []
    dropped: set[str] = set()
    for line in path.read_text(encoding="utf-8").splitlines():
        first, *fields = line.split("#")[0].split() or [""]
        if first.startswith("-"):
            dropped.update(field.removeprefix("-") for field in (first, *fields))
        elif first.startswith("="):
            inside.extend((first[1], fields[0], word) for word in fields[1:])
        elif first:
            options = dict(field.split("=") for field in fields if "=" in field)
            reading = tuple(field for field in fields if "=" not in field)
            if first in added or len(reading) != len(first):
                raise ValueError(f"{path}: {line!r} comes twice or has not one syllable per character")
            added[first] = (reading, options.get("pos", ""), int(options.get("count", "0")))
    return added, inside, dropped


def add_characters(added: Overrides, inside: list[tuple[str, str, str]]) -> None:
    """Complete the words of ``=`` lines with pypinyin's readings of their other characters."""
    for character, syllable, word in inside:
        reading, part, count = added.get(word, (word_reading(word), "", 0))
        if reading is None or character not in word:
            raise ValueError(f"{word!r}: {character!r} is not in it, or pypinyin cannot read it")
        changed = tuple(syllable if c == character else old for c, old in zip(word, reading, strict=True))
        added[word] = (changed, part, count)


def by_pattern(word: str, reading: tuple[str, ...], part: str) -> tuple[str, ...]:
    """Readings that follow from the shape of a word: 看得见, 静静地, 第三卷, 曾庆红."""
    if len(word) == 3 and word[1] == "得" and word[0] not in "不获所难应既取只":
        return reading[0], "de5", reading[2]
    if len(word) == 3 and word[0] == word[1] and word[2] == "地":
        return reading[0], reading[1], "de5"
    if word.startswith("第") and word.endswith("卷"):
        return (*reading[:-1], "juan4")
    if part == "N" and 2 <= len(word) <= 3 and word[0] in SURNAMES:
        return (SURNAMES[word[0]], *reading[1:])
    return reading


def build(words_path: Path, overrides_path: Path, second_path: Path) -> Words:
    """All entries, prefixes included."""
    counts = read_counts(words_path)
    added, inside, dropped = read_overrides(overrides_path)
    teach_overrides(added)
    add_characters(added, inside)
    teach_overrides(added)
    characters = character_readings()
    characters.update({word: reading[0] for word, (reading, _, _) in added.items() if len(word) == 1})
    for word, reading in results_of_verbs(counts, characters).items():
        if word not in counts:
            added.setdefault(word, (reading, "v", RESULT_COUNT))
    total = sum(count for count, _ in counts.values())

    def entry(word: str, reading: tuple[str, ...] | None) -> Entry:
        count, part = counts.get(word, (UNCOUNTED, "n" if len(word) < 4 else "i"))
        if DIGIT_WITH_UNIT.fullmatch(word):
            count, part = max(count, 5000), "m"
        if len(word) == 2 and word[0] == word[1] and word[0] in SOFTENED:
            part = "v"  # 问问
        _, own_part, own_count = added.get(word, ((), "", 0))
        cost = round(COST_STEPS * math.log(total / (own_count or max(count, 1))))
        usual = tuple(characters[c] for c in word) if len(word) > 1 else ()
        is_listed = len(word) == 1 or reading != usual or word in PHRASES_DICT
        trust = OWN if word in added else LISTED if is_listed else GUESSED
        return Entry(cost, own_part or part, len(word), None if reading == usual else reading, trust)

    entries = {character: entry(character, (reading,)) for character, reading in characters.items()}
    known = {word for word, (count, _) in counts.items() if count >= MIN_COUNT}
    known |= {digit + unit for digit in "一二两三四五六七八九" for unit in "十百千万亿"}
    for word in sorted((known | set(PHRASES_DICT) | set(added)) - dropped):
        if NUMERAL.fullmatch(word) and not (DIGIT_WITH_UNIT.fullmatch(word) or word in added):
            continue
        if len(word) < 2 or not HAN_WORD.match(word) or not all(c in characters for c in word):
            continue
        found = word_reading(word) if word not in added else added[word][0]
        if found and word not in added:
            found = by_pattern(word, with_neutral_tones(word, found, added), counts.get(word, (0, ""))[1])
        made = entry(word, found)
        # An idiom that is read as its characters are needs no line; segmentation does not depend on it.
        if word in known or word in added or made.reading:
            entries[word] = made
    second = read_second_list(second_path, fix_syllable)
    entries = with_disputes(entries, second, characters.__getitem__)
    return with_votes(with_prefixes(entries), votes(entries, second, PolyphoneModel()))


def with_prefixes(entries: Words) -> Words:
    """Give the first two characters of every longer word a line that says how far to look."""
    longest: dict[str, int] = {}
    for word in entries:
        if len(word) > 2:
            longest[word[:2]] = max(longest.get(word[:2], 2), len(word))
    for pair, length in longest.items():
        known = entries.get(pair, Entry(0, "-", 2, None, GUESSED))
        entries[pair] = replace(known, longest=length)
    return entries


def results_of_verbs(
    counts: dict[str, tuple[int, str]], characters: dict[str, str]
) -> dict[str, tuple[str, ...]]:
    """Verbs of one character with 得 and a result, and how they are read: 听得到, 跑得了."""
    verbs = [w for w, (n, tag) in counts.items() if len(w) == 1 and tag == "v" and n >= MIN_VERB_COUNT]
    return {
        f"{verb}得{result}": (
            characters[verb],
            "de5",
            *(reading if reading[-1].isdigit() else characters[c] for c in result),
        )
        for verb in verbs
        if verb not in NO_RESULT and verb in characters
        for result, reading in RESULTS.items()
    }


def simplified_characters(path: Path) -> dict[str, str]:
    """Traditional characters and the simplified one that each stands for, where it is another one."""
    pairs = (line.split("\t") for line in path.read_text(encoding="utf-8").splitlines())
    choices = {traditional: simplified.split()[0] for traditional, simplified in pairs}
    return {
        t: s
        for t, s in choices.items()
        if t != s and t not in NOT_TRADITIONAL and HAN_WORD.match(t) and HAN_WORD.match(s)
    }


def main() -> None:
    """Write both files and say how large they are."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--words", type=Path, required=True, help="dict.txt of jieba 0.42.1")
    parser.add_argument("--characters", type=Path, required=True, help="TSCharacters.txt of OpenCC")
    parser.add_argument("--second", type=Path, required=True, help="complete.json of @pinyin-pro/data")
    arguments = parser.parse_args()
    entries = build(arguments.words, DATA_PATH.with_name("zh_overrides.txt"), arguments.second)
    blob = pack_entries(entries)
    DATA_PATH.write_bytes(blob)
    pairs = simplified_characters(arguments.characters)
    traditional = DATA_PATH.with_name("zh_traditional.txt")
    traditional.write_text("".join(pairs) + "\n" + "".join(pairs.values()) + "\n", encoding="utf-8")
    print(f"{DATA_PATH}: {len(entries)} entries, {len(blob)} bytes; {traditional}: {len(pairs)} characters")


if __name__ == "__main__":
    main()
