"""Lines shared between two engines, in every order of what may happen: voices, losses, ends, and time."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest import mock

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from edge.audio import AudioChunk
from edge.engine import pair
from edge.engine.base import (
    CHECK,
    PLAY,
    PREPARE,
    RENDER,
    STREAM,
    EngineAlert,
    EngineDown,
    EngineMessage,
    EngineUp,
    LineChunk,
    LineDone,
    LineError,
    LineReady,
)
from edge.engine.outstanding import Outstanding
from edge.engine.paired import Idle, LinesBack
from edge.errors import EdgeError
from edge.spec import SAMPLE_RATE
from edge.synthesizer import SpeechRequest
from tests.edge.daemon.stepped import VOICE

N_CHUNKS = 3
URGENCIES = (CHECK, PLAY, STREAM, RENDER, PREPARE)


def voice(number: int) -> Any:
    return type(VOICE)(**{**vars(VOICE), "identity": f"voice {number}", "fingerprint": f"{number}"})


class Stepped:
    """An engine that does what an engine in a child process does, a step at a time."""

    is_open = True  # until it is given back

    def __init__(self, loaded: int | None) -> None:
        self.loaded = loaded
        """Number of the voice; None while there is no child."""
        self.lines: dict[str, Outstanding] = {}
        self.urgencies: list[int] = []
        self.gone = False
        self.pids: tuple[int, ...] = ()

    def say(self, message: Any) -> None:
        raise NotImplementedError

    def open(self) -> None:
        pass

    def close(self) -> None:
        self.gone = True

    leave = close

    def unload(self) -> None:
        self.lines.clear()
        self.loaded = None

    def start(self, line_id: str, request: SpeechRequest, urgency: int) -> None:
        self.urgencies.append(urgency)
        self.lines[line_id] = Outstanding(0, line_id, request, urgency)

    def cancel(self, line_id: str) -> None:
        self.lines.pop(line_id, None)

    def step(self, line: Outstanding) -> None:
        """Tell one more thing of a line."""
        if self.loaded is None:
            return
        if not line.delivered.ready:
            line.begin(str(self.loaded))
        message = next(self._rest(line))
        line.delivered.again()
        if isinstance(message, LineDone):
            del self.lines[line.line_id]
        self.say(message)

    def _rest(self, line: Outstanding) -> Iterator[EngineMessage]:
        sound = np.full(10, int(line.voice), np.int16)
        chunks = [
            LineChunk(line.line_id, AudioChunk(sound, SAMPLE_RATE, 10 * n, n == N_CHUNKS - 1))
            for n in range(N_CHUNKS)
        ]
        line.delivered.again()
        for message in (LineReady(line.line_id, 1, ()), *chunks, LineDone(line.line_id, 1.0)):
            fresh = line.delivered.fresh(message)
            if fresh is not None:
                yield fresh


class First(Stepped):
    def __init__(self, settings: Any, emit: Any, **_options: Any) -> None:
        super().__init__(0)
        self.say = emit

    def take_over(self, line: Outstanding) -> bool:
        if line.delivered.n_chunks and line.voice != str(self.loaded):
            return False
        if line.voice != str(self.loaded):
            line.begin(str(self.loaded))
        self.lines[line.line_id] = line
        return True


class Second(Stepped):
    def __init__(self, settings: Any, tell: Any, **_options: Any) -> None:
        super().__init__(None)
        self.say = lambda message: tell(self, message)
        self.voice: Any = None
        self.away = False
        self.finishing = False

    def finish(self) -> None:
        self.finishing = True


class Sharing(RuleBasedStateMachine):
    """The daemon, the clock and whatever happens to the children."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 1000.0
        self.seconds: list[Second] = []
        self.told: list[Any] = []
        self.wanted: set[str] = set()
        self.n = 0
        self.on_disk = 0
        self._patches = [
            mock.patch.object(pair, "FirstEngine", First),
            mock.patch.object(pair, "SecondEngine", self._second),
            mock.patch.object(pair.time, "monotonic", lambda: self.now),
        ]
        for patch in self._patches:
            patch.start()
        self.pair = pair.PairEngine({}, self.told.append)
        self.first: Any = self.pair._first
        self.first.say(EngineUp(voice(0)))

    def _second(self, *arguments: Any, **options: Any) -> Second:
        self.seconds.append(Second(*arguments, **options))
        return self.seconds[-1]

    def teardown(self) -> None:
        for patch in self._patches:
            patch.stop()

    def living(self) -> list[Second]:
        return [second for second in self.seconds if not second.gone]

    @rule(urgency=st.sampled_from(URGENCIES))
    def start(self, urgency: int) -> None:
        self.n += 1
        self.wanted.add(f"{self.n}")
        self.pair.start(f"{self.n}", SpeechRequest("x", "noah"), urgency)

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        if self.wanted:
            line_id = data.draw(st.sampled_from(sorted(self.wanted)))
            self.wanted.discard(line_id)
            self.pair.cancel(line_id)

    @rule(seconds=st.sampled_from((0.1, 0.6, 40.0)))
    def wait(self, seconds: float) -> None:
        self.now += seconds

    @rule(data=st.data(), n=st.integers(1, 6))
    def work(self, data: st.DataObject, n: int) -> None:
        for _ in range(n):
            busy = [engine for engine in (self.first, *self.living()) if engine.lines]
            if busy:
                engine = data.draw(st.sampled_from(busy))
                engine.step(engine.lines[data.draw(st.sampled_from(sorted(engine.lines)))])

    @rule()
    def change_files(self) -> None:
        self.on_disk += 1

    @rule()
    def reload(self) -> None:
        """Lines that have been told of are finished by the child before; that is how it comes out here."""
        for line in [line for line in self.first.lines.values() if line.delivered.ready]:
            while line.line_id in self.first.lines:
                self.first.step(line)
        self.first.loaded = self.on_disk
        self.first.say(EngineUp(voice(self.on_disk)))

    @rule(works=st.booleans())
    def second_loads(self, works: bool) -> None:
        for second in self.living():
            if second.loaded is None and second.voice is None:
                second.loaded = self.on_disk if works else None
                fault = EdgeError("does not load")
                second.say(EngineUp(voice(self.on_disk)) if works else EngineDown(fault))

    @rule(data=st.data())
    def second_is_lost(self, data: st.DataObject) -> None:
        for second in self.living():
            if second.loaded is None or second.voice is None:
                continue
            second.loaded = None
            second.say(EngineAlert("is lost", away=True))
            guilty = data.draw(st.sampled_from([None, *sorted(second.lines)]))
            lines = []
            for line_id in [line_id for line_id in second.lines if line_id != guilty]:
                line = second.lines.pop(line_id)
                line.again()
                lines.append(line)
            if lines:
                second.say(LinesBack(tuple(lines)))

    @rule()
    def second_comes_back(self) -> None:
        for second in self.living():
            if second.loaded is None and second.voice is not None:
                second.loaded = int(second.voice.fingerprint)
                second.say(EngineAlert(""))

    @rule()
    def second_rests(self) -> None:
        for second in self.living():
            if not second.lines:
                second.say(Idle())

    @rule()
    def unload(self) -> None:
        self.pair.unload()
        self.wanted.clear()
        assert not self.living()
        self.first.loaded = self.on_disk
        self.first.say(EngineUp(voice(self.on_disk)))

    @invariant()
    def every_line_is_told_of_once_and_in_its_voice(self) -> None:
        current, ready, ended = "", {}, set()
        sounds: dict[str, list[np.ndarray]] = {}
        for message in self.told:
            if isinstance(message, EngineUp):
                current = message.voice.fingerprint
            elif isinstance(message, LineReady):
                ready[message.line_id] = current
            elif isinstance(message, LineChunk):
                sounds.setdefault(message.line_id, []).append(message.chunk.samples)
                assert set(message.chunk.samples) == {int(ready[message.line_id])}
                assert message.chunk.start == 10 * (len(sounds[message.line_id]) - 1)
            else:
                assert isinstance(message, LineDone | LineError), "the second tells nothing of itself"
                assert message.line_id not in ended
                ended.add(message.line_id)
                self.wanted.discard(message.line_id)
                if isinstance(message, LineDone):
                    assert len(sounds[message.line_id]) == N_CHUNKS

    @invariant()
    def every_line_that_is_wanted_is_with_one_engine(self) -> None:
        places = [line_id for engine in (self.first, *self.living()) for line_id in engine.lines]
        assert sorted(places) == sorted(self.wanted)

    @invariant()
    def the_second_has_only_what_nobody_hears(self) -> None:
        assert all(urgency >= RENDER for second in self.seconds for urgency in second.urgencies)
        assert len([second for second in self.living() if not second.finishing]) <= 1


Sharing.TestCase.settings = settings(max_examples=150, stateful_step_count=40, deadline=None)
TestSharing = Sharing.TestCase
