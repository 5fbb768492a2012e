"""Lines that the tests know of, by kind: how many are read as asked.

    python -m benchmarks.reading

Writes ``benchmarks/results/reading.json``: for the complaints of public issue trackers and for the further
lines, ``right`` and ``tried`` of each kind, and every line that is read otherwise.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from tests.edge.text.test_complaints import KANJI_ALONE, complaints, is_right
from tests.edge.text.test_further_lines import lines_by_kind

RESULT = Path(__file__).parent / "results" / "reading.json"


def further_lines() -> Iterator[tuple[str, str, str]]:
    """Kind, line and what must be heard."""
    for kind, lines in lines_by_kind().items():
        for text, sounds in lines:
            yield kind, text, sounds


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
    RESULT.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    for name, part in result.items():
        print(f"{name}: {part['right']} of {part['tried']}")


if __name__ == "__main__":
    main()
