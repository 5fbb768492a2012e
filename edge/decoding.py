"""Phrases to samples: encoder, windows of the decoder and head, on as many threads as the runner allows."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from .ahead import Ahead, Unit
from .errors import RunnerError
from .head import OverlapAdd, PhraseHead, Workspace
from .prosody import FramePlan
from .runners import Runner
from .spec import HOP_LENGTH
from .watermark.pattern import FrameMark

Float32 = NDArray[np.float32]
Span = tuple[int, int]

MIN_SHARE = 48  # frames; a smaller share pays more for the decoder's context than a second thread gains
LONGEST_START_S = 0.005  # of a thread that is free


@dataclass(frozen=True)
class EncodedPhrase:
    """A phrase after the encoder."""

    plan: FramePlan
    """Its frames."""
    hidden: Float32
    """(1, T, D), first input of the decoder."""


class PhraseInLine:
    """A phrase at its place in a line; encoded once, by whichever thread needs it first.

    Args:
        encode: runs the encoder; None for a phrase without sound.
        silence: samples in front of its sound.
        before: the phrase in front; None: it begins the line.
        marked: whether its sound carries the inaudible mark.
    """

    def __init__(
        self,
        encode: Callable[[], EncodedPhrase] | None,
        silence: int = 0,
        before: PhraseInLine | None = None,
        marked: bool = False,
    ) -> None:
        self.sounds = encode is not None
        self.silence = silence
        self._encode = encode
        self._before = before
        self._marked = marked
        self._lock = threading.RLock()
        self._encoded: EncodedPhrase | None = None
        self._head: PhraseHead | None = None
        self._end: int | None = None
        self._shares_begun = 0
        self._under_way = threading.Event()

    @property
    def encoded(self) -> EncodedPhrase:
        """After the encoder; only of a phrase that sounds."""
        with self._lock:
            if self._encoded is None:
                assert self._encode is not None
                self._encoded = self._encode()
            return self._encoded

    @property
    def n_frames(self) -> int:
        """Frames of its sound."""
        return self.encoded.plan.n_frames if self.sounds else 0

    @property
    def start(self) -> int:
        """Sample of the line at which its silence begins."""
        return self._before.end if self._before is not None else 0

    @property
    def end(self) -> int:
        """Sample of the line after its last; known when this and all phrases in front are encoded."""
        with self._lock:
            if self._end is None:
                self._end = self.start + self.silence + HOP_LENGTH * self.n_frames
            return self._end

    def begin(self, shares: int) -> None:
        """Note that one of so many threads begins to decode its share."""
        with self._lock:
            self._shares_begun += 1
            if self._shares_begun == shares:
                self._under_way.set()

    def wait_until_under_way(self, timeout_s: float) -> bool:
        """Wait for all the threads that decode it; False: they have not begun."""
        return self._under_way.wait(timeout_s)

    @property
    def head(self) -> PhraseHead:
        """Sounds its frames."""
        with self._lock:
            if self._head is None:
                edges = self.encoded.plan.f0_edges
                mark = FrameMark(self.start + self.silence) if self._marked else None
                self._head = PhraseHead(edges, mark)
            return self._head


class LineDecoder:
    """Sounds the phrases of a line, window by window.

    Each window is decoded with as much context as the decoder sees, so windows do not depend on each other
    and can be computed at the same time. Threads take whole phrases, the next ones ahead of the one that is
    heard; only the last phrase is shared between them. On two cores that is faster than two threads inside
    the inference library, which wait for each other after every layer and burn processor time while they do.
    """

    def __init__(self, runner: Runner, context: int, largest: int) -> None:
        """Prepare the threads.

        Args:
            runner: takes up to ``runner.concurrency`` calls at a time.
            context: frames on either side that one decoded frame depends on.
            largest: frames of a window; a runner may take several windows as one.
        """
        self.workers = runner.concurrency
        self._runner = runner
        self._context = context
        self._largest = largest * runner.window_factor
        self._n_lines = 0  # that are being sounded
        self._local = threading.local()
        self._pool = ThreadPoolExecutor(self.workers, "window") if self.workers > 1 else None

    def close(self) -> None:
        """Let the threads go."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def sound(
        self,
        phrases: Sequence[PhraseInLine],
        first: int,
        cancelled: Callable[[], bool],
        hold: bool = True,
        alone: bool = False,
    ) -> Iterator[tuple[int, Float32]]:
        """Samples of a line, with the index of the phrase to which they belong.

        Args:
            phrases: in order; one without sound gives one empty piece. So may one with sound, before the
                others, while other threads decode it.
            first: frames of the first window, computed in this thread and alone, because somebody waits for
                it; 0: nobody does.
            cancelled: asked before each window; once True, nothing more comes.
            hold: begin nothing else before the piece after the first window is asked for; if nobody waits,
                nothing at all before the first piece is. Otherwise phrases are under way on return.
            alone: leave the other threads out of it.

        Raises:
            RunnerError: a network failed or gave NaN.
        """
        pieces = self._pieces(phrases, first, cancelled, hold, None if alone else self._pool)
        next(pieces)
        return pieces

    def _pieces(
        self,
        phrases: Sequence[PhraseInLine],
        first: int,
        cancelled: Callable[[], bool],
        hold: bool,
        pool: ThreadPoolExecutor | None,
    ) -> Iterator[tuple[int, Float32]]:
        """Pieces of ``sound``, behind an empty one: by then what may be under way is."""
        workers = 1 if pool is None else self.workers
        ahead = Ahead(self._units(phrases, first, cancelled, workers), pool, workers + 1)
        self._n_lines += 1
        waits = bool(first)
        try:
            if not (waits or hold):
                ahead.begin()
            yield -1, np.zeros(0, np.float32)
            for index, phrase in enumerate(phrases):
                if cancelled():
                    return
                if not phrase.sounds:
                    yield index, np.zeros(0, np.float32)
                    continue
                join = OverlapAdd(phrase.n_frames)
                if waits:
                    waits = False
                    rows = self._rows(phrase, self._spans(phrase, first)[0])
                    if not hold:
                        ahead.begin()
                    yield index, _checked(join.add(rows))
                ahead.begin()
                if pool is not None and self._is_under_way(phrase):
                    yield index, np.zeros(0, np.float32)
                    phrase.head.render_ahead()
                while not join.complete and not cancelled():
                    for rows in ahead.take():
                        yield index, _checked(join.add(rows))
        finally:
            self._n_lines -= 1
            ahead.close()

    def _is_under_way(self, phrase: PhraseInLine) -> bool:
        """Wait for other threads to decode the only line: there is time for what needs no frames."""
        return self._n_lines == 1 and phrase.wait_until_under_way(LONGEST_START_S)

    def _units(
        self, phrases: Sequence[PhraseInLine], first: int, cancelled: Callable[[], bool], workers: int
    ) -> Iterator[Unit[Float32]]:
        """What each thread takes: a phrase, or its share of the last one, all without the first window."""
        skipped = first
        sounding = (phrase for phrase in phrases if phrase.sounds)
        for phrase, is_last in _with_last(sounding):
            shares = workers if is_last and self._n_lines == 1 else 1
            for share in range(shares):
                yield partial(self._part, phrase, skipped, (share, shares), cancelled)
            skipped = 0

    def _part(
        self, phrase: PhraseInLine, first: int, part: tuple[int, int], cancelled: Callable[[], bool]
    ) -> Iterator[Float32]:
        share, shares = part
        spans = self._spans(phrase, first, shares)[1 if first else 0 :]
        phrase.begin(shares)
        for span in spans[len(spans) * share // shares : len(spans) * (share + 1) // shares]:
            if cancelled():
                return
            yield self._rows(phrase, span)

    def _spans(self, phrase: PhraseInLine, first: int, workers: int = 1) -> list[Span]:
        return plan_windows(phrase.n_frames, first, self._largest, workers)

    def _rows(self, phrase: PhraseInLine, span: Span) -> Float32:
        """Decode one window with its context and sound it."""
        (start, stop), n_frames, encoded = span, phrase.n_frames, phrase.encoded
        context = self._context + 1  # the head reads the gains of a neighbour on either side
        low, high = max(start - context, 0), min(stop + context, n_frames)
        frames = self._runner.decode(encoded.hidden[:, low:high], encoded.plan.features[:, low:high])
        return phrase.head.rows(frames, low, start, stop, self._workspace())

    def _workspace(self) -> Workspace:
        if not hasattr(self._local, "workspace"):
            self._local.workspace = Workspace()
        workspace: Workspace = self._local.workspace
        return workspace


def _with_last(phrases: Iterator[PhraseInLine]) -> Iterator[tuple[PhraseInLine, bool]]:
    """Each phrase, and whether it is the last."""
    phrase = next(phrases, None)
    while phrase is not None:
        following = next(phrases, None)
        yield phrase, following is None
        phrase = following


def _checked(samples: Float32) -> Float32:
    if not np.isfinite(samples.sum()):
        raise RunnerError("the decoder gave NaN or infinity: the network or its quantization is broken")
    return samples


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
