"""A show file in a running daemon."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge.daemon.line_store import CACHE_FOLDER
from tests.edge.daemon.broker import wait_until
from tests.edge.daemon.conftest import Rig

pytestmark = pytest.mark.broker

SHOW = """name = "foyer"
[defaults]
character = "noah"
[[lines]]
id = "hello"
text = "hello there"
next = ["either"]
[[lines]]
id = "either"
variants = ["one", "two"]
[[lines]]
id = "hm"
text = "let me see, a long line that fills a pause while somebody thinks"
waiting = true
"""


def write(path: Path, text: str) -> None:
    """Put a show file in place at once, with a time of its own."""
    fresh = path.with_suffix(".new")
    fresh.write_text(text, encoding="utf-8")
    os.utime(fresh, ns=(time.time_ns(), time.time_ns()))
    fresh.replace(path)


@pytest.fixture
def stage(start_rig: Callable[..., Rig], tmp_path: Path) -> Callable[..., Rig]:
    def begin(text: str = SHOW, **settings: Any) -> Rig:
        write(tmp_path / "show.toml", text)
        return start_rig(show=tmp_path / "show.toml", **settings)

    return begin


def prepared(rig: Rig, name: str = "show-foyer-") -> dict[str, Any]:
    """The last report about a show that has been prepared."""
    heard = rig.client.wait(
        lambda heard: (
            heard.topic == f"{rig.root}/response/prepare"
            and heard.json["id"].startswith(name)
            and heard.json["final"]
        )
    )
    return dict(heard.json)


def play(rig: Rig, name: str, payload: Any = "") -> None:
    rig.client.say(f"{rig.root}/line/{name}", payload)


def test_a_show_is_prepared_and_played(stage: Callable[..., Rig]) -> None:
    rig = stage()
    report = prepared(rig)
    assert (report["total"], report["done"], report["n_failed"]) == (4, 4, 0)
    started = list(rig.voice.started)
    assert sorted(started) == sorted(["hello there", "one", "two", SHOW.split('"')[-2]])
    for number, name in enumerate(("hello", "either", "either", "either")):
        play(rig, name, {"id": f"cue-{number}"})
        assert rig.event(f"cue-{number}", "finished")["cached"]
    assert rig.voice.started == started
    assert len({rig.event(f"cue-{number}", "finished")["audio_ms"] for number in (1, 2, 3)}) == 1
    wait_until(lambda: '"show":"foyer"' in rig.lamp("status")[-1])


def test_an_empty_payload_plays_the_line(stage: Callable[..., Rig]) -> None:
    rig = stage()
    prepared(rig)
    play(rig, "hello")
    finished = rig.client.wait(
        lambda heard: "/event/noah" in heard.topic and heard.json["event"] == "finished"
    )
    assert finished.json["audio_ms"] == len("hello there") * 25


def test_what_is_asked_for_wins(stage: Callable[..., Rig]) -> None:
    rig = stage()
    prepared(rig)
    play(rig, "hello", {"id": "a", "character": "ava", "output": ["file"]})
    assert rig.event("a", "finished")["character"] == "ava"
    rig.request("say", {"id": "b", "line": "hello"})
    rig.event("b", "finished")
    rig.request("say", {"id": "c", "line": "hello", "text": "x"})
    assert rig.event("c", "rejected")["code"] == "bad_request"


def test_the_same_id_is_said_once_whatever_the_variant(stage: Callable[..., Rig]) -> None:
    rig = stage()
    prepared(rig)
    play(rig, "either", {"id": "a"})
    rig.event("a", "finished")
    play(rig, "either", {"id": "a"})
    assert rig.response("line", "a", 2)["duplicate"]
    assert rig.names("a").count("started") == 1
    play(rig, "hello", {"id": "a"})
    assert rig.event("a", "rejected")["code"] == "id_conflict"


def test_a_line_that_is_not_there(stage: Callable[..., Rig]) -> None:
    rig = stage()
    prepared(rig)
    play(rig, "nothing", {"id": "a"})
    assert rig.response("line", "a")["code"] == "unknown_line"


def test_a_waiting_cue_gives_way(stage: Callable[..., Rig]) -> None:
    rig = stage()
    prepared(rig)
    play(rig, "hm", {"id": "hm"})
    rig.event("hm", "first_audio")
    rig.say("other", "of another character", character="ava")
    rig.event("other", "accepted")
    assert "cancelled" not in rig.names("hm")
    rig.say("answer", "here I am")
    assert rig.event("hm", "cancelled")["by"] == "interrupt"
    rig.event("answer", "finished")


def test_a_waiting_cue_does_not_cut_another_and_plays_to_its_end_alone(stage: Callable[..., Rig]) -> None:
    rig = stage()
    prepared(rig)
    for request_id in ("a", "b"):
        play(rig, "hm", {"id": request_id})
    for request_id in ("a", "b"):
        rig.event(request_id, "finished")


def test_a_new_show_replaces_the_old_one_while_that_plays(stage: Callable[..., Rig], tmp_path: Path) -> None:
    rig = stage()
    prepared(rig)
    play(rig, "hm", {"id": "old"})
    rig.event("old", "first_audio")
    write(tmp_path / "show.toml", SHOW.replace("foyer", "second").replace("hello there", "good evening"))
    report = prepared(rig, "show-second-")
    assert report["done"] == 4 and report["cached"] == 3
    play(rig, "hello", {"id": "new", "output": ["file"]})
    assert rig.event("new", "finished")["audio_ms"] == len("good evening") * 25
    wait_until(lambda: rig.lamp("status") and '"show":"second"' in rig.lamp("status")[-1])


def test_a_show_that_is_wrong_changes_nothing_and_is_seen(stage: Callable[..., Rig], tmp_path: Path) -> None:
    rig = stage()
    prepared(rig)
    write(tmp_path / "show.toml", SHOW + "rate = 9\n")
    rig.client.wait(lambda heard: heard.topic == f"{rig.root}/state" and heard.payload == b"degraded")
    wait_until(lambda: "show.toml: line" in rig.lamp("status")[-1])
    play(rig, "hello", {"id": "a"})
    rig.event("a", "finished")
    write(tmp_path / "show.toml", SHOW)
    wait_until(lambda: rig.lamp("state")[-1] == "idle")


def test_a_daemon_starts_without_its_show(start_rig: Callable[..., Rig], tmp_path: Path) -> None:
    rig = start_rig(show=tmp_path / "show.toml")
    rig.say("a")
    rig.event("a", "finished")
    wait_until(lambda: rig.lamp("state")[-1] == "degraded")
    write(tmp_path / "show.toml", SHOW)
    assert prepared(rig)["done"] == 4


def test_what_may_follow_is_read_into_memory(stage: Callable[..., Rig]) -> None:
    rig = stage()
    prepared(rig)
    wait_until(lambda: len(list((rig.config.state_dir / CACHE_FOLDER).rglob("*.line"))) == 4)
    cache = rig.daemon._core.state.cache
    cache.forget()
    play(rig, "hello", {"id": "a"})
    rig.event("a", "finished")
    wait_until(lambda: len(cache) == 3)  # itself and both variants


def test_lines_that_cannot_be_made_are_named(stage: Callable[..., Rig]) -> None:
    rig = stage(SHOW + '[[lines]]\nid = "who"\ncharacter = "nobody"\ntext = "x"\n')
    report = prepared(rig)
    assert (report["done"], report["n_failed"]) == (4, 1)
    assert (report["failed"][0]["id"], report["failed"][0]["code"]) == ("who", "unknown_character")
