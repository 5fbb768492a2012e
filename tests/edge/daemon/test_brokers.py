"""Brokers of several kinds and moods, and clients that are not ours."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest

from edge.demo.broker import EmbeddedBroker
from tests.edge.daemon.broker import (
    PATIENCE_S,
    Client,
    free_port,
    mosquitto,
    needs_clients,
    needs_mosquitto,
    wait_until,
)
from tests.edge.daemon.conftest import Rig

pytestmark = pytest.mark.broker
TINY_VOICE = Path("tests/data/tiny_voice").resolve()


def publish(port: int, topic: str, *options: str, stdin: bytes | None = None) -> None:
    command = ["mosquitto_pub", "-h", "127.0.0.1", "-p", str(port), "-t", topic, *options]
    subprocess.run(command, input=stdin, check=True, timeout=PATIENCE_S)


@needs_clients
@pytest.mark.parametrize("version", ["mqttv31", "mqttv311", "mqttv5"])
@pytest.mark.parametrize("qos", ["0", "1", "2"])
def test_strangers_of_every_version_and_quality(rig: Rig, version: str, qos: str) -> None:
    publish(rig.config.mqtt.port, f"{rig.root}/say/ava", "-V", version, "-q", qos, "-m", "你好。")
    request_id = rig.response("say")["id"]
    assert rig.event(request_id, "finished")["character"] == "ava"
    publish(rig.config.mqtt.port, f"{rig.root}/stop", "-V", version, "-q", qos, "-n")
    assert rig.response("stop")["ok"]


@needs_clients
def test_a_stranger_hears_events_and_lamps(rig: Rig) -> None:
    port = str(rig.config.mqtt.port)
    command = ["mosquitto_sub", "-h", "127.0.0.1", "-p", port, "-V", "mqttv311", "-W", "5", "-C", "1", "-v"]
    with subprocess.Popen([*command, "-t", f"{rig.root}/availability"], stdout=subprocess.PIPE) as listener:
        assert listener.communicate(timeout=PATIENCE_S)[0] == f"{rig.root}/availability online\n".encode()


@needs_clients
def test_a_burst_is_accounted_for_to_the_last_message(rig: Rig) -> None:
    n_lines = 500
    lines = "".join(
        f'{{"id":"burst-{number}","character":"noah","text":"x","output":["lipsync"]}}\n'
        for number in range(n_lines)
    )
    publish(rig.config.mqtt.port, f"{rig.root}/request/say", "-q", "1", "-l", stdin=lines.encode())

    def ends() -> dict[str, str]:
        final = ("finished", "rejected", "cancelled", "failed", "expired")
        return {event["id"]: event["event"] for event in rig.client.events() if event["event"] in final}

    wait_until(lambda: len(ends()) == n_lines, 60, "an end for every line", every_s=0.3)
    assert set(ends().values()) <= {"finished", "rejected"}
    assert rig.daemon._inbox.dropped == 0


def test_fall_back_to_3_1_1_where_the_broker_knows_nothing_newer(
    start_rig: Callable[..., Rig], tmp_path: Path
) -> None:
    if find_spec("amqtt") is None:
        pytest.skip("amqtt is not installed (extra demo)")
    with EmbeddedBroker() as broker:
        rig = start_rig(port=broker.port, online=False, v5=False)
        rig.wait_online()
        assert rig.daemon._connection.protocol == "3.1.1"
        rig.say("one", "hello", output=["play", "audio", "lipsync"], reply_to="replies/amqtt")
        rig.event("one", "finished")
        assert rig.client.wait(lambda heard: heard.topic == "replies/amqtt").json["ok"]
        rig.stop()


def test_3_1_1_by_configuration(start_rig: Callable[..., Rig]) -> None:
    rig = start_rig(mqtt={"protocol": "3.1.1"})
    rig.say("one", "hello", reply_to="replies/old")
    rig.event("one", "finished")
    assert rig.client.wait(lambda heard: heard.topic == "replies/old").json["ok"]


@needs_mosquitto
def test_a_broker_that_goes_away_and_comes_back(start_rig: Callable[..., Rig], tmp_path: Path) -> None:
    port = free_port()
    with mosquitto(tmp_path, port=port):
        rig = start_rig(port=port)
        rig.occupy("one", "a line that goes on while the broker is away, word by word")
    with mosquitto(tmp_path, port=port):
        fresh = Client(port, f"{rig.root}/#")
        fresh.wait(lambda heard: heard.topic.endswith("/availability") and heard.payload == b"online")
        fresh.wait_event("one", "finished")
        fresh.wait(lambda heard: heard.topic.endswith("/status"))
        fresh.say(f"{rig.root}/request/say", {"id": "two", "character": "ava", "text": "back"})
        fresh.wait_event("two", "finished")
        fresh.close()
        rig.stop()


@needs_mosquitto
def test_the_daemon_starts_before_its_broker(broker_port: int, tmp_path: Path) -> None:
    port = free_port()
    with serving(port, tmp_path):
        _wait_for_a_knock(port)
        with mosquitto(tmp_path, port=port):
            client = Client(port, "sovits/real/availability")
            client.wait(lambda heard: heard.payload == b"online")
            client.close()


def _wait_for_a_knock(port: int) -> None:
    """Wait until somebody has tried to connect, and turn them away."""
    with socket.create_server(("127.0.0.1", port)) as door:
        door.settimeout(PATIENCE_S)
        door.accept()[0].close()


@contextmanager
def serving(port: int, directory: Path) -> Iterator[subprocess.Popen[bytes]]:
    """The real thing, in a process of its own, with the tiny voice."""
    config = directory / "edge.toml"
    config.write_text(
        f'device = "real"\nbundle = "{TINY_VOICE}"\nstate_dir = "{directory}"\nengine = "thread"\n'
        f'[mqtt]\nport = {port}\n[sink]\ntype = "null"\n'
    )
    command = [sys.executable, "-m", "edge", "serve", "--config", str(config)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait(timeout=PATIENCE_S)


def test_signals_end_the_process_in_order(broker_port: int, tmp_path: Path) -> None:
    client = Client(broker_port, "sovits/real/#")
    with serving(broker_port, tmp_path) as process:
        client.wait(lambda heard: heard.payload == b"online")
        client.say(
            "sovits/real/request/say", {"id": "long", "character": "noah", "text": "one two three " * 30}
        )
        client.wait_event("long", "first_audio")
        process.send_signal(signal.SIGTERM)
        assert client.wait_event("long", "cancelled")["by"] == "shutdown"
        client.wait(lambda heard: heard.topic.endswith("/availability") and heard.payload == b"stopped")
        assert process.wait(timeout=PATIENCE_S) == 0
    client.close()


def test_the_will_tells_when_the_process_is_killed(broker_port: int, tmp_path: Path) -> None:
    client = Client(broker_port, "sovits/real/#")
    with serving(broker_port, tmp_path) as process:
        client.wait(lambda heard: heard.payload == b"online" and not heard.retain)
        process.kill()
        client.wait(lambda heard: heard.topic.endswith("/availability") and heard.payload == b"offline")
    client.close()


def test_memory_stays_bounded_under_a_flood(broker_port: int, tmp_path: Path) -> None:
    client = Client(broker_port, "sovits/real/#")
    with serving(broker_port, tmp_path) as process:
        client.wait(lambda heard: heard.payload == b"online" and not heard.retain)
        before = psutil.Process(process.pid).memory_info().rss
        for number in range(40):
            client.say("sovits/real/request/say", os.urandom(1_000_000) if number % 2 else b"[" * 1_000_000)
        client.say("sovits/real/request/status", {"id": "alive"})
        client.wait(
            lambda heard: heard.topic.endswith("/response/status") and heard.json["id"] == "alive",
            timeout_s=60,
        )
        too_large = client.find(lambda heard: heard.topic.endswith("/response/say"))
        assert {heard.json["code"] for heard in too_large} == {"too_large"}
        assert psutil.Process(process.pid).memory_info().rss - before < 60e6
    client.close()


def test_a_second_client_with_our_id_is_suspected(start_rig: Callable[..., Rig], broker_port: int) -> None:
    rig = start_rig(mqtt={"client_id": "twin"})
    link = rig.daemon._connection.statistics
    now = time.monotonic()
    assert not link.flapping(now)
    for _ in range(4):
        link.losses.append(now)
    assert link.flapping(now) and not link.flapping(now + 61)


@needs_clients
def test_the_commands_of_the_guide_work(start_rig: Callable[..., Rig]) -> None:
    rig = start_rig(device="kiosk")
    guide = Path("docs/mqtt-protocol.md").read_text(encoding="utf-8")
    block = guide.split("```sh\n")[1].split("```")[0]
    commands = [shlex.split(line) for line in block.splitlines()]
    assert len(commands) == 5
    for command in commands:
        subprocess.run([*command, "-p", str(rig.config.mqtt.port)], check=True, timeout=PATIENCE_S)
        topic = command[2].removeprefix(rig.root + "/")
        answer = rig.response(topic.split("/")[1] if topic.startswith("request/") else topic.split("/")[0])
        assert answer["ok"], answer
    wait_until(lambda: "Good evening." in rig.voice.started or rig.names("intro-1")[-1:] == ["cancelled"])
