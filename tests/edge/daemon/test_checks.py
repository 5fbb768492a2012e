"""Odd texts: read before they are accepted, and refused if nothing in them can be spoken."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest

from edge.daemon.trust import VoiceEnded
from edge.errors import TrustError
from tests.edge.daemon.broker import PATIENCE_S, wait_until
from tests.edge.daemon.conftest import Rig
from tests.edge.daemon.stand_in import UNSPEAKABLE

pytestmark = pytest.mark.broker
ODD = "สวัสดี"  # which the stand-in says


class Reading:
    """A text stage that stands still until it is let go."""

    def __init__(self, rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
        self.begun, self.free = threading.Event(), threading.Event()
        self._prepare = rig.voice.prepare
        monkeypatch.setattr(rig.voice, "prepare", self._slow)

    def _slow(self, request: Any, **more: Any) -> Any:
        self.begun.set()
        self.free.wait(PATIENCE_S)
        return self._prepare(request, **more)

    def wait(self) -> None:
        assert self.begun.wait(PATIENCE_S)


@pytest.fixture
def reading(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> Reading:
    return Reading(rig, monkeypatch)


def test_what_cannot_be_spoken_never_becomes_work(rig: Rig) -> None:
    rig.say("a", UNSPEAKABLE)
    rejected, answer = rig.event("a", "rejected"), rig.response("say", "a")
    assert (rejected["code"], rejected["stage"], rejected["retryable"]) == (
        "text_unspeakable",
        "request",
        False,
    )
    assert answer["code"] == "text_unspeakable" and not answer["ok"]
    assert rig.names("a") == ["rejected"] and rig.voice.started == [UNSPEAKABLE]
    rig.say("a", "now with words")  # the id has not been used
    rig.event("a", "finished")
    assert not rig.daemon._core.state.lines and not len(rig.daemon._core.state.scheduler)


def test_an_odd_line_that_can_be_spoken_is(rig: Rig) -> None:
    for request_id, n_read in (("a", 2), ("b", 2), ("c", 3)):  # checked and said; cached; said again
        rig.say(request_id, ODD, cache="bypass" if request_id == "c" else "use")
        rig.event(request_id, "finished")
        assert rig.voice.started.count(ODD) == n_read
    assert rig.names("a") == ["accepted", "started", "first_audio", "finished"]


def test_an_ordinary_line_is_not_read_twice(rig: Rig) -> None:
    for request_id, text in (("a", "hello"), ("b", "[pause:100ms]……")):
        rig.say(request_id, text)
        rig.event(request_id, "finished")
    assert rig.voice.started == ["hello", "[pause:100ms]……"]


def test_an_odd_line_keeps_its_place(rig: Rig, reading: Reading) -> None:
    reading.free.set()
    rig.occupy()
    for request_id, text in (("odd", ODD), ("plain", "hello")):
        rig.say(request_id, text)
    rig.event("plain", "finished")
    assert rig.voice.started[-2:] == [ODD, "hello"]


def test_the_same_id_while_it_is_checked(rig: Rig, reading: Reading) -> None:
    rig.say("a", ODD)
    reading.wait()
    rig.say("a", ODD)
    assert rig.response("say", "a")["duplicate"]
    rig.say("a", "something else")
    assert rig.event("a", "rejected")["code"] == "id_conflict"
    reading.free.set()
    rig.event("a", "finished")
    assert rig.names("a").count("accepted") == rig.names("a").count("finished") == 1


def test_a_stop_while_it_is_checked(rig: Rig, reading: Reading) -> None:
    rig.say("a", ODD)
    reading.wait()
    rig.request("stop", {"id": "halt"})
    assert rig.response("stop", "halt")["cancelled"] == ["a"]
    reading.free.set()
    assert rig.event("a", "cancelled")["by"] == "stop"
    assert rig.names("a") == ["accepted", "cancelled"]


def test_an_end_in_order_while_it_is_checked(rig: Rig, reading: Reading) -> None:
    rig.say("a", ODD)
    reading.wait()
    rig.daemon.stop()
    assert rig.event("a", "rejected")["code"] == "shutting_down"
    reading.free.set()


def test_a_voice_that_ends_while_it_is_checked(rig: Rig, reading: Reading) -> None:
    rig.say("a", ODD)
    reading.wait()
    error = TrustError("the voice was revoked", "voice_revoked")
    rig.daemon._inbox.put(VoiceEnded(rig.voice.bundle.identity, error))
    assert rig.event("a", "rejected")["code"] == "voice_revoked"
    reading.free.set()


def test_a_synthesiser_that_does_not_answer(
    start_rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = start_rig(engine_timeout_s=0.3)
    reading = Reading(rig, monkeypatch)
    rig.say("a", ODD)
    rejected = rig.event("a", "rejected")
    assert rejected["code"] == "runner_timeout" and rejected["retryable"]
    wait_until(lambda: rig.error is not None)  # a thread that hangs takes the daemon with it
    reading.free.set()
