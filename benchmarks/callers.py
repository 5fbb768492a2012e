"""Throughput: seconds of sound in a second, for 1 to 8 callers who want another line when one is done."""

from __future__ import annotations

import argparse
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

from edge.config import EdgeConfig
from edge.daemon.service import SWITCH_INTERVAL_S, open_engine
from edge.engine.base import (
    RENDER,
    Engine,
    EngineDown,
    EngineMessage,
    EngineUp,
    LineChunk,
    LineDone,
    LineError,
)
from edge.spec import SAMPLE_RATE
from edge.synthesizer import SpeechRequest

from . import machine
from .harness import Measure, Variant, interleave, summarize, write_result

CALLERS = (1, 2, 4, 8)
TEXT = "故事很长星星亮了，风很安静雨还在下。"
RUN_IN_S = 0.3  # until every caller has a line
COUNTED_S = 1.2
WARM_UP = 1
TIMEOUT_S = 60.0


@dataclass(frozen=True)
class Setup:
    """An engine of the daemon."""

    threads: int
    children: int = 1
    """2: another child for lines that nobody hears."""


def setups(threads: int) -> tuple[Setup, ...]:
    """What is compared: one thread, several, and several with a second child."""
    return (Setup(1),) if threads == 1 else (Setup(1), Setup(threads), Setup(threads, 2))


class _Crowd:
    """Callers of one engine."""

    def __init__(self, engine: Engine, request: SpeechRequest) -> None:
        self._engine = engine
        self._request = request
        self._changed = threading.Condition()
        self._speaking: set[str] = set()
        self._samples = 0
        self._goes_on = False
        self._fault = ""
        self.costs: dict[int, list[float]] = defaultdict(list)
        """Processor time for a second of sound in ms, of each time that so many callers spoke."""

    def hear(self, message: EngineMessage) -> None:
        """Take a message of the engine."""
        with self._changed:
            if isinstance(message, LineChunk):
                self._samples += len(message.chunk.samples)
            elif isinstance(message, LineDone | LineError):
                self._fault = message.message if isinstance(message, LineError) else self._fault
                self._speaking.discard(message.line_id)
                self._changed.notify()

    def speak(self, callers: int, until: Callable[[], bool] | None = None) -> float:
        """Have lines spoken; gives seconds of sound in a second.

        Args:
            callers: who each want another line when one is done.
            until: that is so, instead of for the time that counts.

        Raises:
            RuntimeError: a line has failed, or takes too long.
        """
        names = {f"caller {number}" for number in range(callers)}
        spent_s, all_samples = self._processor_s(), self._samples
        began, deadline = time.perf_counter(), time.perf_counter() + TIMEOUT_S
        counted_from, samples = 0.0, 0
        while until is not None or time.perf_counter() - began < RUN_IN_S + COUNTED_S:
            if until is not None and until():
                break
            self._start(names)
            if not counted_from and time.perf_counter() - began >= RUN_IN_S:
                counted_from, samples = time.perf_counter(), self._samples
            self._check(deadline)
        rate = (self._samples - samples) / SAMPLE_RATE / (time.perf_counter() - counted_from)
        while n_left := len(self._speaking):
            self._wait(n_left)
            self._check(deadline)
        if until is None:
            sound_s = (self._samples - all_samples) / SAMPLE_RATE
            self.costs[callers].append(1000 * (self._processor_s() - spent_s) / sound_s)
        return rate

    def _processor_s(self) -> float:
        """Return the processor time of this process and of the engine's."""
        return time.process_time() + sum(map(machine.processor_s, self._engine.pids))

    def _start(self, names: set[str]) -> None:
        """Have whoever is silent say another line, and wait until there is somebody again."""
        with self._changed:
            silent, self._speaking = names - self._speaking, set(names)
        for name in sorted(silent):
            self._engine.start(name, self._request, RENDER)
        self._wait(len(names))

    def _wait(self, n_speaking: int) -> None:
        """Wait until fewer are speaking, or for long enough to look at the clock."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._speaking) < n_speaking, 0.05)

    def _check(self, deadline: float) -> None:
        if self._fault:
            raise RuntimeError(self._fault)
        if time.perf_counter() > deadline:
            raise RuntimeError(f"lines are not done within {TIMEOUT_S:.0f} s")


@contextmanager
def crowd(bundle: Path | None, setup: Setup) -> Iterator[_Crowd]:
    """Callers of an engine that is loaded, with all its children.

    Raises:
        EdgeError: the voice cannot be loaded.
        RuntimeError: there is no second child.
    """
    loaded, faults = threading.Event(), []
    found: list[_Crowd] = []

    def hear(message: EngineMessage) -> None:
        if isinstance(message, EngineUp | EngineDown):
            faults.extend([message.error] if isinstance(message, EngineDown) else [])
            loaded.set()
        else:
            found[0].hear(message)

    with tempfile.TemporaryDirectory() as folder:
        values = {"bundle": bundle, "threads": setup.threads, "engine_second": setup.children > 1}
        config = EdgeConfig.model_validate(
            {**values, "state_dir": folder, "loudness": {"target_dbfs": "off"}}
        )
        engine = open_engine(config, hear)
        found.append(_Crowd(engine, SpeechRequest(TEXT, "noah", "zh")))
        engine.open()
        try:
            loaded.wait(TIMEOUT_S)
            if faults:
                raise faults[0]
            found[0].speak(2, until=lambda: len(engine.pids) >= setup.children)
            yield found[0]
        finally:
            engine.close()


def measure(
    repeats: int, threads: int, bundle: Path | None, progress: Callable[[int, int], None] = lambda *_: None
) -> list[Measure]:
    """Throughput for each setup and number of callers, all in turn, and how much of a processor it takes."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_INTERVAL_S)  # that of the daemon
    costs = []
    try:
        with ExitStack() as stack:
            variants = []
            for setup in setups(threads):
                people = stack.enter_context(crowd(bundle, setup))
                for callers in CALLERS:
                    variants.append(({**asdict(setup), "callers": callers}, partial(people.speak, callers)))
                    costs.append(people.costs[callers])
            taken = interleave(variants, repeats, warm_up=WARM_UP, progress=progress)
    finally:
        sys.setswitchinterval(before)
    return [
        *(summarize("throughput", "s/s", variant, samples) for variant, samples in taken),
        *_ratios(taken),
        *(
            summarize("throughput_cpu", "ms/s", variant, samples[WARM_UP:])
            for (variant, _), samples in zip(taken, costs, strict=True)
        ),
    ]


def _ratios(taken: list[tuple[Variant, list[float]]]) -> list[Measure]:
    """Compare what was taken in the same round: with one thread, as many callers."""
    alone = {variant["callers"]: samples for variant, samples in taken if variant["threads"] == 1}
    return [
        summarize(
            "throughput_ratio",
            "1",
            variant,
            [here / there for here, there in zip(samples, alone[variant["callers"]], strict=True)],
        )
        for variant, samples in taken
        if variant["threads"] > 1
    ]


def main() -> None:
    """Run as a command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.callers", description=__doc__)
    parser.add_argument("--repeats", type=int, default=10, help="rounds (%(default)s)")
    parser.add_argument("--keep", type=Path, help="write the figures to this file")
    options = parser.parse_args()
    measures = measure(options.repeats, 2, None)
    for each in measures:
        print(each.name, each.variant, f"p50 {each.p50:.3g} {each.unit}, {each.low:.3g} to {each.high:.3g}")
    if options.keep is not None:
        date = datetime.now(timezone.utc).isoformat(timespec="seconds")
        values = {"date": date, "machine": machine.describe()}
        write_result(options.keep, {**values, "measures": [each.to_dict() for each in measures]})


if __name__ == "__main__":
    main()
