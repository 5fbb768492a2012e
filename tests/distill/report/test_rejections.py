"""Rejections counted and listed."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="the report is made where training is")

from distill.gate.fault import REASONS as GATE_REASONS
from distill.report.files import Rejection
from distill.report.rejections import LISTED, REASONS, by_reason, listed


def rejection(line: str, reason: str, attempt: int = 0, lost: bool = False) -> Rejection:
    return Rejection(
        id=line, text="text", character="noah", language="en", emotion="sad",
        attempt=attempt, reason=reason, lost=lost,
    )  # fmt: skip


FOUND = [
    rejection("1", "loop"),
    rejection("2", "words", 0, lost=True),
    rejection("2", "words", 1, lost=True),
    rejection("3", "words"),
]


def test_renderings_and_lines_are_counted_apart() -> None:
    words, loop = by_reason(FOUND)
    assert (words.reason, words.attempts, words.lines, words.recovered, words.lost) == ("words", 3, 2, 1, 1)
    assert (loop.reason, loop.attempts, loop.lines, loop.recovered, loop.lost) == ("loop", 1, 1, 1, 0)


def test_lost_lines_are_listed_first_and_the_list_ends() -> None:
    assert [found.id for found in listed(FOUND)] == ["2", "2", "1", "3"]
    assert len(listed(FOUND * 100)) == LISTED


def test_every_reason_of_the_gate_is_explained() -> None:
    assert set(GATE_REASONS) <= set(REASONS)
