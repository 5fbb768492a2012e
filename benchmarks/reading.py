"""Lines that the tests know of, by kind: how many are read as asked.

    python -m benchmarks.reading

Writes ``benchmarks/results/reading.json``: for the complaints of public issue trackers and for the further
lines, ``right`` and ``tried`` of each kind, and every line that is read otherwise; and by language what
reading a line of 20 characters costs.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from tests.edge.text.test_complaints import KANJI_ALONE, complaints, is_right
from tests.edge.text.test_further_lines import lines_by_kind

from .reading_cost import cost

# Kinds whose lines the models read.
COSTED = {
    "zh": ("Chinese characters of several readings", "地 and 得"),
    "en": ("English homographs",),
    "ja": ("kanji, for a voice of Japanese",),
}
RESULT = Path(__file__).parent / "results" / "reading.json"


def further_lines() -> Iterator[tuple[str, str, str]]:
    """Kind, line and what must be heard."""
    for kind, lines in lines_by_kind().items():
        for text, sounds in lines:
            yield kind, text, sounds


def texts_of(kinds: tuple[str, ...]) -> Iterator[str]:
    """Further lines of some kinds."""
    return (text for kind, text, _ in further_lines() if kind in kinds)


def measure(lines: Iterator[tuple[str, str, str]]) -> dict[str, object]:
    """Right and tried of each kind and in all, and the lines that are read otherwise."""
    kinds: dict[str, list[int]] = {}
    missed = []
    for kind, text, sounds in lines:
        voice = KANJI_ALONE if kind.endswith("for a voice of Japanese") else kind
        is_read = is_right(voice, text, sounds)
        pair = kinds.setdefault(kind, [0, 0])
        pair[0] += is_read
        pair[1] += 1
        if not is_read:
            missed.append(f"{kind}: {text}")
    right, tried = (sum(pair[place] for pair in kinds.values()) for place in (0, 1))
    by_kind = {kind: f"{pair[0]}/{pair[1]}" for kind, pair in kinds.items()}
    return {"right": right, "tried": tried, "kinds": by_kind, "missed": missed}


def main() -> None:
    """Write the result."""
    result = {
        "complaints": measure((kind, text, sounds) for kind, text, sounds, _ in complaints()),
        "further_lines": measure(further_lines()),
    }
    costs = cost({language: list(texts_of(kinds)) for language, kinds in COSTED.items()})
    RESULT.write_text(
        json.dumps({**result, "cost": costs}, indent=1, ensure_ascii=False) + "\n", encoding="utf-8"
    )
    for name, part in result.items():
        print(f"{name}: {part['right']} of {part['tried']}")
    for language, figures in costs.items():
        print(f"{language}: {figures['median_ms']} ms per line of 20 characters, 95 % {figures['p95_ms']} ms")


if __name__ == "__main__":
    main()
