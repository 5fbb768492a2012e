"""The HTTP door, through sockets: a real server, a real daemon, real clients."""

from __future__ import annotations

import http.client
import io
import json
import socket
import sys
import threading
import time
import wave
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.config import HttpConfig
from edge.demo.broker import free_port
from edge.engine.base import LINES_SIDE_BY_SIDE
from edge.errors import ConfigError
from edge.protocols.http import HttpDoor
from tests.edge.daemon.broker import wait_until
from tests.edge.daemon.conftest import Rig
from tests.edge.daemon.stand_in import SAMPLES_PER_CHARACTER, UNSPEAKABLE, level

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")
prometheus = pytest.importorskip("prometheus_client.parser")

pytestmark = pytest.mark.broker

JSON = {"Content-Type": "application/json"}
SPEECH = "/v1/audio/speech"


class Door:
    """A rig with an HTTP door, and a client for it."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        assert rig.config.http is not None
        self.port = rig.config.http.port

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)

    def ask(
        self, method: str, path: str, body: Any = None, headers: dict[str, str] | None = None
    ) -> tuple[int, dict[str, str], bytes]:
        """One request on a connection of its own: status, headers, body."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        with closing(self.connect()) as connection:
            connection.request(method, path, data, (JSON if data is not None else {}) | (headers or {}))
            with closing(connection.getresponse()) as answer:
                return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()

    def speak(self, text: str = "hello", **keys: Any) -> tuple[int, dict[str, str], bytes]:
        return self.ask("POST", SPEECH, {"input": text, "voice": "noah", **keys})

    def begin(self, text: str, **keys: Any) -> socket.socket:
        """Ask for a line and read nothing of the answer."""
        body = json.dumps({"input": text, "voice": "noah", **keys}).encode()
        head = f"POST {SPEECH} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        client = socket.socket()
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)  # or the kernel reads megabytes ahead
        client.connect(("127.0.0.1", self.port))
        client.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        return client


def fault(answer: tuple[int, dict[str, str], bytes]) -> tuple[int, str, str]:
    status, headers, body = answer
    assert headers["content-type"] == "application/json"
    error = json.loads(body)["error"]
    return status, error["code"], error["message"]


@pytest.fixture
def open_door(start_rig: Callable[..., Rig]) -> Callable[..., Door]:
    def start(*, settings: dict[str, Any] | None = None, **options: Any) -> Door:
        http_settings = {"port": free_port(), **(settings or {})}
        return Door(start_rig(http=http_settings, **options))

    return start


@pytest.fixture
def door(open_door: Callable[..., Door]) -> Door:
    return open_door()


def last(rig: Rig, name: str) -> dict[str, Any]:
    heard = rig.client.wait(lambda heard: "/event/" in heard.topic and heard.json["event"] == name)
    return dict(heard.json)


def test_pcm_is_the_line(door: Door) -> None:
    status, headers, body = door.speak("twenty-two characters!", response_format="pcm", model="tts-1")
    samples = np.frombuffer(body, dtype="<i2")
    assert status == 200 and headers["content-type"].startswith("audio/pcm;rate=32000")
    assert headers["x-sample-rate"] == "32000" and "x-warnings" not in headers
    assert len(samples) == 22 * SAMPLES_PER_CHARACTER and np.all(samples == level("twenty-two characters!"))
    finished = last(door.rig, "finished")
    assert finished["id"] == headers["x-request-id"] and finished["character"] == "noah"
    assert door.rig.names(finished["id"]) == ["accepted", "started", "first_audio", "finished"]
    assert not door.rig.client.find(lambda heard: "/audio/" in heard.topic), (
        "it is not sent over MQTT as well"
    )
    assert not np.any(door.rig.sound()), "nor played"


@pytest.mark.parametrize("cached", [False, True])
def test_wav_is_read_by_wav_readers(door: Door, cached: bool) -> None:
    for _ in range(1 + cached):
        status, headers, body = door.speak("hello")
    assert status == 200 and headers["content-type"] == "audio/wav"
    with wave.open(io.BytesIO(body)) as file:
        assert file.getframerate() == 32000
        samples = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
    assert len(samples) == 5 * SAMPLES_PER_CHARACTER and np.all(samples == level("hello"))


def test_sound_leaves_as_it_is_computed(door: Door) -> None:
    door.rig.voice.chunk_delay_s = 0.1
    connection = door.connect()
    body = json.dumps({"input": "a line of many characters", "voice": {"id": "noah"}})
    connection.request("POST", SPEECH, body, JSON)
    answer = connection.getresponse()
    answer.read(44 + 2000)
    begun = time.monotonic()
    assert len(answer.read()) > 4000 and time.monotonic() - begun > 0.3
    connection.close()


def test_keys_of_both_interfaces_are_obeyed(door: Door) -> None:
    extra = {"speed": 1.5, "emotion": "sad", "instructions": "softly", "colour": 1, "output": ["play"]}
    _, headers, _ = door.speak("hello", **extra)
    assert json.loads(headers["x-warnings"]) == [
        "unknown key 'colour' ignored",
        "key output has no meaning here, ignored",
    ]
    assert not np.any(door.rig.sound())
    _, headers, _ = door.speak("hello", emotion="angry")
    assert "angry" in headers["x-warnings"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"voice": "noah"}, (400, "bad_request", "input: field required")),
        ({"input": "", "voice": "noah"}, (400, "text_empty", "nothing to say")),
        ({"input": "x", "voice": "alloy"}, (404, "unknown_character", "noah")),
        ({"input": "x", "voice": "No/ah"}, (400, "bad_request", "voice")),
        ({"input": "x", "voice": "noah", "response_format": "mp3"}, (400, "bad_request", "'wav' or 'pcm'")),
        ({"input": "x", "voice": "noah", "stream_format": "sse"}, (400, "bad_request", "stream_format")),
        ({"input": "x", "voice": "noah", "speed": 4}, (400, "bad_request", "speed")),
        ({"input": "x", "voice": "noah", "speed": "1"}, (400, "bad_request", "speed")),
        ({"input": 3, "voice": "noah"}, (400, "bad_request", "input")),
        ({"input": "x" * 2001, "voice": "noah"}, (413, "too_large", "2001")),
        ({"input": "x", "voice": "noah", "cache": "only"}, (404, "not_cached", "cache")),
        ({"input": UNSPEAKABLE, "voice": "noah"}, (400, "text_unspeakable", "spoken")),
        ({"input": "explodes", "voice": "noah"}, (500, "internal", "boom")),
        (b"{", (400, "bad_json", "JSON")),
        (b"[1]", (400, "bad_json", "object")),
        (b"", (400, "bad_request", "input")),
        (b"[" * 100_000, (400, "bad_json", "nested")),
        (b'{"input": NaN}', (400, "bad_json", "NaN")),
        (b'{"input": "a", "input": "b"}', (400, "bad_json", "twice")),
        ('{"input": "你好"}'.encode("gb18030"), (400, "bad_encoding", "GB18030")),
        (b"x" * 300_000, (413, "too_large", "262144")),
    ],
)
def test_a_fault_has_the_code_of_the_contract(door: Door, body: Any, expected: tuple[int, str, str]) -> None:
    status, code, message = fault(door.ask("POST", SPEECH, body))
    assert (status, code) == expected[:2] and expected[2] in message, message
    assert door.speak("still there")[0] == 200


def test_other_paths_methods_and_types(door: Door) -> None:
    assert fault(door.ask("GET", "/"))[:2] == (404, "bad_request")
    assert fault(door.ask("GET", SPEECH))[:2] == (405, "bad_request")
    assert fault(door.ask("POST", "/v1/voices", {}))[:2] == (405, "bad_request")
    assert fault(door.ask("POST", SPEECH, {"input": "x"}, {"Content-Type": "text/plain"}))[0] == 415
    names = fault(door.ask("GET", "/v1/voices", headers={"Host": "evil.example:8020"}))
    assert names[0] == 421 and "evil.example" in names[2]
    for host in ("localhost", "127.0.0.1:99", "[::1]:8020"):
        assert door.ask("GET", "/v1/voices", headers={"Host": host})[0] == 200


def test_voices_health_and_metrics(door: Door) -> None:
    voices = json.loads(door.ask("GET", "/v1/voices")[2])
    assert [voice["id"] for voice in voices["data"]] == ["noah", "ava"]
    assert voices["data"][0]["emotions"] == ["neutral", "sad"]
    status, _, body = door.ask("GET", "/healthz")
    assert (
        status == 200 and json.loads(body)["state"] == "idle" and json.loads(body)["mqtt_connected"] is True
    )
    door.speak("hello")
    door.speak("hello")
    door.speak("", voice="noah")
    figures = metrics(door)
    assert figures["sovits_edge_lines_total", "outcome=finished"] == 2
    assert figures["sovits_edge_faults_total", "code=text_empty"] == 1
    assert figures["sovits_edge_cache_hits_total", ""] == figures["sovits_edge_cache_misses_total", ""] == 1
    assert figures["sovits_edge_first_audio_seconds_bucket", "le=+Inf"] == 2
    assert figures["sovits_edge_first_audio_seconds_count", ""] == 2
    assert figures["sovits_edge_state", "state=idle"] == 1 and figures["sovits_edge_mqtt_connected", ""] == 1
    assert figures["sovits_edge_sound_seconds_total", ""] == pytest.approx(0.25)


def metrics(door: Door) -> dict[tuple[str, str], float]:
    status, headers, page = door.ask("GET", "/metrics")
    assert status == 200 and headers["content-type"].startswith("text/plain; version=0.0.4")
    return {
        (sample.name, ",".join(f"{key}={value}" for key, value in sample.labels.items())): sample.value
        for family in prometheus.text_string_to_metric_families(page.decode())
        for sample in family.samples
    }


def test_a_client_that_hangs_up_cancels_its_line(door: Door) -> None:
    door.rig.voice.chunk_delay_s = 0.05
    client = door.begin("a line that is long enough to be cut off in the middle of it")
    last(door.rig, "first_audio")
    client.close()
    assert last(door.rig, "cancelled")["by"] == "request"


def test_a_client_that_hangs_up_while_waiting_cancels_its_line(door: Door) -> None:
    door.rig.voice.gate.clear()
    first, second = door.begin("one"), door.begin("two")
    door.rig.client.wait(lambda heard: "/event/" in heard.topic and heard.json["event"] == "accepted", 2)
    second.close()
    last(door.rig, "cancelled")
    first.close()
    door.rig.client.wait(lambda heard: "/event/" in heard.topic and heard.json["event"] == "cancelled", 2)
    door.rig.voice.gate.set()


def test_a_slow_reader_holds_up_nobody_and_is_cut_off(open_door: Callable[..., Door]) -> None:
    door = open_door(settings={"max_buffer_mb": 4})
    slow = door.begin("a" * 1900)  # 3 MB
    finished = last(door.rig, "finished")
    begun = time.monotonic()
    assert door.speak("quick")[0] == 200 and time.monotonic() - begun < 2
    door.rig.occupy("played")
    door.rig.event("played", "finished")
    slower = door.begin("b" * 1900)  # together more than may wait
    door.rig.client.wait(
        lambda heard: heard.json["event"] == "finished" if "/event/" in heard.topic else 0, 4
    )
    texts = [read_all(slow), read_all(slower)]
    cut = [len(text) < 1900 * SAMPLES_PER_CHARACTER * 2 for text in texts]
    assert sorted(cut) == [False, True] and finished["audio_ms"] > 40_000
    assert not any(text.endswith(b"0\r\n\r\n") for text, is_cut in zip(texts, cut, strict=True) if is_cut)
    assert door.speak("still there")[0] == 200


def read_all(client: socket.socket) -> bytes:
    client.settimeout(10)
    data = bytearray()
    try:
        while part := client.recv(65536):
            data += part
            if data.endswith(b"\r\n0\r\n\r\n"):
                break
    except ConnectionResetError:
        pass
    client.close()
    return bytes(data)


def test_a_stalled_reader_is_cut_off(open_door: Callable[..., Door]) -> None:
    door = open_door(settings={"stall_s": 1})
    client = door.begin("a" * 1900)
    last(door.rig, "finished")
    http_door = door.rig.daemon._doors[0]
    wait_until(lambda: not http_door._handlers._speeches, what="request given up")
    client.close()


def test_no_more_at_a_time_than_configured(open_door: Callable[..., Door]) -> None:
    door = open_door(settings={"max_requests": 2})
    door.rig.voice.gate.clear()
    waiting = [door.begin("one"), door.begin("two")]
    door.rig.client.wait(lambda heard: "/event/" in heard.topic and heard.json["event"] == "accepted", 2)
    status, code, _ = fault(door.speak("three"))
    assert (status, code) == (503, "queue_full")
    door.rig.voice.gate.set()
    for client in waiting:
        assert b" 200 OK" in read_all(client)


def test_a_line_that_waits_too_long_expires(open_door: Callable[..., Door]) -> None:
    door = open_door(settings={"max_wait_s": 0.3})
    door.rig.voice.gate.clear()
    under_way = [door.begin(f"line {number}") for number in range(LINES_SIDE_BY_SIDE)]
    door.rig.client.wait(lambda heard: "/event/" in heard.topic and heard.json["event"] == "started", 4)
    assert fault(door.speak("one more"))[:2] == (503, "expired")
    door.rig.voice.gate.set()
    assert all(b" 200 OK" in read_all(client) for client in under_way)


def test_a_line_that_breaks_in_the_middle_is_visibly_incomplete(door: Door) -> None:
    with pytest.raises(http.client.IncompleteRead):
        door.speak("it breaks before it is over")
    assert last(door.rig, "failed")["code"] == "runner_error"
    assert door.speak("still there")[0] == 200


def test_stop_and_shutdown_end_waiting_requests(door: Door) -> None:
    door.rig.voice.gate.clear()
    answers: list[Any] = []
    asking = threading.Thread(target=lambda: answers.append(door.speak("one")))
    asking.start()
    last(door.rig, "started")
    door.rig.client.say(f"{door.rig.root}/stop", "")
    asking.join(10)
    assert fault(answers[0]) == (503, "cancelled", "the line was cut off (by stop)")
    asking = threading.Thread(target=lambda: answers.append(door.speak("two")))
    asking.start()
    door.rig.client.wait(lambda heard: "/event/" in heard.topic and heard.json["event"] == "started", 2)
    door.rig.voice.gate.set()
    door.rig.stop()
    asking.join(10)
    assert len(answers) == 2 and not asking.is_alive()
    with pytest.raises(OSError):
        door.connect().connect()


def test_a_token_is_asked_for(open_door: Callable[..., Door], tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret\n")
    door = open_door(settings={"host": "0.0.0.0", "token_file": tmp_path / "token"})
    assert door.ask("GET", "/healthz")[0] == 200
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": "secret"}):
        status, code, _ = fault(door.ask("GET", "/v1/voices", headers=headers))
        assert (status, code) == (401, "bad_request")
    right = {"Authorization": "Bearer secret", "Host": "kiosk.example"}
    assert door.ask("GET", "/v1/voices", headers=right)[0] == 200
    assert door.ask("GET", "/metrics", headers=right)[0] == 200


def test_hostile_bytes(door: Door) -> None:
    for data in (
        b"\x00" * 100,
        b"GET " + b"/" * 100_000,
        b"POST / HTTP/1.1\r\n" + b"A: b\r\n" * 10_000,
        b"\r\n",
    ):
        with socket.create_connection(("127.0.0.1", door.port)) as client:
            try:
                client.sendall(data)
                client.settimeout(0.3)
                client.recv(1000)
            except OSError:
                pass
    idle = [socket.create_connection(("127.0.0.1", door.port)) for _ in range(100)]
    assert door.speak("still there")[0] == 200
    for client in idle:
        client.close()


def test_health_before_the_voice_is_there(open_door: Callable[..., Door], tmp_path: Path) -> None:
    door = open_door()
    door.rig.daemon._core.state.voice = None
    status, _, body = door.ask("GET", "/healthz")
    assert status == 503 and json.loads(body)["state"] == "starting"


def test_a_missing_extra_is_named(
    open_door: Callable[..., Door], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    door = open_door()
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    status, code, message = fault(door.ask("GET", "/metrics"))
    assert (status, code) == (501, "bad_request") and "pip install 'sovits-tiny[metrics]'" in message
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    door_without = HttpDoor(HttpConfig(), lambda command, **_: True, lambda answer: None, 1000, Path("audio"))
    with pytest.raises(ConfigError, match=r"\[http\] needs uvicorn: pip install 'sovits-tiny\[http\]'"):
        door_without.open()
