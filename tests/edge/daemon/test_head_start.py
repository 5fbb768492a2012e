"""A line is made while it is written to disk: nobody hears of it before, and nothing is made for nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .stepped import World

LINE = {"id": "one", "text": "word word", "character": "noah"}


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    world = World(tmp_path, monkeypatch)
    yield world
    world.finish()
    assert all(world.ended(name) for name, told in world.events.items() if "rejected" not in str(told))
    assert not world.core.state.active.head_start.is_taken


def say(world: World, **keys: Any) -> None:
    """A request arrives; its acceptance is not on disk yet."""
    world.send({**LINE, **keys})
    world.arrive(world.way.popleft())


def compute(world: World) -> int:
    """Let the synthesiser do all it can; gives its steps."""
    steps = 0
    while world.compute():
        steps += 1
    return steps


def events(world: World, request_id: str = "one") -> list[str]:
    return [event["event"] for event in world.events[request_id]]


def test_a_line_is_made_before_it_is_on_disk_and_heard_only_then(world: World) -> None:
    say(world)
    assert compute(world) > 2
    for _ in range(5):
        world.play()
    assert not events(world) and not world.began
    world.write()
    assert events(world) == ["accepted", "started"]
    world.play()
    assert events(world) == ["accepted", "started", "first_audio"]
    assert compute(world) == 0  # it was all there


def test_the_rest_of_a_line_follows_what_was_made_of_it(world: World) -> None:
    say(world)
    world.compute()
    world.compute()
    world.write()
    assert compute(world) > 0
    world.finish()
    assert events(world) == ["accepted", "started", "first_audio", "finished"]
    assert world.events["one"][-1]["audio_ms"] == made_ms(world)


def made_ms(world: World) -> float:
    """Length of the same text, made the ordinary way."""
    say(world, id="two", not_before_ms=1)
    world.write()
    world.wait(1.0)
    world.finish()
    return float(world.events["two"][-1]["audio_ms"])


def test_a_line_that_fails_early_fails_once_it_has_started(world: World) -> None:
    say(world, text="word breaks")
    compute(world)
    assert not events(world)
    world.write()
    assert events(world)[:2] == ["accepted", "started"]
    world.finish()
    assert events(world)[-1] == "failed"


def test_a_line_that_is_cut_before_it_is_on_disk_is_made_no_further(world: World) -> None:
    say(world)
    world.compute()
    world.send_cancel("one")
    world.arrive(world.urgent.popleft(), urgent=True)
    world.way.clear()
    world.write()
    assert compute(world) == 0
    world.write()
    assert events(world) == ["accepted", "cancelled"] and not world.began


def test_a_line_whose_acceptance_cannot_be_written_is_made_no_further(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from edge.errors import EdgeError

    refusals: list[Any] = []
    monkeypatch.setattr(world.journal, "accept", lambda entry, then, refused: refusals.append(refused))
    say(world)
    world.compute()
    refusals[0](EdgeError("the disk is full", code="disk_full"))
    world.settle()
    assert compute(world) == 0
    assert events(world) == ["rejected"]


def test_one_line_at_a_time_has_a_head_start(world: World) -> None:
    say(world)
    say(world, id="two", text="another word")
    assert world.begun == {"one"}
    world.write()
    compute(world)
    world.finish()
    assert world.begun == {"one", "two"}


@pytest.mark.parametrize(
    "keys",
    [{"not_before_ms": 100}, {"output": ["lipsync"]}, {"cache": "only"}],
    ids=["later", "silent", "kept"],
)
def test_a_line_that_need_not_be_made_at_once_has_none(world: World, keys: dict[str, Any]) -> None:
    say(world, **keys)
    assert not world.begun
    world.write()


def test_a_line_behind_another_has_none(world: World) -> None:
    say(world)
    world.write()
    say(world, id="two")
    assert world.begun == {"one"}
    world.write()


def test_a_line_that_is_in_the_cache_by_then_is_taken_from_there(world: World) -> None:
    say(world, id="first")
    world.write()
    compute(world)
    world.finish()
    say(world, id="again")
    assert "again" not in world.begun
    world.write()
