"""How many frames of a phrase to decode at a time."""

from __future__ import annotations

from itertools import pairwise

MIN_SHARE = 48  # frames; a smaller share pays more for the decoder's context than a second thread gains


def plan_windows(n_frames: int, first: int, largest: int, workers: int) -> list[tuple[int, int]]:
    """Cut a phrase into spans [start, stop) of frames.

    The first span is short for a quick first sound. What follows has a quarter of a second to be ready, ten
    times what it needs, so it is cut only to share it between threads or where it is long.

    Args:
        n_frames: of the phrase, at least 1.
        first: frames of the first span; 0 for none in particular.
        largest: frames that no span exceeds by much.
        workers: spans that can be decoded at the same time.
    """
    if n_frames <= first * 3 // 2:
        return [(0, n_frames)]
    rest = n_frames - first
    count = max(-(-rest // largest), min(workers, rest // MIN_SHARE), 1)
    edges = [first + rest * index // count for index in range(count + 1)]
    spans = list(pairwise(edges))
    return [(0, first), *spans] if first else spans
