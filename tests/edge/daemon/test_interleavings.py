"""Interleavings of requests, cuts, crashes and time, found by search, under a clock that the test moves."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from edge.daemon.requests import HOLD_LIMIT_S
from edge.messages import TERMINAL_EVENTS

from .stepped import MAX_LINES, World

pytestmark = pytest.mark.slow

EXAMPLES = os.environ.get("INTERLEAVINGS")
NAMES = [f"line-{number}" for number in range(12)]
STEPS = ["accepted", "started", "first_audio", *sorted(TERMINAL_EVENTS)]


class Show(RuleBasedStateMachine):
    """Clients, a broker, a disk and a loudspeaker around one daemon."""

    channel = "all"

    def __init__(self) -> None:
        super().__init__()
        self.patch = pytest.MonkeyPatch()
        self.folder = tempfile.TemporaryDirectory()
        self.world = World(Path(self.folder.name), self.patch, self.channel)
        self.stops: list[tuple[float, set[str]]] = []
        """When a stop was obeyed, and the lines that it must have silenced."""
        self.half_here = False
        """Whether the other copy of the last stop is still on its way."""

    def teardown(self) -> None:
        try:
            self.world.finish()
            self.events_are_in_order()
            self.everything_has_ended()
            self.a_stop_spares_what_was_sent_after_it()
            self.nothing_begins_after_a_stop()
        finally:
            self.patch.undo()
            self.folder.cleanup()

    # Clients.

    @rule(
        name=st.sampled_from(NAMES),
        character=st.sampled_from(["noah", "ava"]),
        words=st.integers(1, 4),
        breaks=st.sampled_from([False, False, False, True]),
        priority=st.integers(3, 6),
        interrupt=st.sampled_from(["none", "none", "lower", "character", "all"]),
        cache=st.sampled_from(["use", "bypass"]),
        not_before_ms=st.sampled_from([0, 0, 100]),
        deadline_ms=st.sampled_from([None, None, 150, 5000]),
    )
    def say(self, name: str, words: int, breaks: bool, deadline_ms: int | None, **keys: Any) -> None:
        text = " ".join(["word"] * words + ["breaks"] * breaks)
        limits = {} if deadline_ms is None else {"deadline_ms": deadline_ms}
        self.world.send({"id": name, "text": text, **keys, **limits})

    @precondition(lambda self: self.world.sent)
    @rule(data=st.data())
    def say_again(self, data: st.DataObject) -> None:
        self.world.send(self.world.sent[data.draw(st.sampled_from(sorted(self.world.sent)))])

    @precondition(lambda self: self.world.sent)
    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        self.world.send_cancel(data.draw(st.sampled_from(sorted(self.world.sent))))

    @precondition(lambda self: not self.half_here)
    @rule(character=st.sampled_from(["", "", "noah"]))
    def stop(self, character: str) -> None:
        """Whoever presses stop means everything that was sent before."""
        world = self.world
        before = {
            name
            for name in world.order
            if not world.ended(name)
            and world.sent[name]["character"] in (character or "noah", character or "ava")
        }
        while world.urgent:  # what is told below is about this stop
            world.arrive(world.urgent.popleft(), urgent=True)
        world.send_stop(character)
        world.arrive(world.urgent.popleft(), urgent=True)
        self.stops.append((world.now, before))
        self.half_here = True

    # The way to the daemon and from it.

    @precondition(lambda self: self.world.way)
    @rule(lagging=st.booleans())
    def arrive(self, lagging: bool) -> None:
        self.world.arrive(self.world.way.popleft(), lagging=lagging)
        self.half_here = bool(self.stops) and any("/stop" in message.topic for message in self.world.way)

    @precondition(lambda self: self.world.urgent)
    @rule()
    def arrive_urgently(self) -> None:
        self.world.arrive(self.world.urgent.popleft(), urgent=True)

    @rule()
    def write(self) -> None:
        self.world.write()

    @rule()
    def confirm(self) -> None:
        self.world.confirm()

    @rule(steps=st.integers(1, 4))
    def compute(self, steps: int) -> None:
        for _ in range(steps):
            self.world.compute()

    @rule(blocks=st.integers(1, 8))
    def play(self, blocks: int) -> None:
        for _ in range(blocks):
            self.world.play()

    @rule(character=st.sampled_from(["", "noah"]))
    def stop_slowly(self, character: str) -> None:
        """Neither copy of it is here yet."""
        self.world.send_stop(character)

    @rule(seconds=st.sampled_from([0.005, 0.1, 0.3, 2.0, 11.0]))
    def wait(self, seconds: float) -> None:
        if self.half_here and self.world.now + seconds > self.stops[-1][0] + HOLD_LIMIT_S:
            self.stops.pop()  # its other copy has been given up, and with it what was sent before it
            self.half_here = False
        self.world.wait(seconds)

    @rule()
    def cut_link(self) -> None:
        self.world.cut_link()

    @rule()
    def mend_link(self) -> None:
        self.world.mend_link()

    @rule()
    def crash(self) -> None:
        """What a stop was holding back is forgotten: only its copy that is still on its way silences it."""
        self.half_here = False
        self.stops.clear()
        self.world.boot()

    # What must hold at any time.

    @invariant()
    def the_queue_is_bounded(self) -> None:
        assert len(self.world.core.state.scheduler) <= MAX_LINES

    @invariant()
    def no_fault_of_the_daemon_s_own(self) -> None:
        assert not self.world.core.state.tally.last_error.startswith("internal")

    @invariant()
    def events_are_in_order(self) -> None:
        for name, events in self.world.events.items():
            new = [event for event in events if not event.get("duplicate") and event["event"] != "rejected"]
            once = list({event["event_id"]: event for event in new}.values())
            steps = [event["event"] for event in once]
            assert sum(step in TERMINAL_EVENTS for step in steps) <= 1, (name, steps)
            assert all(step not in TERMINAL_EVENTS for step in steps[:-1]), (name, steps)

    @invariant()
    def a_stop_spares_what_was_sent_after_it(self) -> None:
        for name, events in self.world.events.items():
            if any(event["event"] == "cancelled" and event["by"] == "stop" for event in events):
                meant = {"", self.world.sent[name]["character"]}
                assert meant & set(self.world.stops[self.world.n_stops_before[name] :]), name

    @invariant()
    def nothing_begins_after_a_stop(self) -> None:
        for obeyed, before in self.stops:
            late = {name for name in before if self.world.began.get(name, 0.0) > obeyed}
            assert not late, f"{late} began after a stop at {obeyed}"

    def everything_has_ended(self) -> None:
        world = self.world
        assert (
            not world.core.state.lines
            and not world.core.state.active.lines
            and not len(world.core.state.scheduler)
        )
        assert not world.disk.unfinished
        for name in world.order:
            assert world.ended(name) if name in world.disk.finished else name in world.refused
            assert name in world.began or world.ended(name) != "finished"


def run(machine: type[RuleBasedStateMachine]) -> Callable[[], None]:
    """Make a test of a machine: the same few shows every day, or as many new ones as are asked for."""
    case = machine.TestCase
    case.settings = settings(
        max_examples=int(EXAMPLES or 40),
        derandomize=not EXAMPLES,
        stateful_step_count=40,
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
    )
    return case


class Dialogue(Show):
    """The same with a channel for each character."""

    channel = "character"


TestShow = run(Show)
TestDialogue = run(Dialogue)


def test_a_stop_whose_own_session_lags_spares_what_was_sent_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = World(tmp_path, monkeypatch)
    world.send({"id": "before", "character": "noah", "text": "word"})
    world.send_stop("")
    world.send({"id": "after", "character": "noah", "text": "word"})
    while world.way:
        world.arrive(world.way.popleft(), lagging=True)
    world.arrive(world.urgent.popleft(), urgent=True)
    world.finish()
    assert world.ended("before") == "cancelled" and world.ended("after") == "finished"
