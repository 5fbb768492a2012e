"""Requests by the hundred while a line is heard: they are taken at a pace, and a stop does not wait."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.daemon.pace import AT_ONCE, PER_SECOND, Pace
from tests.edge.daemon.stepped import Message, World

N_FLOOD = 300


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
