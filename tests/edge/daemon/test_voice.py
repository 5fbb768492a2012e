"""The daemon on the real synthesiser, with the tiny voice: the whole way from a topic to samples."""

from __future__ import annotations

import threading
import time
import wave
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from edge.config import EdgeConfig
from edge.daemon import Daemon
from edge.synthesizer import SpeechRequest, Synthesizer
from tests.edge.daemon.broker import Client

pytestmark = pytest.mark.broker
TINY_VOICE = Path(__file__).parents[2] / "data" / "tiny_voice"
ROOT = "sovits/tiny"
TEXT = "你好。[mark:door_open]Welcome to the show! こんにちは。"


@pytest.fixture(scope="module")
def client(broker_port: int, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    directory = tmp_path_factory.mktemp("tiny")
    config = EdgeConfig.model_validate(
        {
            "device": "tiny",
            "bundle": TINY_VOICE,
            "state_dir": directory,
            "mqtt": {"port": broker_port},
            "sink": {"type": "null"},
            "engine": "thread",
            "loudness": {"target_dbfs": "off"},
        }
    )
    daemon = Daemon(config)
    thread = threading.Thread(target=daemon.run)
    thread.start()
    client = Client(broker_port, f"{ROOT}/#")
    client.wait(
        lambda heard: heard.topic == f"{ROOT}/availability" and heard.payload == b"online", timeout_s=60
    )
    yield client
    daemon.stop()
    thread.join(timeout=60)
    client.close()
    assert not thread.is_alive()


def say(client: Client, request_id: str, text: str = TEXT, **keys: object) -> None:
    client.say(f"{ROOT}/request/say", {"id": request_id, "character": "noah", "text": text, **keys})


def collected(client: Client, request_id: str) -> np.ndarray:
    prefix = f"{ROOT}/audio/{request_id}/"
    client.wait(lambda heard: heard.topic == prefix + "end")
    pieces = client.find(
        lambda heard: heard.topic.startswith(prefix) and heard.topic[len(prefix) :].isdigit()
    )
    return np.frombuffer(b"".join(heard.payload for heard in pieces), dtype="<i2")


def test_streamed_over_mqtt_equals_the_whole_line(client: Client) -> None:
    say(client, "streamed", output=["audio", "file", "lipsync"], cache="bypass")
    streamed = collected(client, "streamed").astype(int)
    with closing(Synthesizer.load(TINY_VOICE)) as synthesizer:
        whole = synthesizer.synthesize(SpeechRequest(TEXT, "noah")).audio.astype(int)
    assert len(streamed) == len(whole)
    assert np.abs(streamed - whole).max() <= 1
    finished = client.wait_event("streamed", "finished")
    with wave.open(finished["path"]) as file:
        assert np.array_equal(np.frombuffer(file.readframes(file.getnframes()), dtype="<i2"), streamed)
    assert finished["audio_ms"] == pytest.approx(len(whole) / 32, abs=0.001)


def test_cached_sound_is_the_same_sound(client: Client) -> None:
    say(client, "fresh", "The same words twice.", output=["audio"])
    fresh = collected(client, "fresh")
    say(client, "again", "The same words twice.", output=["audio"], cache="only")
    assert np.array_equal(collected(client, "again"), fresh)


def test_lip_sync_covers_the_line_segment_by_segment(client: Client) -> None:
    say(client, "lips", output=["lipsync"])
    finished = client.wait_event("lips", "finished")
    segments = [
        heard.json
        for heard in client.find(lambda heard: heard.topic == f"{ROOT}/lipsync/noah")
        if heard.json["id"] == "lips"
    ]
    assert [segment["segment"] for segment in segments] == list(range(len(segments)))
    assert [segment["final"] for segment in segments] == [False] * (len(segments) - 1) + [True]
    visemes = [viseme for segment in segments for viseme in segment["visemes"]]
    assert visemes[0]["t"] == 0
    for before, after in pairwise(visemes):
        assert after["t"] == pytest.approx(before["t"] + before["d"], abs=2e-4)
    assert visemes[-1]["t"] + visemes[-1]["d"] == pytest.approx(finished["audio_ms"] / 1000, abs=1e-3)


def test_a_mark_fires_while_the_line_is_heard(client: Client) -> None:
    say(client, "marked")
    mark = client.wait(lambda heard: heard.topic == f"{ROOT}/mark/door_open")
    finished = client.wait_event("marked", "finished")
    assert 0 < mark.json["t_ms"] < finished["audio_ms"]
    assert finished["underruns"] == 0


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("안녕", "text_unspeakable"),
        ("[pause:1s]สวัสดี!", "text_unspeakable"),
        ("\U0001d11e \u0e01\u0489", "text_unspeakable"),
        (" ", "text_empty"),
    ],
)
def test_what_cannot_be_spoken_is_refused(client: Client, text: str, code: str) -> None:
    request_id = f"bad-{time.monotonic_ns()}"
    say(client, request_id, text)
    assert client.wait_event(request_id, "rejected")["code"] == code
    assert len(client.events(request_id)) == 1


HOSTILE = {
    "right-to-left": "\u202eabc שלום",
    "zero width": "a\u200bb\u200cc\ufeffd",
    "emoji": "👩‍👩‍👧‍👦🎉 hello",
    "many": "哈" * 500,
    "digits": "9" * 400,
    "markup": '<speak><say-as interpret-as="date">x</say-as></speak>',
    "scripts": "Привет мир 안녕 สวัสดี",
    "combining": "e\u0301" * 50 + "\u0489" * 50,
    "punctuation": "?!…—。、" * 50,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_ends_in_one_event_and_the_daemon_lives(client: Client, name: str) -> None:
    request_id = "hostile-" + name.replace(" ", "-")
    say(client, request_id, HOSTILE[name], output=["lipsync"])
    final = ("finished", "failed", "rejected")
    client.wait(
        lambda heard: (
            "/event/" in heard.topic and heard.json["id"] == request_id and heard.json["event"] in final
        ),
        timeout_s=30,
    )
    assert sum(event["event"] in final for event in client.events(request_id)) == 1
    codes = {event.get("code") for event in client.events(request_id)}
    assert "internal" not in codes
