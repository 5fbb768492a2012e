"""What a tester from outside found in the daemon before this one, each held by a test."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.daemon.status import HealthTick
from edge.errors import EdgeError
from tests.edge.daemon.broker import Client, mosquitto, needs_mosquitto, wait_until
from tests.edge.daemon.conftest import Rig

from .ledger import TINY_VOICE
from .test_network import shipped_broker

pytestmark = [pytest.mark.broker, needs_mosquitto]
StartRig = Callable[..., Rig]


def told(caplog: pytest.LogCaptureFixture, about: str) -> list[str]:
    return [record.getMessage() for record in caplog.records if about in record.getMessage()]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_frozen_broker_does_not_hold_up_the_end(tmp_path: Path, number: int) -> None:
    """It hung for 17 s."""
    (tmp_path / "broker").mkdir()
    with shipped_broker(tmp_path / "broker") as broker:
        command = [sys.executable, "-m", "edge", "serve", "--broker", f"mqtt://127.0.0.1:{broker.port}"]
        command += ["--sink", "null", "--state-dir", str(tmp_path / "state"), "--device", "frozen"]
        client = Client(broker.port, "sovits/frozen/#")
        process = subprocess.Popen([*command, "--bundle", str(TINY_VOICE)], stderr=subprocess.DEVNULL)
        try:
            client.wait(lambda heard: heard.payload == b"online" and not heard.retain)
            client.say("sovits/frozen/say/noah", "one two three " * 40)
            client.wait(lambda heard: b"first_audio" in heard.payload)
            broker.process.send_signal(signal.SIGSTOP)
            process.send_signal(number)
            asked = time.monotonic()
            assert process.wait(timeout=60) == 0
            assert time.monotonic() - asked < 10  # 2 s for lines, 2 s for each session; the rest is load
        finally:
            process.kill()
            broker.process.send_signal(signal.SIGCONT)
            client.close()


def test_an_end_that_the_broker_refuses_is_kept_and_offered_again(
    start_rig: StartRig, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A PUBACK with a failure code was taken for delivery."""
    rules = tmp_path / "acl"
    allowed = "topic readwrite sovits/#\n"
    rules.write_text(allowed + "topic deny sovits/refused/event/#\n")
    (tmp_path / "broker").mkdir()
    with shipped_broker(tmp_path / "broker", f"acl_file {rules}") as broker:
        rig = start_rig(port=broker.port, device="refused")
        rig.client.say(f"{rig.root}/request/say", {"id": "one", "character": "noah", "text": "hello"})
        wait_until(lambda: told(caplog, "check its access rules"), what="a line that names the access rules")
        wait_until(lambda: not rig.daemon._core.state.lines, what="the end of the line")
        publisher = rig.daemon._core.state.publisher
        wait_until(lambda: len(publisher._refused) == 1, what="the end, kept")
        assert rig.names("one") == [] and len(told(caplog, "check its access rules")) == 1
        rules.write_text(allowed)
        broker.process.send_signal(signal.SIGHUP)
        time.sleep(0.5)
        rig.daemon._inbox.put(HealthTick())  # ten seconds early
        assert rig.event("one", "finished")["id"] == "one"
        wait_until(lambda: not publisher._refused, what="nothing more to be offered")
        rig.stop()


def test_a_retained_command_is_refused_by_a_daemon_that_listens(rig: Rig) -> None:
    """It was spoken."""
    rig.client.say(f"{rig.root}/say/noah", "ghost", retain=True)
    rejected = rig.client.wait(lambda heard: b"retained_command" in heard.payload)
    rig.settle()
    assert rejected.json["code"] == "retained_command" and rig.voice.started == []
    rig.client.say(f"{rig.root}/say/noah", b"", retain=True)


def test_clearing_a_retained_message_is_no_error(rig: Rig) -> None:
    """The documented way to clear one was an error, which stayed in ``last_error``."""
    for topic in ("say/noah", "line/one", "stop", "request/say", "request/stop", "request/status"):
        rig.client.say(f"{rig.root}/{topic}", b"", retain=True)
    rig.settle()
    answers = rig.client.find(lambda heard: "/response/" in heard.topic and not heard.json["ok"])
    rejected = [event for event in rig.client.events() if event["event"] == "rejected"]
    assert answers == [] and rejected == []
    assert rig.client.find(lambda heard: heard.topic == f"{rig.root}/status")[-1].json["last_error"] == ""


def test_wrong_credentials_are_told_once_and_change_no_protocol(
    start_rig: StartRig,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    caplog: pytest.LogCaptureFixture,
    broker_port: int,
) -> None:
    """MQTT 5 and 3.1.1 took turns six times a second, and no remedy was named."""
    folder = tmp_path_factory.mktemp("users")
    subprocess.run(["mosquitto_passwd", "-b", "-c", folder / "users", "kiosk", "right"], check=True)
    (tmp_path / "password").write_text("wrong")
    with mosquitto(folder, f"password_file {folder}/users") as port:
        mqtt = {"port": port, "username": "kiosk", "password_file": tmp_path / "password"}
        rig = start_rig(port=broker_port, mqtt=mqtt, online=False)
        wait_until(lambda: told(caplog, "mqtt.password_file"), what="a line that names the remedy")
        rig.settle_never_online(4.0)
        lines = told(caplog, "refuses us")
        assert len(lines) == 1 and "mqtt.username" in lines[0] and not told(caplog, "trying MQTT")
        rig.stop()


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # paho drops its socket
def test_tls_on_a_plain_port_is_told_as_such(
    start_rig: StartRig, tmp_path: Path, caplog: pytest.LogCaptureFixture, broker_port: int
) -> None:
    """It could not be reached, and nothing more was said."""
    rig = start_rig(online=False, mqtt={"port": broker_port, "tls": {}})
    wait_until(lambda: told(caplog, "mqtt.tls on both sides"), what="a line that names the remedy")
    rig.settle_never_online()


def test_a_state_directory_belongs_to_one_daemon(start_rig: StartRig, tmp_path: Path) -> None:
    start_rig(state_dir=tmp_path / "state")
    with pytest.raises(EdgeError, match="state"):
        start_rig(state_dir=tmp_path / "state", online=False)


def test_a_state_directory_that_cannot_be_written_is_shown_at_the_start(
    start_rig: StartRig, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It was silent at the start, and called ``disk_full`` later."""
    state = tmp_path / "state"
    state.write_text("a file stands where the directory should be: that stops root too")
    rig = start_rig(state_dir=state, online=False)
    rig.client.wait(lambda heard: heard.topic == f"{rig.root}/state" and heard.payload == b"degraded")
    status = rig.client.wait(lambda heard: heard.topic == f"{rig.root}/status").json
    assert str(state) in status["last_error"] and str(state) in caplog.text


def test_the_way_back_to_a_broker_is_short(start_rig: StartRig, tmp_path: Path) -> None:
    """It took up to 10 s: the longer the broker was away, the longer."""
    (tmp_path / "broker").mkdir()
    with shipped_broker(tmp_path / "broker") as broker:
        rig = start_rig(port=broker.port)
        broker.end(signal.SIGTERM)
        wait_until(lambda: not rig.daemon._connection.connected)
        time.sleep(8.0)
        broker.start()
        back = time.monotonic()
        wait_until(lambda: rig.daemon._connection.ready and rig.daemon._stops.ready, what="both sessions")
        assert time.monotonic() - back < 5.0  # attempts are 2 s apart; the rest is load
        rig.stop()


def test_a_stop_arrives_where_the_broker_throws_a_burst_away(start_rig: StartRig, tmp_path: Path) -> None:
    """With default limits it vanished with what was sent before it."""
    (tmp_path / "broker").mkdir()
    limits = ("max_queued_messages 10", "max_inflight_messages 5")
    with shipped_broker(tmp_path / "broker", *limits) as broker:
        rig = start_rig(port=broker.port)
        wait_until(lambda: rig.daemon._stops.ready)
        rig.occupy(text="long " * 400)
        for number in range(2000):
            keys = {"id": f"b{number}", "character": "noah", "text": "x", "output": ["lipsync"]}
            rig.client.client.publish(f"{rig.root}/request/say", json.dumps(keys), 1)
        rig.client.say(f"{rig.root}/stop", "")
        journal = rig.daemon._core.state.journal  # this broker may lose what it is to tell us

        def end() -> dict[str, object]:
            known = journal.find("first")
            return known.last_event if known and known.finished and known.last_event else {}

        wait_until(end, what="the end of the line that was heard")
        assert (end()["event"], end()["by"]) == ("cancelled", "stop")
        rig.stop()


def test_an_id_is_not_said_again_after_a_restart(start_rig: StartRig, tmp_path: Path) -> None:
    first = start_rig(device="again", state_dir=tmp_path / "state")
    first.say("one", "hello")
    first.event("one", "finished")
    first.stop()
    second = start_rig(device="again", state_dir=tmp_path / "state")
    second.say("one", "hello")
    assert second.event("one", "finished")["duplicate"]
    second.settle()
    assert second.voice.started == []
