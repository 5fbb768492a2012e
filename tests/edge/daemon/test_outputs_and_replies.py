"""Where sound, lip-sync and answers go, and what the cache does."""

from __future__ import annotations

import hashlib
import io
import json
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from edge.audio import Pcm16
from edge.daemon.status import HealthTick
from edge.engine.base import LINES_SIDE_BY_SIDE
from edge.playback.sink import NullSink
from tests.edge.daemon.broker import mosquitto, needs_mosquitto, wait_until
from tests.edge.daemon.conftest import Rig
from tests.edge.daemon.stand_in import MS_PER_CHARACTER, SAMPLES_PER_CHARACTER, UNSPEAKABLE, level

pytestmark = pytest.mark.broker


def audio(rig: Rig, request_id: str) -> tuple[dict[str, Any], list[bytes], dict[str, Any]]:
    prefix = f"{rig.root}/audio/{request_id}/"
    end = rig.client.wait(lambda heard: heard.topic == prefix + "end").json
    heard = rig.client.find(lambda heard: heard.topic.startswith(prefix))
    assert [message.topic[len(prefix) :] for message in heard] == [
        "meta", *(str(number) for number in range(len(heard) - 2)), "end",
    ]  # fmt: skip
    return heard[0].json, [message.payload for message in heard[1:-1]], end


def test_sound_over_mqtt_is_the_line(rig: Rig) -> None:
    text = "twenty-two characters!"
    rig.say("one", text, output=["audio"], audio={"chunk_bytes": 1000})
    meta, chunks, end = audio(rig, "one")
    data = b"".join(chunks)
    assert meta.pop("label") == {"ai_generated": True, "profile": "eu", "text": "AI", "audible_ms": 0.0}
    assert meta == {"id": "one", "format": "pcm16", "sample_rate": 32000, "channels": 1}
    assert end == {"chunks": len(chunks), "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    assert max(map(len, chunks)) == 1000
    samples = np.frombuffer(data, dtype="<i2")
    assert len(samples) == len(text) * SAMPLES_PER_CHARACTER and np.all(samples == level(text))
    rig.event("one", "finished")
    assert rig.names("one") == ["accepted", "started", "first_audio", "finished"]
    assert not np.any(rig.sound())


def test_only_what_somebody_takes_as_it_is_made_begins_with_a_short_chunk(rig: Rig) -> None:
    outputs = {"heard": ["play"], "sent": ["audio", "file"], "written": ["file"], "mouth": ["lipsync"]}
    for request_id, output in outputs.items():
        rig.say(request_id, request_id, output=output, cache="bypass")
        rig.event(request_id, "finished")
    rig.request("prepare", {"id": "p", "items": [{"character": "noah", "text": "kept"}]})
    rig.response("prepare", "p", 2)
    assert rig.voice.rendered == ["written", "mouth", "kept"]


def test_chunks_leave_as_they_are_computed(rig: Rig) -> None:
    rig.voice.chunk_delay_s = 0.05
    rig.say("one", "twenty-two characters!", output=["audio"])
    end = rig.client.wait(lambda heard: heard.topic.endswith("/audio/one/end"))
    first = rig.client.find(lambda heard: heard.topic.endswith("/audio/one/0"))[0]
    assert end.at - first.at > 0.2


@pytest.mark.parametrize("cached", [False, True])
def test_wav_over_mqtt_is_read_by_wav_readers(rig: Rig, cached: bool) -> None:
    if cached:
        rig.say("zero", "hello", output=["file"])
        rig.event("zero", "finished")
    rig.say("one", "hello", output=["audio"], audio={"format": "wav"})
    meta, chunks, _ = audio(rig, "one")
    data = b"".join(chunks)
    expected = np.full(5 * SAMPLES_PER_CHARACTER, level("hello"))
    assert meta["format"] == "wav"
    with wave.open(io.BytesIO(data)) as file:
        assert file.getframerate() == 32000
        assert np.array_equal(np.frombuffer(file.readframes(file.getnframes()), dtype="<i2"), expected)
        assert not cached or file.getnframes() == len(expected)
    assert np.array_equal(soundfile.read(io.BytesIO(data), dtype="int16")[0], expected)
    assert rig.event("one", "finished")["cached"] is cached


@needs_mosquitto
def test_chunks_never_exceed_what_the_broker_takes(start_rig: Callable[..., Rig], tmp_path: Path) -> None:
    with mosquitto(tmp_path, "max_packet_size 8192") as port:
        rig = start_rig(port=port)
        rig.say("one", "a line of sound that is far longer than one packet", output=["audio"])
        _, chunks, end = audio(rig, "one")
        assert max(map(len, chunks)) <= 8192 - 1024
        assert sum(map(len, chunks)) == end["bytes"]
        assert rig.event("one", "finished")
        rig.stop()


def test_files_hold_the_line_and_the_oldest_go(start_rig: Callable[..., Rig]) -> None:
    rig = start_rig(files={"max_mb": 1})
    text = "about a tenth of the room there is, or somewhat more"
    for number in range(14):
        rig.say(f"file:{number}", text, output=["file"])
    path = Path(rig.event("file:13", "finished")["path"])
    assert path == rig.directory / "audio" / "file:13.wav"
    with wave.open(str(path)) as file:
        assert file.getnframes() == len(text) * SAMPLES_PER_CHARACTER
    remaining = {path.name for path in path.parent.iterdir()}
    assert "file:13.wav" in remaining and "file:0.wav" not in remaining
    assert sum(path.stat().st_size for path in path.parent.iterdir()) <= 2**20


def test_a_file_that_cannot_be_written_fails_the_line(rig: Rig) -> None:
    (rig.directory / "audio").write_text("in the way")
    rig.say("one", output=["file", "play"])
    failed = rig.event("one", "failed")
    assert failed["stage"] == "output" and "audio" in failed["message"]


def test_lip_sync_comes_with_the_sound(rig: Rig) -> None:
    rig.say("one", "hello there", output=["play", "lipsync"])
    rig.event("one", "first_audio")
    heard = rig.client.find(lambda heard: heard.topic == f"{rig.root}/lipsync/noah")
    assert len(heard) == 1
    segment = heard[0].json
    assert {"id", "segment", "final", "source", "words", "phonemes", "visemes"} == set(segment)
    assert (segment["id"], segment["segment"], segment["final"], segment["source"]) == (
        "one",
        0,
        True,
        "durations",
    )
    assert segment["words"] == [{"t": 0.0, "d": 11 * MS_PER_CHARACTER / 1000, "text": "hello there"}]
    order = [message.topic.split("/", 2)[2] for message in rig.client.heard if "/event/" in message.topic]
    assert order == ["event/noah"] * 3
    assert heard[0].at <= rig.client.find(lambda heard: b'"first_audio"' in heard.payload)[0].at


@pytest.mark.parametrize("viseme_set", ["oculus", "rhubarb", "azure", "arkit", "polly"])
def test_every_viseme_set_is_served(rig: Rig, viseme_set: str) -> None:
    rig.say("one", "hello", output=["lipsync"], visemes=viseme_set)
    segment = rig.client.wait(lambda heard: "/lipsync/" in heard.topic).json
    assert segment["visemes"] and all(isinstance(entry, dict) for entry in segment["visemes"])
    rig.event("one", "finished")


def test_rendering_does_not_wait_for_the_loudspeaker(rig: Rig) -> None:
    rig.occupy()
    rig.say("render", "meanwhile", output=["audio", "lipsync", "file"])
    rig.event("render", "finished")
    assert rig.names("first")[-1] == "first_audio"


def test_a_spoken_line_overtakes_one_that_is_only_rendered(rig: Rig) -> None:
    rig.voice.chunk_delay_s = 0.02
    rig.say("render", "a long line, " * 20, output=["audio"])
    rig.event("render", "first_audio")
    rig.say("spoken", "now")
    rig.event("spoken", "finished")
    assert rig.names("render")[-1] == "first_audio"


def test_the_cache_is_used_as_asked(rig: Rig) -> None:
    for request_id, mode in (("one", "use"), ("two", "use"), ("three", "bypass"), ("four", "only")):
        rig.say(request_id, "again", cache=mode)
        rig.event(request_id, "finished")
    flags = [rig.event(name, "finished")["cached"] for name in ("one", "two", "three", "four")]
    assert flags == [False, True, False, True]
    assert [rig.event(name, "accepted")["cached"] for name in ("one", "two", "three")] == [False, True, False]
    assert rig.voice.started == ["again", "again"]
    rig.request("flush_cache")
    assert rig.response("flush_cache")["removed"] == 1
    rig.say("five", "again", cache="only")
    assert rig.event("five", "rejected")["code"] == "not_cached"


def test_another_acting_is_another_line(rig: Rig) -> None:
    rig.say("one", "again")
    rig.event("one", "finished")
    rig.say("two", "again", rate=1.01)
    assert rig.event("two", "finished")["cached"] is False


def test_a_cut_line_is_not_cached(rig: Rig) -> None:
    rig.voice.chunk_delay_s = 0.03
    rig.occupy("one", "a long line that is cut before it is complete")
    rig.client.say(f"{rig.root}/stop", "")
    rig.event("one", "cancelled")
    rig.say("two", "a long line that is cut before it is complete", cache="only")
    assert rig.event("two", "rejected")["code"] == "not_cached"


def test_prepare_fills_the_cache_and_reports(rig: Rig) -> None:
    items = [{"character": "noah", "text": f"line {number}"} for number in range(5)]
    items += [{"character": "nobody", "text": "x"}, {"character": "ava", "text": UNSPEAKABLE}]
    rig.request("prepare", {"id": "doors", "items": items, "reply_to": "replies/p"})
    final = rig.client.wait(lambda heard: heard.topic == "replies/p" and heard.json["final"]).json
    assert (final["total"], final["done"], final["cached"], final["ok"]) == (7, 5, 0, True)
    assert [(fault["index"], fault["code"]) for fault in final["failed"]] == [
        (5, "unknown_character"),
        (6, "text_unspeakable"),
    ]
    assert final["n_failed"] == 2
    first = rig.response("prepare", "doors")
    assert (first["done"], first["final"]) == (0, False)
    rig.say("show", "line 3", cache="only")
    assert rig.event("show", "finished")["cached"] is True
    assert not rig.client.events("doors")


def test_prepare_makes_a_line_once_that_is_asked_for_twice(rig: Rig) -> None:
    texts = ("one", "two", "one", UNSPEAKABLE, "one", "two", "three")
    items = [{"character": "noah", "text": text} for text in texts]
    items += [
        {"character": "noah", "text": UNSPEAKABLE, "id": "again"},
        {"character": "noah", "text": "four"},
    ]
    rig.voice.gate.clear()
    rig.request("prepare", {"id": "p", "items": items})
    preparations = rig.daemon._core.state.preparations
    wait_until(lambda: len(preparations._items) == LINES_SIDE_BY_SIDE)
    rig.voice.gate.set()
    final = rig.client.wait(lambda heard: heard.topic.endswith("response/prepare") and heard.json["final"])
    assert (final.json["done"], final.json["cached"], final.json["n_failed"]) == (7, 3, 2)
    assert [fault["index"] for fault in final.json["failed"]] == [3, 7]
    assert final.json["failed"][1]["id"] == "again"
    assert sorted(rig.voice.rendered) == ["four", "one", "three", "two"]


def test_prepare_steps_back_for_a_line(rig: Rig) -> None:
    rig.voice.chunk_delay_s = 0.02
    rig.request("prepare", {"items": [{"character": "ava", "text": "a long line, " * 30}]})
    wait_until(lambda: rig.voice.started)
    rig.say("live", "now")
    rig.event("live", "finished")
    assert not rig.client.find(lambda heard: heard.topic.endswith("response/prepare") and heard.json["final"])


def test_answers_go_to_the_response_topic_with_the_correlation(rig: Rig) -> None:
    correlation = b"\x00\xff any bytes"
    rig.request(
        "say",
        {"id": "one", "character": "noah", "text": "hi", "reply_to": "replies/json"},
        ResponseTopic="replies/v5",
        CorrelationData=correlation,
    )
    answers = [
        rig.client.wait(lambda heard, t=topic: heard.topic == t) for topic in ("replies/v5", "replies/json")
    ]
    assert all(answer.correlation == correlation for answer in answers)
    assert answers[0].json == answers[1].json == rig.response("say", "one")
    rig.client.say(f"{rig.root}/say/noah", "text too", ResponseTopic="replies/text", CorrelationData=b"2")
    assert rig.client.wait(lambda heard: heard.topic == "replies/text").correlation == b"2"


@pytest.mark.parametrize(
    "topic", ["$SYS/x", "a/#", "a/+/b", "x" * 257, "", "ROOT", "ROOT/request/say", "a\x00b", "\ud800"]
)
def test_dangerous_reply_topics_are_refused(rig: Rig, topic: str) -> None:
    topic = topic.replace("ROOT", rig.root)
    rig.say("one", reply_to=topic)
    assert rig.event("one", "rejected")["code"] == "reply_topic_refused"
    assert rig.response("say", "one")["code"] == "reply_topic_refused"


def test_reply_prefixes_are_obeyed(start_rig: Callable[..., Rig]) -> None:
    rig = start_rig(mqtt={"reply_prefixes": ["replies/"]})
    rig.request("status", {"id": "bad"}, ResponseTopic="elsewhere/x")
    assert rig.response("status")["code"] == "reply_topic_refused"
    rig.request("status", {"id": "good"}, ResponseTopic="replies/x")
    assert rig.client.wait(lambda heard: heard.topic == "replies/x").json["id"] == "good"


def test_retained_commands_are_refused_when_they_are_replayed(start_rig: Callable[..., Rig]) -> None:
    rig = start_rig(online=False)
    rig.client.say(f"{rig.root}/say/noah", "ghost", retain=True)
    rig.client.say(f"{rig.root}/stop", "", retain=False)
    rig.wait_online()
    rig.settle()
    rig.client.say(f"{rig.root}/say/ava", "ghost", retain=True)
    rig.settle()
    heard_live = rig.voice.started.count("ghost")
    second = start_rig(device=rig.config.device, mqtt={"client_id": "another"})
    second.wait_online()
    rejected = second.client.wait(
        lambda heard: "/event/ava" in heard.topic and b"retained_command" in heard.payload
    )
    assert rejected.json["event"] == "rejected"
    second.settle()
    assert second.voice.started == [] and heard_live <= 2
    for character in ("noah", "ava"):
        rig.client.say(f"{rig.root}/say/{character}", b"", retain=True)


def test_the_other_operations_answer(rig: Rig) -> None:
    rig.request("characters", {"id": "c"})
    characters = rig.response("characters", "c")["characters"]
    assert [entry["name"] for entry in characters] == ["noah", "ava"]
    assert characters[0]["emotions"] == ["neutral", "sad"]
    rig.occupy()
    rig.say("queued")
    rig.event("queued", "accepted")
    rig.request("status", {"id": "s"})
    status = rig.response("status", "s")
    assert (status["active"], status["queue"], status["queue_depth"]) == (["first"], ["queued"], 1)
    rig.request("reload", {"id": "r"})
    assert rig.response("reload", "r")["bundle"] == "stand-in 1.0.0"
    rig.request("dance", {})
    assert rig.response("dance")["code"] == "bad_request"
    rig.client.say(f"{rig.root}/line/scene4", "")
    assert rig.response("line")["code"] == "unknown_line"
    assert (
        rig.client.wait(lambda heard: heard.topic == f"{rig.root}/event/unknown").json["code"]
        == "unknown_line"
    )


def test_status_is_retained_and_complete(rig: Rig) -> None:
    status = rig.client.wait(lambda heard: heard.topic == f"{rig.root}/status").json
    assert set(status) == {
        "version", "contract", "boot_id", "runner", "precision", "bundle", "characters", "queue_depth",
        "journal_backlog", "last_error", "label",
    }  # fmt: skip
    assert status["contract"] == 1 and status["characters"] == ["noah", "ava"]


def test_health_knows_that_its_messages_come_back(rig: Rig) -> None:
    wait_until(lambda: rig.daemon._core.state.loopback.way_ms is not None)
    rig.daemon._inbox.put(HealthTick())  # ten seconds early
    health = rig.client.wait(lambda heard: heard.topic == f"{rig.root}/health", n=2).json
    assert 0 <= health["loopback_age_s"] < 10 and 0 < health["loopback_ms"] < 5000
    assert health["connected"] and health["resident_mb"] > 10


class FaultySink(NullSink):
    """A loudspeaker that can be unplugged."""

    def __init__(self) -> None:
        super().__init__(10)
        self.unplugged = False

    def _deliver(self, block: Pcm16) -> None:
        if self.unplugged:
            self.unplugged = False
            raise OSError("unplugged")


def test_a_lost_loudspeaker_fails_the_line_and_comes_back(start_rig: Callable[..., Rig]) -> None:
    sink = FaultySink()
    rig = start_rig(sink=sink)
    rig.occupy()
    sink.unplugged = True
    failed = rig.event("first", "failed")
    assert (failed["code"], failed["retryable"]) == ("audio_device_lost", True)
    rig.say("during", "x")
    assert rig.event("during", "failed")["code"] == "audio_device_lost"
    rig.client.wait(lambda heard: heard.topic == f"{rig.root}/state" and heard.payload == b"degraded")
    rig.client.wait(
        lambda heard: heard.topic == f"{rig.root}/state" and heard.payload == b"idle",
        n=rig.lamp("state").count("idle") + 1,
    )
    rig.say("after", "x")
    rig.event("after", "finished")


def test_json_answers_are_plain_objects(rig: Rig) -> None:
    rig.say("one", "hello", output=["play", "audio", "lipsync", "file"])
    rig.event("one", "finished")
    for heard in rig.client.heard:
        if (
            heard.topic.startswith(rig.root)
            and "/audio/one/" not in heard.topic
            and heard.payload[:1] == b"{"
        ):
            assert isinstance(json.loads(heard.payload), dict)


@pytest.mark.parametrize(
    ("tail", "topic", "code"),
    [
        ("say", "response/say", "unknown_character"),
        ("say/noah/extra", "response/say", "unknown_character"),
        ("say/Noah Smith", "response/say", "unknown_character"),
        ("stop/a/b", "response/stop", "unknown_character"),
        ("line", "response/line", "unknown_line"),
        ("line/a/b", "response/line", "unknown_line"),
        ("request", "response/unknown", "bad_request"),
        ("request/say/again", "response/unknown", "bad_request"),
    ],
)
def test_malformed_topics_are_answered(rig: Rig, tail: str, topic: str, code: str) -> None:
    rig.client.say(f"{rig.root}/{tail}", "{}")
    answer = rig.client.wait(lambda heard: heard.topic == f"{rig.root}/{topic}").json
    assert (answer["ok"], answer["code"]) == (False, code)


def test_health_comes_back_also_while_intake_is_full(rig: Rig) -> None:
    """A burst that fills intake is no reason to blame the broker."""
    inbox, loopback = rig.daemon._inbox, rig.daemon._core.state.loopback
    wait_until(lambda: loopback.way_ms is not None)
    inbox._max_intake = 0  # nothing of QoS 0 gets in any more
    before = loopback._returned
    inbox.put(HealthTick())
    wait_until(lambda: loopback._returned != before)
    assert inbox.dropped == 0
