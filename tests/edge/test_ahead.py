"""Work done ahead: order, limits, faults, giving up."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from edge.ahead import Ahead


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


def counting(first: int, n: int, log: list[int]) -> Callable[[], Iterator[int]]:
    def unit() -> Iterator[int]:
        for number in range(first, first + n):
            log.append(number)
            yield number

    return unit


@pytest.mark.parametrize("threads", [0, 2])
def test_pieces_come_in_the_order_of_their_units(pool: ThreadPoolExecutor, threads: int) -> None:
    units = [counting(10 * index, 5, []) for index in range(6)]
    ahead = Ahead(units, pool if threads else None, 3)
    assert [list(ahead.take()) for _ in units] == [
        list(range(10 * index, 10 * index + 5)) for index in range(6)
    ]


def test_without_a_pool_nothing_is_done_before_it_is_wanted() -> None:
    log: list[int] = []
    ahead = Ahead([counting(0, 2, log), counting(10, 2, log)], None, 3)
    ahead.begin()
    assert log == []
    pieces = ahead.take()
    assert next(pieces) == 0
    assert log == [0]


def test_no_more_units_are_begun_than_allowed(pool: ThreadPoolExecutor) -> None:
    asked: list[int] = []

    def units() -> Iterator[Callable[[], Iterator[int]]]:
        for index in range(10):
            asked.append(index)
            yield counting(index, 1, [])

    ahead = Ahead(units(), pool, 3)
    assert list(ahead.take()) == [0]
    assert asked == [0, 1, 2]
    assert list(ahead.take()) == [1]
    assert asked == [0, 1, 2, 3]


def test_a_fault_comes_behind_the_pieces_before_it(pool: ThreadPoolExecutor) -> None:
    def broken() -> Iterator[int]:
        yield 1
        raise ValueError("broken")

    pieces = Ahead([broken], pool, 3).take()
    assert next(pieces) == 1
    with pytest.raises(ValueError, match="broken"):
        next(pieces)


def test_what_is_given_up_ends_at_the_next_piece(pool: ThreadPoolExecutor) -> None:
    going, ended = threading.Event(), threading.Event()

    def endless() -> Iterator[int]:
        try:
            while True:
                going.set()
                yield 1
        finally:
            ended.set()

    ahead = Ahead([endless, endless, endless], pool, 3)
    assert next(ahead.take()) == 1
    assert going.wait(10)
    ahead.close()
    assert ended.wait(10)
