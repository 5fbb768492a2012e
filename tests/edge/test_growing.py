"""Sequences that are made while they are used."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from edge.growing import Growing


def test_items_are_made_when_they_are_asked_for() -> None:
    made: list[int] = []

    def items() -> Iterator[int]:
        for number in range(5):
            made.append(number)
            yield number

    growing = Growing(items())
    assert made == []
    assert growing.has(1)
    assert made == [0, 1]
    assert growing[0] == 0
    assert not growing.has(5)
    assert list(growing) == [0, 1, 2, 3, 4]
    assert len(growing) == 5
    with pytest.raises(IndexError):
        growing[5]


def test_an_error_comes_where_the_item_is_asked_for() -> None:
    def items() -> Iterator[int]:
        yield 1
        raise ValueError("no second one")

    growing = Growing(items())
    assert growing[0] == 1
    with pytest.raises(ValueError, match="second"):
        growing.has(1)
