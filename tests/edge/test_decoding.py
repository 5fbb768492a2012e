"""Windows and threads: a short start, equal shares, no crumbs, and nobody idle."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edge.decoding import EncodedPhrase, LineDecoder, PhraseInLine, plan_windows
from edge.frames import Frames
from edge.prosody import plan_frames
from edge.spec import F0_POINTS, FRAME_OUTPUTS, HOP_LENGTH


@pytest.mark.parametrize("n_frames", [1, 15, 16, 24, 25, 60, 111, 400, 5000])
@pytest.mark.parametrize("first", [0, 16])
@pytest.mark.parametrize("workers", [1, 2, 4])
def test_windows_cover_the_phrase_in_order(n_frames: int, first: int, workers: int) -> None:
    spans = plan_windows(n_frames, first, 256, workers)
    assert [start for start, _ in spans] == [0, *(stop for _, stop in spans[:-1])]
    assert spans[-1][1] == n_frames
    assert all(0 < stop - start <= 256 for start, stop in spans)


def test_first_window_is_short_and_the_rest_is_shared() -> None:
    assert plan_windows(300, 16, 256, 2) == [(0, 16), (16, 158), (158, 300)]
    assert plan_windows(200, 16, 256, 1) == [(0, 16), (16, 200)]


def test_a_little_rest_joins_the_first_window() -> None:
    assert plan_windows(24, 16, 256, 2) == [(0, 24)]
    assert plan_windows(60, 16, 256, 2) == [(0, 16), (16, 60)]


def test_without_a_first_window_short_phrases_stay_whole() -> None:
    assert plan_windows(90, 0, 256, 2) == [(0, 90)]
    assert plan_windows(100, 0, 256, 2) == [(0, 50), (50, 100)]


def phrase(n_symbols: int) -> PhraseInLine:
    """A phrase of 10 frames a symbol."""
    durations, f0 = np.full(n_symbols, 10.0, np.float32), np.full((n_symbols, F0_POINTS), 5.3, np.float32)
    sounded = np.ones(n_symbols, np.bool_)
    plan = plan_frames(durations, f0, np.zeros(n_symbols, np.float32), sounded)
    return PhraseInLine(lambda: EncodedPhrase(plan, np.zeros((1, plan.n_frames, 4), np.float32)))


def silent(hidden: np.ndarray) -> Frames:
    return Frames.of(np.zeros((hidden.shape[1], FRAME_OUTPUTS), np.float32))


def decoder(decode: Any, threads: int) -> LineDecoder:
    return LineDecoder(SimpleNamespace(concurrency=threads, window_factor=1, decode=decode), 2, 256)  # type: ignore[arg-type]


@pytest.mark.parametrize("first", [0, 8])
def test_a_phrase_is_told_of_while_other_threads_decode_it(first: int) -> None:
    go = threading.Event()

    def decode(hidden: np.ndarray, features: np.ndarray) -> Frames:
        assert threading.current_thread() is threading.main_thread() or go.wait(timeout=30)
        return silent(hidden)

    windows = decoder(decode, 2)
    pieces = windows.sound([phrase(20)], first, lambda: False)
    if first:
        assert next(pieces)[1].size
    index, samples = next(pieces)  # nothing can be decoded yet
    assert (index, samples.size) == (0, 0)
    go.set()
    n_first = first * HOP_LENGTH - HOP_LENGTH // 2 if first else 0
    assert sum(samples.size for _, samples in pieces) == 200 * HOP_LENGTH - n_first
    windows.close()


def test_one_thread_decodes_by_itself() -> None:
    windows = decoder(lambda hidden, _: silent(hidden), 1)
    pieces = list(windows.sound([phrase(20), phrase(10)], 0, lambda: False))
    assert [index for index, _ in pieces] == [0, 1]
    assert [samples.size for _, samples in pieces] == [200 * HOP_LENGTH, 100 * HOP_LENGTH]
