"""List Chinese words that a Japanese line does not have: edge/text/data/zh_only_words.txt.

    python -m distill.dictionaries.chinese_only

Sources: the words of ``zh_dictionary.bin`` whose characters all have a place in Japanese character sets, and
Open JTalk's dictionary (pyopenjtalk-plus, modified BSD), in which such a word is not one word. They tell
今天 from 今日 where kana stands in the same line.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

from edge.text.symbols import DATA
from edge.text.zh.dictionary import COST_STEPS, DATA_PATH, ChineseDictionary

RESULT = DATA / "zh_only_words.txt"
MAX_COST = 13.5 * COST_STEPS  # about 80 times in 60 million words
PARTS = "vadrpctyz"  # nouns are too often put together alike: 参加者, 中日
NOTE = (
    "# Chinese words whose characters are all used in Japan and that are no word there. Made by\n"
    "# distill/dictionaries/chinese_only.py from zh_dictionary.bin and Open JTalk's dictionary.\n"
)


def chinese_words(path: Path = DATA_PATH) -> Iterator[str]:
    """Frequent words of two characters that could be written in Japanese too."""
    dictionary = ChineseDictionary(path)
    for line in path.read_bytes().split(b"\n"):
        word = line.partition(b"\t")[0].decode("utf-8", "ignore")
        entry = dictionary.get(word) if len(word) == 2 else None
        if entry and entry.pos in PARTS and entry.cost <= MAX_COST and _is_encoded(word):
            yield word


def _is_encoded(word: str) -> bool:
    try:
        word.encode("cp932")
    except UnicodeEncodeError:
        return False
    return True


def is_japanese(word: str) -> bool:
    """Whether Open JTalk has it as one word that is no name of a person, or as a number."""
    morphemes = import_module("pyopenjtalk").run_frontend(word, use_sudachi_kanji_yomi=False)
    if any(morpheme["pos_group1"] == "数" for morpheme in morphemes):
        return True
    return len(morphemes) == 1 and morphemes[0]["pos_group2"] != "人名"


def main() -> None:
    """Write the list."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    words = sorted(word for word in set(chinese_words()) if not is_japanese(word))
    RESULT.write_text(NOTE + " ".join(words) + "\n", encoding="utf-8")
    print(f"{RESULT}: {len(words)} words")


if __name__ == "__main__":
    main()
