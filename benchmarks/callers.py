"""Throughput: seconds of sound in a second, for 1 to 8 callers who want another line when one is done."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from edge.daemon.service import SWITCH_INTERVAL_S
from edge.engine.base import RENDER, EngineDown, EngineMessage, EngineUp, LineChunk, LineDone, LineError
from edge.engine.thread import ThreadEngine
from edge.spec import SAMPLE_RATE
from edge.synthesizer import SpeechRequest, Synthesizer

from .harness import Measure, interleave, summarize

CALLERS = (1, 2, 4, 8)
LINES_EACH = 4
TEXT = "故事很长星星亮了，风很安静雨还在下。"
TIMEOUT_S = 60.0


class _Crowd:
    """Callers of one engine."""

    def __init__(self, engine: ThreadEngine, request: SpeechRequest) -> None:
        self._engine = engine
        self._request = request
        self._changed = threading.Condition()
        self._left: dict[str, int] = {}
        self._samples = 0

    def hear(self, message: EngineMessage) -> None:
        """Take a message of the engine."""
        with self._changed:
            if isinstance(message, LineError):
                raise RuntimeError(message.message)
            if isinstance(message, LineChunk):
                self._samples += len(message.chunk.samples)
            elif isinstance(message, LineDone):
                self._left[message.line_id] -= 1
                if self._left[message.line_id]:
                    self._engine.start(message.line_id, self._request, RENDER)
                self._changed.notify()

    def speak(self, callers: int) -> float:
        """Seconds of sound in a second."""
        with self._changed:
            self._samples, self._left = 0, {f"caller {number}": LINES_EACH for number in range(callers)}
        began = time.perf_counter()
        for name in self._left:
            self._engine.start(name, self._request, RENDER)
        with self._changed:
            if not self._changed.wait_for(lambda: not any(self._left.values()), TIMEOUT_S):
                raise RuntimeError(f"lines of {callers} callers are not done within {TIMEOUT_S:.0f} s")
        return self._samples / SAMPLE_RATE / (time.perf_counter() - began)


@contextmanager
def crowd(bundle: Path | None, threads: int) -> Iterator[_Crowd]:
    """Callers of an engine that is loaded.

    Raises:
        EdgeError: the voice cannot be loaded.
    """
    loaded, faults = threading.Event(), []
    found: list[_Crowd] = []

    def hear(message: EngineMessage) -> None:
        if isinstance(message, EngineUp | EngineDown):
            faults.extend([message.error] if isinstance(message, EngineDown) else [])
            loaded.set()
        else:
            found[0].hear(message)

    engine = ThreadEngine(lambda: Synthesizer.load(bundle, threads=threads), hear)
    engine.open()
    try:
        loaded.wait(TIMEOUT_S)
        if faults:
            raise faults[0]
        found.append(_Crowd(engine, SpeechRequest(TEXT, "noah", "zh")))
        yield found[0]
    finally:
        engine.close()


def measure(
    repeats: int, threads: tuple[int, ...], bundle: Path | None, progress: Callable[[int, int], None]
) -> list[Measure]:
    """Throughput for each number of threads and callers, all in turn."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_INTERVAL_S)  # that of the daemon
    measures = []
    try:
        for count in threads:
            with crowd(bundle, count) as people:
                variants = [
                    ({"threads": count, "callers": callers}, partial(people.speak, callers))
                    for callers in CALLERS
                ]
                taken = interleave(variants, repeats, progress=progress)
            measures += [summarize("throughput", "s/s", variant, samples) for variant, samples in taken]
    finally:
        sys.setswitchinterval(before)
    return measures
