"""``sovits-edge say --device``, the command as a process, against a real broker and a real daemon."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.cli import remote
from edge.demo.broker import free_port
from tests.edge.daemon.broker import Client, mosquitto, needs_mosquitto
from tests.edge.daemon.conftest import Rig
from tests.edge.daemon.stand_in import UNSPEAKABLE

pytestmark = pytest.mark.broker

ROOT = Path(__file__).parents[3]
LONG = "a line that is long enough to be cut off in the middle of it, and then some"


def spawn(port: int, device: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "edge", "say", *arguments, "--device", device]
    command += ["--broker", f"mqtt://127.0.0.1:{port}"]
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=ROOT, text=True, **pipes)


def say(port: int, device: str, *arguments: str) -> tuple[int, str, str]:
    process = spawn(port, device, *arguments)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 0 or err.count("\n") == 1, err
    return process.returncode, out, err


def test_the_daemon_says_the_line_and_the_command_tells(rig: Rig, broker_port: int) -> None:
    options = ("--character", "ava", "--rate", "1.5", "--emotion", "angry")
    status, out, err = say(broker_port, rig.config.device, "Good evening.", *options)
    assert err.startswith("sovits-edge: warning: ") and "angry" in err
    assert (status, out) == (0, "finished: 0.33 s of sound by ava\n") and rig.voice.started == [
        "Good evening."
    ]
    status, out, _ = say(broker_port, rig.config.device, "Again.", "--character", "noah", "--json")
    event = json.loads(out)
    assert status == 0 and event["event"] == "finished" and rig.names(event["id"])[-1] == "finished"


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("hello",), "rejected, unknown_character: "),
        (("", "--character", "noah"), "rejected, text_empty: "),
        ((UNSPEAKABLE, "--character", "noah"), "rejected, text_unspeakable: "),
        (("hello", "--character", "noah", "--rate", "9"), "rejected, bad_request: rate"),
    ],
)
def test_what_goes_wrong_is_one_line(
    rig: Rig, broker_port: int, arguments: tuple[str, ...], told: str
) -> None:
    status, out, err = say(broker_port, rig.config.device, *arguments)
    assert status == 2 and out == "" and err.startswith(f"sovits-edge: {told}"), err


def test_a_line_that_is_stopped(rig: Rig, broker_port: int) -> None:
    process = spawn(broker_port, rig.config.device, LONG, "--character", "noah", "--json")
    rig.client.wait(lambda heard: "/event/" in heard.topic and heard.json["event"] == "first_audio")
    rig.client.say(f"{rig.root}/stop", "")
    out, err = process.communicate(timeout=20)
    assert process.returncode == 2 and json.loads(out)["by"] == "stop"
    assert err.startswith("sovits-edge: cancelled (by stop) after ")


def test_control_c_takes_the_line_back(rig: Rig, broker_port: int) -> None:
    text = "a" * 2000  # 50 s: it sounds until it is taken back, however slow the machine
    process = spawn(broker_port, rig.config.device, text, "--character", "noah")
    begun = rig.client.wait(lambda heard: "/event/" in heard.topic and heard.json["event"] == "first_audio")
    process.send_signal(signal.SIGINT)
    assert rig.event(begun.json["id"], "cancelled")["by"] == "request"
    process.communicate(timeout=20)
    assert process.returncode == 130


def test_control_c_waits_its_turn() -> None:
    """Raised in the middle of a publish it could leave a lock held, and nothing would be sent any more."""
    told: list[str] = []
    before = signal.getsignal(signal.SIGINT)
    with remote._orderly(lambda: told.append("interrupted")):
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
    assert told == ["interrupted"] * 2 and signal.getsignal(signal.SIGINT) is before


def test_a_command_in_the_background_has_no_control_c() -> None:
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with remote._orderly(pytest.fail):
            signal.raise_signal(signal.SIGINT)
            assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGINT, before)


def test_a_device_that_is_not_there(rig: Rig, broker_port: int) -> None:
    status, _, err = say(broker_port, "nobody", "hello")
    assert status == 2 and "knows no device nobody; start it: sovits-edge serve --device nobody" in err
    device = rig.config.device
    rig.stop()
    status, _, err = say(broker_port, device, "hello")
    assert status == 2 and f"{device} is stopped; start it" in err


def test_a_broker_that_is_not_there() -> None:
    status, _, err = say(free_port(), "kiosk", "hello")
    assert status == 2 and "cannot be reached" in err and "start the broker" in err


@needs_mosquitto
def test_a_line_is_told_of_although_the_broker_restarts(
    start_rig: Callable[..., Rig], tmp_path: Path
) -> None:
    port = free_port()
    with mosquitto(tmp_path, port=port):
        rig = start_rig(port=port)
        process = spawn(port, rig.config.device, "a" * 120, "--character", "noah")  # three seconds
        rig.client.wait(lambda heard: "/event/" in heard.topic and heard.json["event"] == "first_audio")
    with mosquitto(tmp_path, port=port):
        out, err = process.communicate(timeout=30)
        assert process.returncode == 0 and out.startswith("finished: 3.00 s"), err
        assert rig.voice.started == ["a" * 120]
        rig.stop()


@needs_mosquitto
@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_access_rules_that_deny_reading_are_told(tmp_path: Path, version: str) -> None:
    (tmp_path / "acl").write_text("topic write sovits/#\n")
    with mosquitto(tmp_path, f"acl_file {tmp_path / 'acl'}") as port:
        (tmp_path / "edge.toml").write_text(f'[mqtt]\nprotocol = "{version}"\n')
        status, _, err = say(port, "kiosk", "hello", "--config", str(tmp_path / "edge.toml"))
        assert status == 2 and ("access rules" in err or "knows no device kiosk" in err)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["-o", "x.wav"], "--output does not go with --device"),
        (["--lexicon", "x"], "--lexicon does not go with --device"),
        (["--threads", "2"], "--threads does not go with --device"),
        (["--broker", "http://x"], "expected mqtt://"),
        (["--config", "/nowhere.toml"], "no such file"),
    ],
)
def test_options_that_make_no_sense(arguments: list[str], told: str) -> None:
    status, out, err = (
        say(1, "kiosk", "hello", *arguments) if "--broker" not in arguments else broken(arguments)
    )
    assert status == 2 and out == "" and told in err


def broken(arguments: list[str]) -> tuple[int, str, str]:
    command = [sys.executable, "-m", "edge", "say", "hello", "--device", "kiosk", *arguments]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30)
    return process.returncode, process.stdout, process.stderr


def test_a_broker_without_a_device() -> None:
    command = [sys.executable, "-m", "edge", "say", "hello", "-o", "-", "--broker", "mqtt://x"]
    process = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30)
    assert process.returncode == 2 and "--broker needs --device" in process.stderr


@needs_mosquitto
@pytest.mark.parametrize("version", ["3.1.1", "5"])
def test_no_session_is_left_at_the_broker(
    start_rig: Callable[..., Rig], tmp_path: Path, version: str
) -> None:
    (tmp_path / "edge.toml").write_text(f'[mqtt]\nprotocol = "{version}"\n')
    with mosquitto(tmp_path, "sys_interval 1") as port:
        rig = start_rig(port=port)
        observer = Client(port, "$SYS/broker/clients/total")
        status, _, err = say(
            port, rig.config.device, "hello", "--character", "noah", "--config", str(tmp_path / "edge.toml")
        )
        assert status == 0, err
        time.sleep(2.2)  # the broker counts once a second, and says so where it changes
        assert observer.heard[-1].payload == b"4", "two sessions of the daemon, two of the test"
        observer.close()
        rig.stop()
