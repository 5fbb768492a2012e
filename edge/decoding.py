"""Encoded phrase to samples: windows of the decoder and the head, on as many threads as the runner allows."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice, pairwise

import numpy as np
from numpy.typing import NDArray

from .errors import RunnerError
from .head import OverlapAdd, PhraseHead, Workspace
from .prosody import FramePlan
from .runners import Runner
from .watermark.pattern import FrameMark

Float32 = NDArray[np.float32]
Span = tuple[int, int]

MIN_SHARE = 48  # frames; a smaller share pays more for the decoder's context than a second thread gains


@dataclass(frozen=True)
class EncodedPhrase:
    """A phrase after the encoder."""

    plan: FramePlan
    """Its frames."""
    hidden: Float32
    """(1, T, D), first input of the decoder."""


class WindowDecoder:
    """Decodes and sounds windows of a phrase.

    Each window is decoded with as much context as the decoder sees, so windows do not depend on each other
    and can be computed at the same time. On two cores that is faster than two threads inside the inference
    library, which wait for each other after every layer and burn processor time while they do.
    """

    def __init__(self, runner: Runner, context: int) -> None:
        """Prepare the threads.

        Args:
            runner: decodes up to ``runner.concurrency`` windows at a time.
            context: frames on either side that one decoded frame depends on.
        """
        self.workers = runner.concurrency
        self._runner = runner
        self._context = context
        self._local = threading.local()
        self._pool = ThreadPoolExecutor(self.workers, "window") if self.workers > 1 else None

    def close(self) -> None:
        """Let the threads go."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def sound(
        self,
        phrase: EncodedPhrase,
        spans: list[Span],
        cancelled: Callable[[], bool],
        *,
        first_alone: bool = False,
        mark: FrameMark | None = None,
    ) -> Iterator[Float32]:
        """Samples of successive windows, all together T * 512 of them.

        Args:
            phrase: from the encoder.
            spans: cover the phrase in order.
            cancelled: asked before each window; once True, nothing more comes.
            first_alone: compute nothing beside the first window, because somebody waits for it.
            mark: inaudible mark of the phrase.

        Raises:
            RunnerError: the decoder failed or gave NaN.
        """
        head = PhraseHead(phrase.plan.f0_edges, mark)
        join = OverlapAdd(phrase.plan.n_frames)
        for rows in self._ordered(lambda span: self._rows(phrase, head, span), spans, cancelled, first_alone):
            samples = join.add(rows)
            if not np.isfinite(samples.sum()):
                raise RunnerError(
                    "the decoder gave NaN or infinity: the network or its quantization is broken"
                )
            yield samples

    def _ordered(
        self,
        compute: Callable[[Span], Float32],
        spans: list[Span],
        cancelled: Callable[[], bool],
        first_alone: bool,
    ) -> Iterator[Float32]:
        """Rows of each span in order, with up to ``workers`` spans in progress; the first in this thread."""
        waiting: deque[Future[Float32]] = deque()
        later = iter(spans[1:])
        try:
            for index, span in enumerate(spans):
                if cancelled():
                    return
                if self._pool is not None and (index or not first_alone):
                    free = self.workers - len(waiting) - (index == 0)
                    waiting.extend(self._pool.submit(compute, next_one) for next_one in islice(later, free))
                yield waiting.popleft().result() if index and waiting else compute(span)
        finally:
            for future in waiting:
                future.cancel()

    def _rows(self, phrase: EncodedPhrase, head: PhraseHead, span: Span) -> Float32:
        """Decode one window with its context and sound it."""
        (start, stop), n_frames = span, phrase.plan.n_frames
        context = self._context + 1  # the head reads the gains of a neighbour on either side
        low, high = max(start - context, 0), min(stop + context, n_frames)
        frames = self._runner.decode(phrase.hidden[:, low:high], phrase.plan.features[:, low:high])
        return head.rows(frames, low, start, stop, self._workspace())

    def _workspace(self) -> Workspace:
        if not hasattr(self._local, "workspace"):
            self._local.workspace = Workspace()
        workspace: Workspace = self._local.workspace
        return workspace


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
