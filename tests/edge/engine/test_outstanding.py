from __future__ import annotations

import numpy as np
import pytest

from edge.audio import AudioChunk, Mark
from edge.engine.base import LineChunk, LineReady
from edge.engine.outstanding import Delivered
from edge.lipsync.timeline import Timeline
from edge.spec import SAMPLE_RATE

READY = LineReady("a", 1, ())


def chunk(start: int, stop: int, timeline: bool = False, *marks: int) -> LineChunk:
    samples = np.arange(start, stop, dtype=np.int16)
    found = tuple(Mark(f"m{sample}", sample) for sample in marks)
    return LineChunk(
        "a", AudioChunk(samples, SAMPLE_RATE, start, False, Timeline() if timeline else None, found)
    )


def spans(delivered: Delivered, *messages: LineChunk) -> list[tuple[int, int]]:
    fresh = [delivered.fresh(message) for message in messages]
    chunks = [message.chunk for message in fresh if isinstance(message, LineChunk)]
    for each in chunks:
        assert np.array_equal(each.samples, np.arange(each.start, each.start + len(each.samples)))
    return [(each.start, each.start + len(each.samples)) for each in chunks]


def test_a_second_try_gives_only_what_the_first_did_not() -> None:
    delivered = Delivered()
    assert delivered.fresh(READY) is READY
    assert spans(delivered, chunk(0, 5), chunk(5, 9)) == [(0, 5), (5, 9)]
    delivered.again()
    assert delivered.fresh(READY) is None
    assert spans(delivered, chunk(0, 5), chunk(5, 9), chunk(9, 12)) == [(9, 12)]


def test_a_try_that_dies_earlier_than_the_one_before_gives_nothing_twice() -> None:
    delivered = Delivered()
    spans(delivered, chunk(0, 5), chunk(5, 9))
    delivered.again()
    assert spans(delivered, chunk(0, 5)) == []
    delivered.again()
    assert spans(delivered, chunk(0, 5), chunk(5, 9), chunk(9, 10)) == [(9, 10)]


def test_a_chunk_without_sound_is_given_once() -> None:
    delivered = Delivered()
    assert spans(delivered, chunk(0, 5), chunk(5, 5)) == [(0, 5), (5, 5)]
    delivered.again()
    assert spans(delivered, chunk(0, 5), chunk(5, 5), chunk(5, 7)) == [(5, 7)]
    delivered = Delivered()
    spans(delivered, chunk(0, 5))
    delivered.again()
    assert spans(delivered, chunk(0, 5), chunk(5, 5)) == [(5, 5)]


def test_chunks_cut_elsewhere_are_continued_to_the_sample() -> None:
    delivered = Delivered()
    spans(delivered, chunk(0, 5, True))
    delivered.again()
    message = delivered.fresh(chunk(0, 8, True, 2, 5, 7))
    assert isinstance(message, LineChunk)
    assert (message.chunk.start, len(message.chunk.samples), message.chunk.timeline) == (5, 3, None)
    assert [mark.sample for mark in message.chunk.marks] == [5, 7]


def test_a_gap_is_a_fault() -> None:
    delivered = Delivered()
    spans(delivered, chunk(0, 5))
    with pytest.raises(ValueError, match="follows 5 samples"):
        delivered.fresh(chunk(6, 8))
