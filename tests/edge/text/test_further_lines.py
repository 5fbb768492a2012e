"""Lines of every kind of writing that a language model has, beside those of the complaints."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path

import pytest

from .test_complaints import KANJI_ALONE, is_right

LINES = Path(__file__).parent / "data" / "further_lines.txt"


def lines_by_kind() -> dict[str, list[tuple[str, str]]]:
    """Each kind's lines, and what must be heard."""
    kinds: dict[str, list[tuple[str, str]]] = defaultdict(list)
    kind = ""
    for line in LINES.read_text(encoding="utf-8").partition("\n\n")[2].splitlines():
        if line.startswith("=== "):
            kind = line.removeprefix("=== ")
        elif line:
            text, _, sounds = line.rpartition(" = ")
            kinds[kind].append((text.replace("\\n", "\n"), sounds))
    return kinds


@pytest.mark.parametrize("kind", lines_by_kind())
def test_kind(kind: str) -> None:
    voice = KANJI_ALONE if kind.endswith("for a voice of Japanese") else kind
    wrong = [text for text, sounds in lines_by_kind()[kind] if not is_right(voice, text, sounds)]
    assert wrong == []
