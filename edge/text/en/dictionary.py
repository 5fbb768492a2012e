"""CMUdict as a sorted blob: no parsing at start, a binary search per word."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

from ..symbols import DATA

DATA_PATH = DATA / "en_dictionary.bin"
MAGIC = b"ENDICT01"
BLOCK_WORDS = 16  # words per block: the search compares 13 first words, then walks 8 on average

VOWELS = ("AA", "AE", "AH", "AO", "AW", "AY", "EH", "ER", "EY", "IH", "IY", "OW", "OY", "UH", "UW")
CONSONANTS = (
    "B", "CH", "D", "DH", "F", "G", "HH", "JH", "K", "L", "M", "N", "NG", "P", "R", "S", "SH", "T", "TH",
    "V", "W", "Y", "Z", "ZH",
)  # fmt: skip
PHONEMES = tuple(vowel + stress for vowel in VOWELS for stress in "012") + CONSONANTS
_HEADER = struct.Struct("<8sII")


def pack_entries(entries: Mapping[str, tuple[str, ...]]) -> bytes:
    """Write words and phonemes as front-coded blocks.

    Layout: magic, number of blocks, number of words; one uint32 offset per block (from the start of the
    data); then per word: length shared with the word before it in the block, length of the rest, number of
    phonemes (a byte each), the rest in ASCII, one byte per phoneme (index into ``PHONEMES``).
    """
    ids = {phoneme: index for index, phoneme in enumerate(PHONEMES)}
    words = sorted(entries, key=lambda word: word.encode("ascii"))
    offsets, data = [], bytearray()
    previous = ""
    for position, word in enumerate(words):
        if position % BLOCK_WORDS == 0:
            offsets.append(len(data))
            previous = ""
        shared = _shared_prefix(previous, word)
        rest = word[shared:].encode("ascii")
        data += bytes((shared, len(rest), len(entries[word]))) + rest
        data += bytes(ids[phoneme] for phoneme in entries[word])
        previous = word
    header = _HEADER.pack(MAGIC, len(offsets), len(words))
    return header + struct.pack(f"<{len(offsets)}I", *offsets) + bytes(data)


def _shared_prefix(a: str, b: str) -> int:
    """Number of leading characters that two words share."""
    count = 0
    for x, y in zip(a, b, strict=False):
        if x != y:
            break
        count += 1
    return count


class PronunciationDictionary:
    """Looks words up in the packed CMUdict."""

    def __init__(self, path: Path = DATA_PATH) -> None:
        blocks = _Blocks(path)
        self.n_words = blocks.n_words
        """In the dictionary."""
        self.get = lru_cache(maxsize=4096)(blocks.find)  # not of this object: a circle would never be freed
        """Gives the phonemes of a lower-case word, or None; keeps answers."""


class _Blocks:
    """The file as it is."""

    def __init__(self, path: Path) -> None:
        blob = path.read_bytes()
        magic, n_blocks, self.n_words = _HEADER.unpack_from(blob)
        if magic != MAGIC:
            raise ValueError(f"{path} starts with {magic!r}, expected {MAGIC!r}; build it again")
        data_start = _HEADER.size + 4 * n_blocks
        self._offsets = struct.unpack_from(f"<{n_blocks}I", blob, _HEADER.size)
        self._data = blob[data_start:]

    def find(self, word: str) -> tuple[str, ...] | None:
        """Phonemes of a lower-case word, or None."""
        try:
            key = word.encode("ascii")
        except UnicodeEncodeError:
            return None
        if not key or len(key) > 255:
            return None
        return self._scan(self._block_of(key), key)

    def _block_of(self, key: bytes) -> int:
        """Index of the last block whose first word is not after ``key``."""
        low, high = 0, len(self._offsets)
        data = self._data
        while high - low > 1:
            middle = (low + high) // 2
            offset = self._offsets[middle]
            if data[offset + 3 : offset + 3 + data[offset + 1]] <= key:
                low = middle
            else:
                high = middle
        return low

    def _scan(self, block: int, key: bytes) -> tuple[str, ...] | None:
        """Walk one block, rebuilding each word from the one before it."""
        data, position, word = self._data, self._offsets[block], b""
        for _ in range(BLOCK_WORDS):
            if position >= len(data):
                return None
            shared, rest, count = data[position : position + 3]
            begin = position + 3
            word = word[:shared] + data[begin : begin + rest]
            position = begin + rest + count
            if word == key:
                return tuple(PHONEMES[index] for index in data[begin + rest : position])
            if word > key:
                return None
        return None
