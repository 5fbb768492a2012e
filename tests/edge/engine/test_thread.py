from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from edge.engine import thread
from edge.engine.base import (
    PLAY,
    PREPARE,
    RENDER,
    EngineDown,
    EngineUp,
    LineChunk,
    LineDone,
    LineError,
    LineReady,
)
from edge.engine.thread import ThreadEngine
from edge.errors import BundleError
from edge.synthesizer import SpeechRequest
from tests.edge.daemon.broker import wait_until
from tests.edge.daemon.stand_in import UNSPEAKABLE, StandIn, failing


class Bench:
    def __init__(self, load: Callable[[], Any]) -> None:
        self.messages: list[Any] = []
        self.engine = ThreadEngine(load, self.messages.append)
        self.engine.open()

    def start(self, line_id: str, text: str, urgency: int = PLAY) -> None:
        self.engine.start(line_id, SpeechRequest(text, "noah"), urgency)

    def wait(self, kind: type, line_id: str | None = None) -> Any:
        def found() -> list[Any]:
            return [
                message
                for message in self.messages
                if isinstance(message, kind) and line_id in (None, getattr(message, "line_id", None))
            ]

        wait_until(found, what=f"{kind.__name__} {line_id}")
        return found()[-1]


@pytest.fixture
def voice() -> StandIn:
    return StandIn()


@pytest.fixture
def bench(voice: StandIn) -> Iterator[Bench]:
    bench = Bench(lambda: voice)
    bench.wait(EngineUp)
    yield bench
    bench.engine.close()


def test_a_line_gives_its_messages_in_order(bench: Bench) -> None:
    bench.start("a", "hello there")
    done = bench.wait(LineDone)
    kinds = [type(message) for message in bench.messages[1:]]
    assert kinds[0] is LineReady and kinds[-1] is LineDone and set(kinds[1:-1]) == {LineChunk}
    assert bench.messages[-2].chunk.final and done.synthesis_ms >= 0
    assert bench.wait(LineReady).n_phrases == 1


def test_dictionaries_are_loaded_between_lines_once_the_voice_is_up(voice: StandIn) -> None:
    """One language at a time, after whoever waits; a line never waits for all of them."""
    may_load, order, warm = threading.Event(), [], []

    def load(name: str) -> Callable[[], object]:
        return lambda: (may_load.wait(10), order.append(name))

    voice.cold = [load("en"), load("zh"), load("ja")]
    told: list[Any] = []

    def emit(message: Any) -> None:
        told.append(message)
        if isinstance(message, LineDone):
            order.append(message.line_id)

    engine = ThreadEngine(lambda: voice, emit, warm=warm.append)
    engine.open()
    try:
        wait_until(lambda: any(isinstance(message, EngineUp) for message in told), what="up")
        assert order == [] and warm == [False] and engine.moves()
        engine.start("a", SpeechRequest("hello", "noah"), PLAY)
        may_load.set()
        wait_until(lambda: len(order) == 4 and warm[-1], what="all")
    finally:
        engine.close()
    assert order == ["en", "a", "zh", "ja"] or order == ["a", "en", "zh", "ja"]
    assert warm == [False, False, False, True]


def test_a_dictionary_that_cannot_be_loaded_ends_nothing(voice: StandIn) -> None:
    voice.cold = [lambda: 1 / 0]
    bench = Bench(lambda: voice)
    try:
        bench.start("a", "hello there")
        bench.wait(LineDone)
    finally:
        bench.engine.close()


def test_what_is_loaded_is_described(bench: Bench) -> None:
    voice = bench.wait(EngineUp).voice
    assert (voice.bundle, voice.runner, voice.precision) == ("stand-in 1.0.0", "onnxruntime", "fp32")
    assert [character.name for character in voice.characters] == ["noah", "ava"]
    assert voice.characters[0].fallbacks == {"angry": "neutral"}


def test_the_urgent_line_overtakes_chunk_by_chunk(bench: Bench, voice: StandIn) -> None:
    voice.gate.clear()
    bench.start("slow", "a long line " * 20, PREPARE)
    wait_until(lambda: voice.started)
    bench.start("quick", "now", PLAY)
    voice.gate.set()
    bench.wait(LineDone, "slow")
    ids = [message.line_id for message in bench.messages if isinstance(message, LineChunk)]
    quick = [index for index, line_id in enumerate(ids) if line_id == "quick"]
    assert quick[-1] < len(ids) - 10 and ids.count("slow") > 20


@pytest.mark.parametrize(
    ("text", "code", "stage"),
    [
        (UNSPEAKABLE, "text_unspeakable", "text"),
        ("it breaks halfway", "runner_error", "synthesis"),
        ("explodes", "internal", "synthesis"),
    ],
)
def test_faults_end_the_line_and_nothing_else(bench: Bench, text: str, code: str, stage: str) -> None:
    bench.start("bad", text)
    error = bench.wait(LineError)
    assert (error.line_id, error.code, error.stage) == ("bad", code, stage)
    bench.start("good", "fine")
    bench.wait(LineDone, "good")


def test_a_cancelled_line_is_silent_from_then_on(bench: Bench, voice: StandIn) -> None:
    voice.gate.clear()
    bench.start("a", "a long line " * 20)
    wait_until(lambda: voice.started)
    bench.engine.cancel("a")
    n_messages = len(bench.messages)
    voice.gate.set()
    bench.start("b", "next")
    bench.wait(LineDone, "b")
    assert not [message for message in bench.messages[n_messages:] if message.line_id == "a"]
    bench.engine.cancel("b")
    bench.start("b", "the id again")
    wait_until(lambda: sum(isinstance(message, LineDone) for message in bench.messages) == 2)


def test_a_voice_that_cannot_be_loaded_is_reported() -> None:
    bench = Bench(failing(BundleError("damaged")))
    down = bench.wait(EngineDown)
    assert down.error.code == "bundle_corrupt"
    bench.start("a", "hello")
    assert bench.wait(LineError).code == "runner_error"
    bench.engine.close()


def test_a_failed_reload_keeps_the_voice(voice: StandIn) -> None:
    loads: list[Callable[[], Any]] = [lambda: voice, failing(BundleError("damaged"))]
    bench = Bench(lambda: loads.pop(0)())
    bench.wait(EngineUp)
    bench.engine.reload()
    bench.wait(EngineDown)
    bench.start("a", "still here")
    bench.wait(LineDone)
    bench.engine.close()


def test_a_voice_that_was_replaced_is_given_back_when_nothing_uses_it() -> None:
    voices = [StandIn(), StandIn()]
    loads = iter(voices)
    bench = Bench(lambda: next(loads))
    bench.wait(EngineUp)
    voices[0].gate.clear()
    bench.start("a", "a long line " * 5)
    wait_until(lambda: voices[0].started)
    bench.engine.reload()
    voices[0].gate.set()
    bench.wait(LineDone)
    wait_until(lambda: voices[0].closed)
    assert not voices[1].closed
    bench.engine.close()
    assert voices[1].closed


def test_closing_ends_the_thread(bench: Bench) -> None:
    bench.engine.close()
    assert not [thread for thread in threading.enumerate() if thread is bench.engine._thread]
    assert bench.engine.restart() is False


def test_lines_that_nobody_hears_take_turns(voice: StandIn, bench: Bench) -> None:
    voice.gate.clear()
    bench.start("waits", "first of all", PLAY)
    for name in ("a", "b"):
        bench.start(name, "one two three", RENDER)
    voice.gate.set()
    bench.wait(LineDone, "a"), bench.wait(LineDone, "b")
    order = [message.line_id for message in bench.messages if isinstance(message, LineChunk)]
    rendered = [name for name in order if name != "waits"]
    assert order[: -len(rendered)] == ["waits"] * (len(order) - len(rendered)), "who is heard comes first"
    assert rendered[:4] == ["a", "b", "a", "b"]


def test_a_spoken_line_rests_after_its_first_sound(voice: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    """What brings that sound to the loudspeaker comes first; so does another line that is to be heard."""
    monkeypatch.setattr(thread, "REST_S", 0.5)
    came: list[tuple[str, float]] = []

    def emit(message: Any) -> None:
        if isinstance(message, LineChunk):
            came.append((message.line_id, time.monotonic()))
            if len(came) == 1:
                engine.start("b", SpeechRequest("one two three", "noah"), PLAY)
                engine.start("c", SpeechRequest("one two three", "noah"), RENDER)

    engine = ThreadEngine(lambda: voice, emit)
    engine.open()
    try:
        engine.start("a", SpeechRequest("one two three", "noah"), PLAY)
        wait_until(lambda: [name for name, _ in came].count("c") > 1, what="all lines")
    finally:
        engine.close()
    assert [name for name, _ in came[:2]] == ["a", "b"]
    for line in "ab":
        first, second = [at for name, at in came if name == line][:2]
        assert second - first >= thread.REST_S
    c = [at for name, at in came if name == "c"]
    assert c[1] - c[0] < thread.REST_S, "a line that nobody hears does not rest"
