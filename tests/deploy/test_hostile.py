"""Every hostile bundle and update is refused in its own line and changes nothing; the document says so."""

from __future__ import annotations

import re

import pytest

from .hostile import ATTACKS, BEGIN, DOCUMENT, END, Attack, mutations, outcome

TABLE = DOCUMENT.read_text("utf-8").split(BEGIN)[1].split(END)[0]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_refused_as_the_document_says(attack: Attack) -> None:
    line, changed = outcome(attack)
    assert line and "\n" not in line and not changed
    row = next(row for row in TABLE.splitlines() if row.startswith(f"| {attack.name} |"))
    assert numberless(line.replace("|", "/")) == numberless(row.split(" | ")[1])


def numberless(text: str) -> str:
    """Hashes depend on the versions of the libraries that wrote the test's files."""
    return re.sub(r"[0-9a-f]{8,}…?", "#", text)


def test_lines_tell_the_attacks_apart() -> None:
    lines = [row.split(" | ")[1] for row in TABLE.splitlines()[2:] if "|" in row]
    assert len(set(lines)) >= 0.8 * len(lines)


def test_random_changes_never_let_another_content_in() -> None:
    refused, same, wrong = mutations(150)
    assert not wrong and refused > 75 and refused + same == 150
