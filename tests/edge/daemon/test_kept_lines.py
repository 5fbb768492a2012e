"""The cache on disk as the show sees it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.daemon import active
from edge.daemon.line_store import CACHE_FOLDER
from tests.edge.daemon.conftest import Rig, wait_until
from tests.edge.daemon.stand_in import StandIn, level

pytestmark = pytest.mark.broker


def stored(rig: Rig) -> list[Path]:
    return sorted((rig.config.state_dir / CACHE_FOLDER).rglob("*.line"))


def written(rig: Rig, n_lines: int = 1) -> None:
    wait_until(lambda: len(stored(rig)) == n_lines)


@pytest.fixture
def restart(start_rig: Callable[..., Rig], tmp_path: Path) -> Callable[..., Rig]:
    """Starts a daemon on the state directory of the one before, with a memory too small for a line."""
    rigs: list[Rig] = []

    def begin(**settings: Any) -> Rig:
        for earlier in rigs:
            earlier.stop()
        options = {"state_dir": tmp_path / "state", "cache": {"max_mb": 0}, **settings}
        rigs.append(start_rig(**options))
        return rigs[-1]

    return begin


def test_a_line_survives_a_restart(restart: Callable[..., Rig]) -> None:
    rig = restart()
    keys: dict[str, Any] = {"output": ["play", "lipsync", "file"], "text": "[mark:door]kept on disk"}
    rig.say("a", **keys)
    first = rig.event("a", "finished")
    segments = [heard.json for heard in rig.client.find(lambda heard: "/lipsync/" in heard.topic)]
    written(rig)
    again = restart()
    again.say("b", cache="only", **keys)
    assert again.event("b", "accepted")["cached"]
    finished = again.event("b", "finished")
    assert finished["cached"] and finished["audio_ms"] == first["audio_ms"] and finished["synthesis_ms"] == 0
    assert again.voice.started == []
    assert Path(finished["path"]).read_bytes() == Path(first["path"]).read_bytes()
    found = [heard.json for heard in again.client.find(lambda heard: "/lipsync/" in heard.topic)]
    assert [{**segment, "id": ""} for segment in found] == [{**segment, "id": ""} for segment in segments]
    assert again.client.find(lambda heard: heard.topic.endswith("/mark/door"))


def test_a_poisoned_line_is_made_anew(restart: Callable[..., Rig]) -> None:
    rig = restart()
    rig.say("a", "kept on disk")
    rig.event("a", "finished")
    written(rig)
    (path,) = stored(rig)
    data = bytearray(path.read_bytes())
    data[-100] ^= 4
    path.write_bytes(data)
    rig.say("b", "kept on disk", output=["file"])
    finished = rig.event("b", "finished")
    assert not finished["cached"] and rig.voice.started == ["kept on disk"] * 2
    rig.say("c", "kept on disk", cache="only")
    assert rig.event("c", "finished")["cached"]
    wait_until(lambda: rig.daemon._line_store.stored().n_poisoned == 1)
    sounding = rig.sound()[rig.sound() != 0]
    assert np.isin(level("kept on disk"), sounding)


def test_a_poisoned_line_that_must_not_be_made_fails(restart: Callable[..., Rig]) -> None:
    rig = restart()
    rig.say("a", "kept on disk")
    rig.event("a", "finished")
    written(rig)
    stored(rig)[0].write_bytes(b"")
    rig.say("b", "kept on disk", cache="only")
    assert rig.event("b", "failed")["code"] == "not_cached"


def test_a_disk_that_does_not_answer_is_not_waited_for(
    restart: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = restart()
    rig.say("a", "kept on disk")
    rig.event("a", "finished")
    written(rig)
    monkeypatch.setattr(rig.daemon._core.state.active, "_read", lambda *_: None)
    monkeypatch.setattr(active, "READ_LIMIT_S", 0.05)
    rig.say("b", "kept on disk")
    assert not rig.event("b", "finished")["cached"]


def test_a_stop_while_a_line_is_read(restart: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch) -> None:
    rig = restart()
    rig.say("a", "kept on disk")
    rig.event("a", "finished")
    written(rig)
    monkeypatch.setattr(rig.daemon._core.state.active, "_read", lambda *_: None)
    monkeypatch.setattr(active, "READ_LIMIT_S", 0.5)
    rig.say("b", "kept on disk")
    rig.event("b", "started")
    rig.request("stop")
    rig.event("b", "cancelled")
    rig.say("c", "another")
    rig.event("c", "finished")
    assert rig.names("b") == ["accepted", "started", "cancelled"]


def test_what_is_prepared_is_on_disk(restart: Callable[..., Rig]) -> None:
    rig = restart()
    rig.request(
        "prepare", {"id": "p", "items": [{"character": "noah", "text": f"line {n}"} for n in range(3)]}
    )
    done = rig.client.wait(
        lambda heard: heard.topic == f"{rig.root}/response/prepare" and heard.json.get("final")
    )
    assert done.json["done"] == 3 and done.json["cached"] == 0
    written(rig, 3)
    again = restart()
    again.request("prepare", {"id": "q", "items": [{"character": "noah", "text": "line 1"}]})
    done = again.client.wait(
        lambda heard: (
            heard.topic == f"{again.root}/response/prepare"
            and heard.json["id"] == "q"
            and heard.json.get("final")
        )
    )
    assert done.json["cached"] == 1 and again.voice.started == []
    again.request("flush_cache", {"id": "f"})
    assert again.response("flush_cache", "f")["removed"] == 3
    written(again, 0)


@pytest.mark.parametrize("change", ["fingerprint", "lexicon_digest"])
def test_another_software_or_lexicon_makes_the_line_anew(restart: Callable[..., Rig], change: str) -> None:
    rig = restart()
    rig.say("a", "kept on disk")
    rig.event("a", "finished")
    written(rig)
    voice = StandIn()
    setattr(voice, change, "another")
    again = restart(voice=voice)
    again.say("b", "kept on disk")
    assert not again.event("b", "finished")["cached"]


def test_a_lexicon_that_changes_while_the_daemon_runs(restart: Callable[..., Rig]) -> None:
    rig = restart()
    rig.say("a", "kept on disk")
    rig.event("a", "finished")
    written(rig)
    rig.voice.lexicon_digest = "edited"
    rig.say("b", "read with the new one")
    rig.event("b", "finished")
    written(rig, 2)
    rig.say("c", "kept on disk")
    assert not rig.event("c", "finished")["cached"]
    rig.voice.lexicon_digest = ""
    rig.request("reload", {"id": "r"})
    rig.response("reload", "r")
    for request_id, text, cached in (("d", "kept on disk", True), ("e", "read with the new one", False)):
        rig.say(request_id, text)
        assert rig.event(request_id, "finished")["cached"] is cached


def test_a_full_disk_is_no_fault_of_a_line(
    restart: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = restart()

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("edge.daemon.line_store.write_whole", full)
    rig.say("a", "not kept")
    rig.event("a", "finished")
    wait_until(lambda: rig.daemon._line_store.stored().n_lost == 1)
    assert rig.lamp("state")[-1] == "idle"
