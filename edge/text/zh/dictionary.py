"""The packed Chinese word list: frequencies, parts of speech and readings, searched without loading it."""

from __future__ import annotations

import math
import mmap
import struct
import zlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from ..symbols import DATA

DATA_PATH = DATA / "zh_dictionary.bin"
MAGIC = b"ZHDICT02"
MAX_WORD = 8  # characters
COST_STEPS = 4  # a cost byte counts quarters of a natural logarithm
# The reading is that of each character alone, of a list of words, of our own list, of a disputed list.
GUESSED, LISTED, OWN, DISPUTED = 0, 1, 2, 3
_TRUST_MARKS = ("", "=", "!", "?")
MOST_VOTED = 4  # characters of a word that votes for a reading
UNKNOWN_COST = 19 * COST_STEPS  # a character the list lacks; the rarest listed word costs 18 * COST_STEPS
_PARTICLE_COST = 8  # of 地 behind an adverb, where it is no noun's first character
_MANNERS = "adizvm"
_HEADER = struct.Struct("<8sI")
_ZERO = 33  # costs and lengths are stored as printable ASCII from "!" on


@dataclass(frozen=True)
class Entry:
    """What the list knows of a word."""

    cost: int
    """-log probability in quarters."""
    pos: str
    """Part of speech, one letter of jieba's: n v a d m q r p c u t s f i z y e o; N for names of persons, -
    for a mere prefix or a word that only votes for a reading.
    """
    longest: int
    """Length of the longest listed word with the same first two characters."""
    reading: tuple[str, ...] | None
    """Pinyin with tone digits, or None where each character has its usual reading."""
    trust: int = 1
    """How sure the reading is, one of ``GUESSED``, ``LISTED``, ``OWN`` and ``DISPUTED``."""


def pack_entries(entries: Mapping[str, Entry]) -> bytes:
    """Write entries as lines of text in hash buckets.

    Layout: magic, number of buckets n, n + 1 uint32 offsets; then for each bucket lines of ``word TAB cost
    pos longest reading trust``, cost and length as one printable character each, spaces between the
    syllables; trust is ``!`` for a word of our own list, ``=`` for a listed word of usual readings, ``?`` for
    one that the lists dispute.
    """
    n_buckets = max(1, len(entries) // 4)
    buckets: list[list[bytes]] = [[] for _ in range(n_buckets)]
    for word in sorted(entries):
        entry = entries[word]
        reading = " ".join(entry.reading or ())
        mark = "" if reading and entry.trust == LISTED else _TRUST_MARKS[entry.trust]
        fields = chr(_ZERO + entry.cost) + entry.pos + chr(_ZERO + entry.longest) + reading + mark
        key = word.encode()
        buckets[zlib.crc32(key) % n_buckets].append(b"\n" + key + b"\t" + fields.encode("ascii"))
    blobs = [b"".join(bucket) + b"\n" for bucket in buckets]
    offsets = [0]
    for blob in blobs:
        offsets.append(offsets[-1] + len(blob))
    return _HEADER.pack(MAGIC, n_buckets) + struct.pack(f"<{n_buckets + 1}I", *offsets) + b"".join(blobs)


class _WordList:
    """The file as it is."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._blob = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        magic, self._n_buckets = _HEADER.unpack_from(self._blob)
        if magic != MAGIC:
            raise ValueError(f"{path} starts with {magic!r}, expected {MAGIC!r}; build it again")
        self._data_start = _HEADER.size + 4 * (self._n_buckets + 1)

    def find(self, word: str) -> Entry | None:
        """The entry of a word, or None."""
        key = word.encode()
        at = _HEADER.size + 4 * (zlib.crc32(key) % self._n_buckets)
        first, last = struct.unpack_from("<2I", self._blob, at)
        first, last = first + self._data_start, last + self._data_start
        found = self._blob.find(b"\n" + key + b"\t", first, last)
        if found < 0:
            return None
        begin = found + len(key) + 2
        fields = self._blob[begin : self._blob.find(b"\n", begin, last)].decode("ascii")
        reading = fields[3:].rstrip("=!?")
        listed = LISTED if len(fields) > 3 else GUESSED
        trust = {"!": OWN, "?": DISPUTED}.get(fields[3:][-1:], listed)
        return Entry(
            ord(fields[0]) - _ZERO, fields[1], ord(fields[2]) - _ZERO, tuple(reading.split()) or None, trust
        )


class ChineseDictionary:
    """Finds words and cuts text into the most probable sequence of them."""

    def __init__(self, path: Path = DATA_PATH) -> None:
        # Not a method of this object: a cache that holds its owner is a circle, which is freed late or never.
        self.get = lru_cache(maxsize=8192)(_WordList(path).find)
        """Gives the entry of a word, or None; keeps answers."""

    def is_word(self, word: str) -> bool:
        """Whether the list holds this as a word of its own."""
        entry = self.get(word)
        return entry is not None and entry.pos != "-"

    def vote(self, text: str, place: int) -> str:
        """The reading that a longer word around a character has, which the line is not cut into; or empty."""
        for length in range(MOST_VOTED, 1, -1):
            for start in range(max(0, place - length + 1), min(place, len(text) - length) + 1):
                entry = self.get(text[start : start + length])
                if entry is not None and entry.pos == "-" and entry.reading:
                    return entry.reading[place - start]
        return ""

    def segment(self, text: str, fixed: Collection[str] = ()) -> list[str]:
        """Cut a run of Han characters into words.

        Args:
            text: Han characters only.
            fixed: words that are kept whole wherever they occur.
        """
        lengths = sorted({len(word) for word in fixed}, reverse=True)
        best = [0.0] + [math.inf] * len(text)
        back = [0] * (len(text) + 1)
        for start in range(len(text)):
            base = best[start]
            if text[start] == "地" and self._is_particle(text, back[start], start):
                best[start + 1], back[start + 1] = base + _PARTICLE_COST, start
            for end, cost in self._candidates(text, start, fixed, lengths):
                if base + cost < best[end]:
                    best[end], back[end] = base + cost, start
        return _trace(text, back)

    def _is_particle(self, text: str, before: int, start: int) -> bool:
        """Whether 地 may end an adverb: 愤怒|地|质问, 飞快|地|上了车; not in 危险|地区."""
        entry = self.get(text[before:start]) if start - before > 1 else None
        if entry is None or entry.pos not in _MANNERS:
            return False
        return self.is_word(text[start + 1 : start + 3]) or text[start + 2 : start + 3] in ("着", "了", "过")

    def _candidates(
        self, text: str, start: int, fixed: Collection[str], lengths: Iterable[int]
    ) -> Iterable[tuple[int, float]]:
        for length in lengths:
            if text[start : start + length] in fixed:
                # Cheaper than any path through the list: a word of the show's lexicon is never split.
                yield start + length, -1000.0 * length
        single = self.get(text[start])
        yield start + 1, single.cost if single else UNKNOWN_COST
        pair = self.get(text[start : start + 2])
        if pair is None or start + 2 > len(text):
            return
        if pair.pos != "-":
            yield start + 2, pair.cost
        for end in range(start + 3, min(start + pair.longest, len(text)) + 1):
            entry = self.get(text[start:end])
            if entry is not None and entry.pos != "-":
                yield end, entry.cost


def _trace(text: str, back: list[int]) -> list[str]:
    words = []
    end = len(text)
    while end:
        words.append(text[back[end] : end])
        end = back[end]
    return words[::-1]
