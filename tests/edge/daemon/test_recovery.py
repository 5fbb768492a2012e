"""What a journal that outlives the process makes the daemon do after a restart; the journal is a double."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from edge.daemon.journal.base import Entry, EventRecord, Unfinished
from edge.daemon.journal.memory import MemoryJournal
from edge.errors import EdgeError
from edge.messages import SayRequest
from tests.edge.daemon.conftest import Rig

pytestmark = pytest.mark.broker


class OldJournal(MemoryJournal):
    """A memory of an earlier process."""

    def __init__(self) -> None:
        super().__init__()
        self.left: list[Unfinished] = []
        self.unsent: list[EventRecord] = []
        self.confirmed: list[str] = []
        self.sounded: list[str] = []

    def leave(self, request_id: str, *, heard: bool = False, rebooted: bool = False, **keys: Any) -> None:
        request = SayRequest.model_validate({"text": "again", "character": "noah", **keys})
        now = time.monotonic()
        deadline = None if request.deadline_ms is None else now - 60 + request.deadline_ms / 1000
        entry = Entry(request_id, request.content_digest(), request.model_dump_json(), now - 60, deadline)
        super().accept(entry, lambda: None, lambda _: None)
        last = {"id": request_id, "event": "accepted", "seq": 0}
        self.left.append(Unfinished(entry, last, heard, rebooted))

    def recover(self) -> Sequence[Unfinished]:
        return self.left

    def undelivered(self) -> Sequence[EventRecord]:
        return self.unsent

    def delivered(self, event_id: str) -> None:
        self.confirmed.append(event_id)

    def sounding(self, request_id: str) -> None:
        self.sounded.append(request_id)


@pytest.fixture
def journal() -> OldJournal:
    return OldJournal()


def test_what_nobody_heard_is_done_again_in_order(start_rig: Callable[..., Rig], journal: OldJournal) -> None:
    journal.leave("first")
    journal.leave("second", text="and again")
    rig = start_rig(journal=journal)
    rig.event("second", "finished")
    assert rig.names("first") == ["started", "first_audio", "finished"]
    assert [event["seq"] for event in rig.client.events("first")] == [1, 2, 3]
    assert rig.voice.started == ["again", "and again"]
    assert journal.sounded == ["first", "second"]


def test_what_was_partly_heard_is_not_said_twice(start_rig: Callable[..., Rig], journal: OldJournal) -> None:
    journal.leave("partly", heard=True)
    rig = start_rig(journal=journal)
    failed = rig.event("partly", "failed")
    assert (failed["code"], failed["stage"]) == ("interrupted_by_restart", "restart")
    rig.settle()
    assert rig.voice.started == []


@pytest.mark.parametrize("rebooted", [False, True])
def test_what_has_expired_meanwhile_is_not_said(
    start_rig: Callable[..., Rig], journal: OldJournal, rebooted: bool
) -> None:
    journal.leave("late", deadline_ms=3_000_000 if rebooted else 1000, rebooted=rebooted)
    journal.leave("in-time", deadline_ms=600_000)
    rig = start_rig(journal=journal)
    assert rig.event("late", "expired")["late_ms"] >= 0
    rig.event("in-time", "finished")


def test_what_the_voice_no_longer_knows_fails(start_rig: Callable[..., Rig], journal: OldJournal) -> None:
    journal.leave("gone", character="nobody")
    rig = start_rig(journal=journal)
    assert rig.event("gone", "failed")["code"] == "unknown_character"


def test_an_end_that_may_not_have_arrived_is_sent_again(
    start_rig: Callable[..., Rig], journal: OldJournal
) -> None:
    event = {
        "id": "old", "event": "cancelled", "seq": 2, "event_id": "before-7", "boot_id": "before",
        "t_mono_ms": 5,
        "character": "noah", "by": "stop", "played_ms": 3.0,
    }  # fmt: skip
    journal.unsent.append(event)
    rig = start_rig(journal=journal)
    assert rig.event("old", "cancelled") == event
    rig.say("new", "x")
    finished = rig.event("new", "finished")
    rig.settle()
    assert journal.confirmed == ["before-7", finished["event_id"]]


def test_accepted_waits_for_the_disk(start_rig: Callable[..., Rig]) -> None:
    class SlowJournal(MemoryJournal):
        """A disk that takes its time."""

        waiting: list[Callable[[], None]]

        def accept(
            self, entry: Entry, then: Callable[[], None], refused: Callable[[EdgeError], None]
        ) -> None:
            super().accept(entry, lambda: None, lambda _: None)
            self.waiting = [*getattr(self, "waiting", []), then]

    journal = SlowJournal()
    rig = start_rig(journal=journal)
    rig.say("one", "patience")
    rig.say("two", "never mind")
    rig.request("cancel", {"id": "two"})
    rig.settle()
    assert rig.client.events() == [] and not rig.sound().any()
    assert rig.voice.started == ["patience"]  # it is made meanwhile, and heard by nobody
    for then in journal.waiting:
        then()
    rig.event("one", "finished")
    assert rig.names("two") == ["accepted", "cancelled"]
    assert rig.response("say", "two")["ok"]
