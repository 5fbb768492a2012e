"""The engine in a child process whose voice is taken away or replaced, and whose supervisor stands still."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.engine.base import PLAY, RENDER, EngineDown, EngineUp, LineChunk, LineDone, LineError, LineReady
from edge.engine.process import ProcessEngine
from edge.engine.thread import ThreadEngine
from edge.synthesizer import SpeechRequest
from tests.edge.daemon.broker import wait_until
from tests.edge.daemon.stand_in import StandIn, level
from tests.edge.engine.bench import FAULTY, LIMIT_S, Bench, children

pytestmark = pytest.mark.slow

TEXT = "a long line " * 160


def n_loads(bench: Bench) -> int:
    """How often a child has begun to load the voice."""
    return (Path(bench.settings["folder"]) / f"{b'load'.hex()}.count").stat().st_size


def test_unload_ends_every_child_that_has_the_voice(start: Callable[..., Bench]) -> None:
    bench = start(chunk_delay_s=0.1)
    bench.say("old", TEXT)
    bench.wait(LineChunk, "old")
    retiring = bench.engine.pid
    bench.engine.reload()
    bench.wait(EngineUp, n=2)
    bench.say("new", TEXT)
    bench.wait(LineChunk, "new")
    current = bench.engine.pid
    bench.engine.unload()
    bench.say("late")
    assert bench.ended("late").message == "no voice is loaded"
    wait_until(lambda: not {retiring, current} & set(children()), LIMIT_S, what="end of both children")
    assert bench.engine.pid is None
    assert not bench.of((LineDone, LineError), "old") and not bench.of((LineDone, LineError), "new")
    said = len(bench.messages)
    bench.engine.reload()
    bench.wait(EngineUp, n=3)
    assert len(bench.messages) == said + 1
    bench.say("again")
    bench.ended("again")
    assert bench.is_whole("again")


def test_a_lost_child_does_not_come_back_after_unload(start: Callable[..., Bench]) -> None:
    bench = start(load=["", "hang"])
    bench.signal(signal.SIGKILL)
    wait_until(lambda: n_loads(bench) == 2, LIMIT_S, what="a replacement that loads")
    bench.engine.unload()
    bench.say("a")
    assert bench.ended("a").message == "no voice is loaded"
    assert bench.engine._alerted.fault == "" and not bench.engine._alerted.away


@pytest.mark.parametrize("after", ["", "bundle"])
def test_whoever_waits_for_a_reload_hears_of_it_all_the_same(start: Callable[..., Bench], after: str) -> None:
    bench = start(load=["", "hang", after])
    bench.engine.reload()
    wait_until(lambda: n_loads(bench) == 2, LIMIT_S, what="a child that loads")
    bench.engine.unload()
    answer = bench.wait(EngineDown) if after else bench.wait(EngineUp, n=2)
    assert answer and (bench.engine.pid is None) == bool(after)


@pytest.mark.parametrize("kind", ["process", "thread"])
def test_a_thread_that_stands_still_does_not_move(kind: str, tmp_path: Path) -> None:
    ready, entered, free = threading.Event(), threading.Event(), threading.Event()

    def emit(message: object) -> None:
        if isinstance(message, EngineUp):
            ready.set()
        else:
            entered.set()
            free.wait(LIMIT_S)

    engine: ProcessEngine | ThreadEngine = ThreadEngine(StandIn, emit)
    if kind == "process":
        engine = ProcessEngine({"folder": str(tmp_path), "faults": {}}, emit, module=FAULTY, spare=False)
    engine.open()
    try:
        assert ready.wait(LIMIT_S)
        for _ in range(3):
            wait_until(engine.moves)
        engine.start("a", SpeechRequest("hello", "noah"), PLAY)
        assert entered.wait(LIMIT_S)
        engine.moves()
        assert not engine.moves() and not engine.moves()
        free.set()
        wait_until(engine.moves)
    finally:
        free.set()
        engine.close()


def test_lines_that_wait_during_a_reload_are_made_with_the_new_voice(start: Callable[..., Bench]) -> None:
    """The old child made them, and they were kept as what the new voice says."""
    text = "a long line " * 15
    bench = start(chunk_delay_s=0.02)
    names = [f"{n}" for n in range(7)]  # more than take turns
    for name in names:
        bench.say(name, text, RENDER)
    bench.wait(LineChunk)
    bench.settings.update(name="another voice", louder=1)
    bench.engine.reload()
    bench.wait(EngineUp, n=2)
    for name in names:
        assert isinstance(bench.ended(name), LineDone)
        told_at = bench.messages.index(bench.of(LineReady, name)[0])
        n_voices = sum(isinstance(message, EngineUp) for message in bench.messages[:told_at])
        (heard,) = {int(sample) for sample in bench.samples(name)}
        assert heard == level(text) + n_voices - 1, name
    assert heard == level(text) + 1
