"""Requests by the hundred while a line is heard: they are taken at a pace, and a stop does not wait."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.daemon.pace import AT_ONCE, PER_SECOND, Pace
from edge.engine.thread import ThreadEngine
from tests.edge.daemon.broker import PATIENCE_S, wait_until
from tests.edge.daemon.conftest import Rig
from tests.edge.daemon.stand_in import StandIn
from tests.edge.daemon.stepped import Message, World

N_FLOOD = 300
MAX_AHEAD, MAX_PER_SECOND = 20, 60
"""Requests while a line is heard. Where 200 came, a stop took up to 30 ms more."""


@settings(deadline=None)
@given(st.lists(st.floats(0.0, 0.5), min_size=1, max_size=30))
def test_no_window_has_more_permits_than_the_bucket_and_its_flow(gaps: list[float]) -> None:
    pace, now, taken = Pace(100.0, 10), 1000.0, []
    for gap in gaps:
        now += gap
        while pace.allows(now):
            pace.take(now)
            taken.append(now)
        assert now < pace.next_time() <= now + 1 / 100.0 + 1e-9
    for first, begin in enumerate(taken):
        for end in taken[first:]:
            n = sum(begin <= when <= end for when in taken)
            assert n <= 10 + (end - begin) * 100.0 + 1


def say(world: World, request_id: str, text: str, output: str = "play") -> None:
    world.send({"id": request_id, "character": "noah", "text": text, "output": [output]})
    world.arrive(world.way.popleft())


@pytest.fixture
def heard(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    """A daemon with a line of which something has been heard, and hundreds of requests behind it."""
    world = World(tmp_path, monkeypatch)
    say(world, "show", "word " * 50)
    for _ in range(10):
        world.write()
        world.compute()
        world.play()
    assert world.core.state.active.speaking
    for number in range(N_FLOOD):
        world.send({"id": f"f{number}", "character": "ava", "text": "x", "output": ["lipsync"]})
        world.arrive(world.way.popleft(), lagging=True)
    world.settle()
    return world


def test_a_flood_is_taken_at_a_pace_while_a_line_is_heard(heard: World) -> None:
    assert N_FLOOD - heard.inbox.intake_depth() == AT_ONCE
    before = heard.inbox.intake_depth()
    for _ in range(100):
        heard.wait(1 / PER_SECOND)
    assert abs(before - heard.inbox.intake_depth() - 100) <= 1


def test_a_stop_passes_the_flood_and_lets_it_through(heard: World) -> None:
    topic = "sovits/w/stop"
    heard.arrive(Message(topic, b"", heard), urgent=True)
    heard.play()
    heard.play()
    assert heard.ended("show") == "" and heard.inbox.intake_depth() > 0
    heard.play()  # the fade is over
    heard.write()
    assert heard.ended("show") == "cancelled"
    heard.wait(0.0)
    assert heard.inbox.intake_depth() == 0


def test_lines_that_nobody_hears_start_one_by_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between two of them the core looks for a stop, also where all of them come from the cache."""
    world = World(tmp_path, monkeypatch)
    for number in range(3):
        say(world, f"l{number}", "one two", "lipsync")
    while world.journal.waiting:
        world.journal.waiting.popleft()()
    started = []
    for _ in range(20):
        world.core.step(world.now)
        started.append(len(world.core.state.active.lines))
    assert max(after - before for before, after in pairwise(started)) == 1
    assert started[-1] == 3


@pytest.mark.broker
def test_requests_are_taken_slowly_while_a_line_is_heard(start_rig: Callable[..., Rig]) -> None:
    rig = start_rig(queue={"max_lines": 10_000})
    rig.occupy(text="long " * 400)  # 50 s
    begun = time.monotonic()
    flood(rig)
    time.sleep(1.5)
    n_taken = sum(event["event"] == "accepted" for event in rig.client.events())
    assert AT_ONCE < n_taken < AT_ONCE + MAX_PER_SECOND * (time.monotonic() - begun)
    rig.request("stop")
    assert rig.event("first", "cancelled")["by"] == "stop"


@pytest.mark.broker
def test_few_requests_are_on_their_way_at_once(start_rig: Callable[..., Rig]) -> None:
    """The rest waits in the broker, which sends as many again for each acknowledgement."""
    loaded = threading.Event()

    def load() -> StandIn:
        assert loaded.wait(PATIENCE_S)
        return StandIn()

    engine = {"make_engine": lambda _, emit: ThreadEngine(load, emit)}
    rig = start_rig(online=False, queue={"max_lines": 10_000}, **engine)
    wait_until(lambda: rig.daemon._connection.ready)
    flood(rig)
    wait_until(lambda: rig.client.client._out_messages == {}, what="the broker has all")
    time.sleep(0.2)
    assert 0 < rig.daemon._inbox.intake_depth() <= MAX_AHEAD
    loaded.set()
    rig.event(f"f{N_FLOOD - 1}", "finished")


def flood(rig: Rig) -> None:
    """Ask for many lines that nobody hears."""
    for number in range(N_FLOOD):
        keys = {"character": "ava", "text": "x", "output": ["lipsync"]}
        rig.request("say", {"id": f"f{number}", **keys}, qos=1)
