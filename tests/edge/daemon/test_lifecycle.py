"""A line from acceptance to its terminal event, as a stranger sees it."""

from __future__ import annotations

import time
from collections.abc import Callable

import numpy as np
import pytest

from edge.spec import MAX_TEXT_CHARACTERS
from tests.edge.daemon.conftest import Rig
from tests.edge.daemon.stand_in import MS_PER_CHARACTER, SAMPLES_PER_CHARACTER, level

pytestmark = pytest.mark.broker
COMMON = {"id", "event", "seq", "event_id", "boot_id", "character", "t_mono_ms"}

ATTEMPTS = 10  # one in time shows that it can be; a busy machine makes others late


def test_plain_text_is_spoken_and_reported(rig: Rig) -> None:
    rig.client.say(f"{rig.root}/say/noah", '{"not": "json"} 你好')
    response = rig.response("say")
    request_id = response["id"]
    finished = rig.event(request_id, "finished")
    events = rig.client.events(request_id)
    assert [event["event"] for event in events] == ["accepted", "started", "first_audio", "finished"]
    assert [event["seq"] for event in events] == [0, 1, 2, 3]
    assert all(set(event) >= COMMON and event["character"] == "noah" for event in events)
    assert len({event["event_id"] for event in events}) == 4
    assert set(events[0]) - COMMON == {"position", "cached"}
    assert set(events[2]) - COMMON == {"latency_ms", "t0_mono_ns", "device_latency_ms"}
    assert set(finished) - COMMON == {"audio_ms", "synthesis_ms", "rtf", "cached", "underruns"}
    text = '{"not": "json"} 你好'
    assert (
        finished["audio_ms"] == len(text) * MS_PER_CHARACTER
        and not finished["cached"]
        and finished["underruns"] == 0
    )
    assert response == {
        "id": request_id, "op": "say", "ok": True, "code": "ok", "message": "", "warnings": [],
        "position": 0, "cached": False,
    }  # fmt: skip
    assert rig.voice.started == [text]


def test_the_whole_line_is_heard_once(rig: Rig) -> None:
    rig.say("one", "exactly this")
    rig.event("one", "finished")
    heard = rig.sound()
    assert np.count_nonzero(heard == level("exactly this")) == len("exactly this") * SAMPLES_PER_CHARACTER
    assert set(np.unique(heard)) <= {0, level("exactly this")}


def test_lamps_follow_the_sound(rig: Rig) -> None:
    rig.say("one", character="ava")
    rig.event("one", "finished")
    rig.client.wait(lambda heard: heard.topic == f"{rig.root}/state" and heard.payload == b"idle", n=2)
    rig.settle()
    assert rig.lamp("state")[-2:] == ["speaking", "idle"]
    assert rig.lamp("character/ava/state")[-2:] == ["speaking", "idle"]
    assert set(rig.lamp("character/noah/state")) == {"idle"}


def test_lines_of_one_priority_come_in_order_of_arrival(rig: Rig) -> None:
    ids = [f"line-{number}" for number in range(5)]
    for number, request_id in enumerate(ids):
        rig.say(request_id, f"{number}", character=("noah", "ava")[number % 2])
    rig.event(ids[-1], "finished")
    started = [event["id"] for event in rig.client.events() if event["event"] == "started"]
    assert started == ids


def test_higher_priority_speaks_first(rig: Rig) -> None:
    rig.occupy()
    for request_id, priority in (("low", 1), ("middle", 5), ("high", 9), ("high-too", 9)):
        rig.say(request_id, request_id, priority=priority)
    rig.event("low", "finished")
    started = [event["id"] for event in rig.client.events() if event["event"] == "started"]
    assert started == ["first", "high", "high-too", "middle", "low"]
    assert rig.event("high", "accepted")["position"] == 0
    assert rig.event("high-too", "accepted")["position"] == 1


def test_no_two_lines_overlap_in_the_loudspeaker(rig: Rig) -> None:
    rig.occupy("a", "the first of them")
    rig.say("b", "the second", interrupt="all")
    rig.say("c", "the third")
    rig.event("c", "finished")
    heard = rig.sound()
    first, second, third = (level(text) for text in ("the first of them", "the second", "the third"))
    runs = heard[np.flatnonzero(np.diff(heard, prepend=0))]
    steady = [int(value) for value in runs if value in (first, second, third)]
    assert steady == [first, second, third]


@pytest.mark.parametrize(
    ("interrupt", "priority", "character", "cut"),
    [
        ("none", 9, "noah", False),
        ("lower", 9, "ava", True),
        ("lower", 5, "ava", False),
        ("character", 1, "noah", True),
        ("character", 9, "ava", False),
        ("all", 1, "ava", True),
    ],
)
def test_interrupt(rig: Rig, interrupt: str, priority: int, character: str, cut: bool) -> None:
    rig.occupy()
    rig.say("new", "now me", interrupt=interrupt, priority=priority, character=character)
    rig.event("new", "finished")
    if cut:
        assert rig.event("first", "cancelled")["by"] == "interrupt"
        assert 0 < rig.event("first", "cancelled")["played_ms"] < 900
    else:
        assert rig.names("first")[-1] == "finished"


def test_interrupting_a_character_takes_its_queue_too(rig: Rig) -> None:
    rig.occupy()
    rig.say("rest-of-paragraph", "more")
    rig.say("somebody-else", "hm", character="ava")
    rig.say("new", "now me", interrupt="character")
    rig.event("new", "finished")
    assert rig.event("first", "cancelled")["by"] == "interrupt"
    assert rig.event("rest-of-paragraph", "cancelled")["by"] == "interrupt"
    assert rig.names("somebody-else")[-1] == "finished"


def test_an_interrupt_waits_until_its_line_is_due(rig: Rig) -> None:
    rig.occupy()
    sent = rig.say("later", "now", interrupt="all", not_before_ms=200)
    cancelled = rig.event("first", "cancelled")
    assert cancelled["t_mono_ms"] - sent * 1000 > 199
    rig.event("later", "finished")


def test_not_before_holds_a_line_back(rig: Rig) -> None:
    sent = rig.say("later", "later", not_before_ms=250)
    rig.say("sooner", "sooner")
    assert rig.event("later", "started")["t_mono_ms"] - sent * 1000 >= 249
    assert rig.event("sooner", "started")["t_mono_ms"] - sent * 1000 < 200


def test_a_line_that_cannot_start_in_time_expires(rig: Rig) -> None:
    rig.occupy()
    sent = rig.say("late", "too late", deadline_ms=150)
    expired = rig.event("late", "expired")
    # Never before its time; after it, as soon as a busy machine lets the clock's thread run.
    assert 140 <= expired["t_mono_ms"] - sent * 1000 <= 1000
    assert expired["late_ms"] >= 0
    assert rig.names("late") == ["accepted", "expired"]


def test_the_earlier_of_deadline_and_message_expiry_counts(rig: Rig) -> None:
    rig.occupy(text="a very long line that goes on and on for quite some time, over and over")
    sent = rig.request(
        "say",
        {"id": "late", "character": "noah", "text": "x", "deadline_ms": 60_000},
        MessageExpiryInterval=1,
    )
    assert 900 <= rig.event("late", "expired")["t_mono_ms"] - sent * 1000 <= 2000


def test_a_deadline_does_not_cut_a_line_that_has_started(rig: Rig) -> None:
    rig.say("one", "long enough to last", deadline_ms=200)
    assert rig.event("one", "finished")["audio_ms"] > 200


def test_a_repeated_request_is_not_done_again(rig: Rig) -> None:
    rig.say("same", "once")
    finished = rig.event("same", "finished")
    rig.say("same", "once", reply_to="replies/x")
    rig.settle()
    again = rig.client.events("same")[-1]
    assert again == finished | {"duplicate": True}
    assert rig.response("say", "same", 2)["duplicate"] is True
    assert rig.voice.started == ["once"]
    assert rig.names("same") == ["accepted", "started", "first_audio", "finished", "finished"]


def test_a_repeated_request_reports_how_far_it_is(rig: Rig) -> None:
    rig.occupy("same", "once upon a time there was")
    rig.say("same", "once upon a time there was")
    rig.settle()
    assert rig.client.events("same")[-1]["event"] == "first_audio"
    assert rig.client.events("same")[-1]["duplicate"] is True
    rig.event("same", "finished")


def test_an_id_used_for_something_else_is_a_conflict(rig: Rig) -> None:
    rig.say("same", "once")
    rig.say("same", "twice")
    rejected = rig.event("same", "rejected")
    assert rejected["code"] == "id_conflict" and not rejected["retryable"]
    rig.event("same", "finished")
    assert rig.voice.started == ["once"]


def test_a_full_queue_refuses_and_lets_the_request_be_sent_again(start_rig: Callable[..., Rig]) -> None:
    rig = start_rig(queue={"max_lines": 2})
    rig.occupy()
    for number in range(3):
        rig.say(f"more-{number}", "more")
    rejected = rig.event("more-2", "rejected")
    assert rejected["code"] == "queue_full" and rejected["retryable"]
    assert rig.response("say", "more-2")["ok"] is False
    rig.event("more-0", "started")
    rig.say("more-2", "more")
    rig.event("more-2", "finished")


def test_a_full_queue_gives_way_to_a_higher_priority(start_rig: Callable[..., Rig]) -> None:
    rig = start_rig(queue={"max_lines": 2})
    rig.occupy()
    rig.say("keeps", "more", priority=4)
    rig.say("goes", "more", priority=3)
    rig.say("important", "me", priority=6)
    assert rig.event("goes", "cancelled")["by"] == "interrupt"
    rig.event("keeps", "finished")
    rig.event("important", "finished")


def test_cancel_at_every_stage(rig: Rig) -> None:
    rig.occupy()
    rig.say("waiting", "never heard")
    rig.request("cancel", {"id": "waiting"})
    assert rig.event("waiting", "cancelled")["by"] == "request"
    assert rig.event("waiting", "cancelled")["played_ms"] == 0
    rig.request("cancel", {"id": "first"})
    assert rig.event("first", "cancelled")["played_ms"] > 0
    assert rig.response("cancel", "first") | {"ok": True, "cancelled": True} == rig.response(
        "cancel", "first"
    )
    rig.request("cancel", {"id": "first"})
    assert rig.response("cancel", "first", 2)["cancelled"] is False
    rig.request("cancel", {"id": "never-seen"})
    assert rig.response("cancel", "never-seen")["code"] == "bad_request"
    rig.say("next", "still works")
    rig.event("next", "finished")
    assert level("never heard") not in rig.sound()


def test_stop_silences_everyone_and_clears_the_queue(rig: Rig) -> None:
    rig.occupy()
    rig.say("queued", "x")
    rig.say("queued-ava", "x", character="ava")
    rig.client.say(f"{rig.root}/stop", "anything \xff at all")
    for request_id in ("first", "queued", "queued-ava"):
        assert rig.event(request_id, "cancelled")["by"] == "stop"
    assert sorted(rig.response("stop")["cancelled"]) == ["first", "queued", "queued-ava"]


def test_stop_of_one_character_leaves_the_others(rig: Rig) -> None:
    rig.occupy()
    rig.say("queued", "x")
    rig.say("queued-ava", "x", character="ava")
    rig.client.say(f"{rig.root}/stop/noah", b"", qos=0)
    assert rig.event("first", "cancelled")["by"] == "stop"
    assert rig.event("queued", "cancelled")["by"] == "stop"
    rig.event("queued-ava", "finished")
    rig.request("stop", {"character": "nobody"})
    assert rig.response("stop", n=2)["code"] == "unknown_character"


def test_stop_overtakes_what_waits_but_spares_what_comes_later(rig: Rig) -> None:
    rig.occupy(text="a line that lasts " * 10)
    for number in range(200):
        rig.say(f"flood-{number}", "x" * 20)
    rig.client.say(f"{rig.root}/stop", "")
    rig.say("after", "after")
    rig.event("after", "finished")
    ends = {event["id"]: event["event"] for event in rig.client.events() if event["seq"] > 0}
    assert {ends[f"flood-{number}"] for number in range(200)} <= {"cancelled", "rejected"}
    assert rig.voice.started == [rig.voice.started[0], "after"]


def test_silence_within_fifty_milliseconds_of_stop(rig: Rig) -> None:
    delays: list[float] = []
    while len(delays) < ATTEMPTS and min(delays, default=99.0) > 50:
        attempt = len(delays)
        rig.occupy(f"cut-{attempt}", f"a long line, number {attempt}, to be cut off", cache="bypass")
        began = rig.event(f"cut-{attempt}", "first_audio")["t0_mono_ns"] / 1e6
        time.sleep(0.12)
        sent = rig.client.say(f"{rig.root}/stop", "")
        cancelled = rig.event(f"cut-{attempt}", "cancelled")
        delays.append(began + cancelled["played_ms"] - sent * 1000)
    assert min(delays) <= 50, f"silent {delays} ms after stop was published"


def test_a_cut_is_a_fade_of_twenty_milliseconds(rig: Rig) -> None:
    rig.occupy("cut", "a long line to be cut off")
    rig.client.say(f"{rig.root}/stop", "")
    rig.event("cut", "cancelled")
    rig.stop()
    heard = rig.sound()
    steady = level("a long line to be cut off")
    fade = heard[np.flatnonzero(heard == steady)[-1] + 1 :]
    fade = fade[: np.flatnonzero(fade)[-1] + 1]
    assert 600 <= len(fade) <= 640 and np.all(np.diff(fade) <= 0)


def test_marks_are_sent_when_they_are_heard(rig: Rig) -> None:
    lateness: list[float] = []
    while len(lateness) < ATTEMPTS and min(lateness, default=99.0) >= 60:
        line = f"line-{len(lateness)}"
        rig.say(line, "[mark:start]01234567890123456789[mark:middle]01234567890123456789[mark:end]")
        began = rig.event(line, "first_audio")["t0_mono_ns"] / 1e6
        rig.event(line, "finished")
        marks = rig.client.find(lambda heard, line=line: "/mark/" in heard.topic and heard.json["id"] == line)
        assert [heard.topic.rsplit("/", 1)[1] for heard in marks] == ["start", "middle", "end"]
        assert [heard.json["t_ms"] for heard in marks] == [0.0, 500.0, 1000.0]
        assert marks[1].json == {"id": line, "character": "noah", "name": "middle", "t_ms": 500.0}
        late = [heard.at * 1000 - (began + heard.json["t_ms"]) for heard in marks]
        assert min(late) > -5  # never before they are heard, however busy the machine is
        lateness.append(max(late))
    assert min(lateness) < 60, f"marks came {lateness} ms late"


def test_marks_beyond_a_cut_are_not_sent(rig: Rig) -> None:
    rig.occupy("one", "01234567890123[mark:early]01234567890123456789012345678901234567890[mark:late]0123")
    rig.client.wait(lambda heard: heard.topic.endswith("/mark/early"))
    rig.client.say(f"{rig.root}/stop", "")
    rig.event("one", "cancelled")
    rig.settle()
    assert not rig.client.find(lambda heard: heard.topic.endswith("/mark/late"))


def test_warnings_reach_the_sender(rig: Rig) -> None:
    rig.say("one", "odd", emotion="angry", colour="red", audio={"rate": 1})
    response = rig.response("say", "one")
    assert response["ok"] and len(response["warnings"]) == 3
    assert "unknown key 'colour' ignored" in response["warnings"]
    assert rig.event("one", "finished")["warnings"] == ["sounds odd"]


@pytest.mark.parametrize(
    ("keys", "code"),
    [
        ({"character": "nobody"}, "unknown_character"),
        ({"character": None}, "unknown_character"),
        ({"text": ""}, "text_empty"),
        ({"text": None}, "bad_request"),
        ({"text": "x", "line": "y"}, "bad_request"),
        ({"text": None, "line": "scene4"}, "unknown_line"),
        ({"text": "x" * (MAX_TEXT_CHARACTERS + 1)}, "too_large"),
        ({"text": 5}, "bad_request"),
        ({"rate": 2.5}, "bad_request"),
        ({"rate": "1"}, "bad_request"),
        ({"priority": True}, "bad_request"),
        ({"priority": 10**300}, "bad_request"),
        ({"output": []}, "bad_request"),
        ({"output": ["telepathy"]}, "bad_request"),
        ({"cache": "only"}, "not_cached"),
        ({"reply_to": "sovits/#"}, "reply_topic_refused"),
    ],
)
def test_refusals(rig: Rig, keys: dict[str, object], code: str) -> None:
    rig.say("bad", **{"text": "x", **keys})  # type: ignore[arg-type]
    rejected = rig.event("bad", "rejected")
    response = rig.response("say", "bad")
    assert rejected["code"] == response["code"] == code
    assert rejected["message"] == response["message"] != ""
    assert rejected["stage"] == "request" and rig.voice.started == []


def test_failures_of_the_synthesiser_end_the_line(rig: Rig) -> None:
    for request_id, text, code, stage in (
        ("broken", "it breaks in the middle", "runner_error", "synthesis"),
        ("exploded", "explodes", "internal", "synthesis"),
    ):
        rig.say(request_id, text)
        failed = rig.event(request_id, "failed")
        assert (failed["code"], failed["stage"]) == (code, stage)
        assert failed["retryable"] is (code == "runner_error")
    rig.say("fine", "fine")
    rig.event("fine", "finished")


def test_a_synthesiser_that_hangs_fails_the_line_and_ends_the_process(start_rig: Callable[..., Rig]) -> None:
    rig = start_rig(engine_timeout_s=0.3)
    rig.say("stuck", "hangs")
    failed = rig.event("stuck", "failed")
    assert failed["code"] == "runner_timeout" and failed["retryable"]
    rig.client.wait(lambda heard: heard.topic == f"{rig.root}/availability" and heard.payload == b"stopped")
    assert rig.lamp("state")[-1] == "error"


def test_ending_in_order_cancels_what_is_left(rig: Rig) -> None:
    rig.occupy()
    rig.say("queued", "x")
    rig.event("queued", "accepted")
    rig.daemon.stop()
    for request_id in ("first", "queued"):
        assert rig.event(request_id, "cancelled")["by"] == "shutdown"
    rig.client.wait(lambda heard: heard.topic == f"{rig.root}/availability" and heard.payload == b"stopped")
