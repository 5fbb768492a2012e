"""Window plans: a short start, equal shares, no crumbs."""

from __future__ import annotations

import pytest

from edge.decoding import plan_windows


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
