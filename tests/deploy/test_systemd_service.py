"""What an update learns of the running daemon: from a real broker, with a stand-in for systemctl."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy import service
from deploy.errors import DeployError
from deploy.service import SystemdService, seen_from_outside
from edge.config import MqttConfig
from tests.edge.daemon.broker import Client, mosquitto, needs_mosquitto

pytestmark = [needs_mosquitto, pytest.mark.broker]


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    with mosquitto(tmp_path) as found:
        yield found


@pytest.fixture
def unit(tmp_path: Path, port: int, monkeypatch: pytest.MonkeyPatch) -> SystemdService:
    """The unit of a box whose configuration is that of the package, but for the port."""
    config = tmp_path / "sovits.toml"
    shipped = (Path(service.__file__).parent / "debian" / "sovits.toml").read_text()
    shipped = shipped.replace("[mqtt]", f"[mqtt]\nport = {port}")
    config.write_text(shipped.replace('# device = "kiosk-3"', 'device = "kiosk-3"'))
    (tmp_path / "mqtt-password").write_text("secret\n")
    monkeypatch.setattr(service, "ANSWER_TIMEOUT_S", 4.0)
    monkeypatch.setattr(
        service, "seen_from_outside", lambda mqtt: moved(seen_from_outside(mqtt), tmp_path / "mqtt-password")
    )
    systemctl(tmp_path, monkeypatch, 0)
    return SystemdService(config)


def moved(mqtt: MqttConfig, password: Path) -> MqttConfig:
    assert mqtt.password_file == Path("/etc/sovits/mqtt-password"), "the unit's copy is not there for others"
    return mqtt.model_copy(update={"password_file": password})


def systemctl(folder: Path, monkeypatch: pytest.MonkeyPatch, status: int) -> None:
    """A command that always ends with this status."""
    (folder / "bin").mkdir(exist_ok=True)
    (folder / "bin/systemctl").write_text(f"#!/bin/sh\nexit {status}\n")
    (folder / "bin/systemctl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}/bin:/usr/bin:/bin")


def say_state(port: int, word: str) -> None:
    client = Client(port, "sovits/#")
    client.say("sovits/kiosk-3/state", word, retain=True)
    client.wait(lambda heard: heard.payload == word.encode())
    client.close()


def test_what_the_daemon_says(unit: SystemdService, port: int) -> None:
    for word, speaking in (("speaking", True), ("idle", False)):
        say_state(port, word)
        assert unit.is_speaking() == speaking
        assert unit.is_healthy()


def test_a_box_must_not_become_worse(unit: SystemdService, port: int) -> None:
    say_state(port, "idle")
    unit.is_speaking()
    say_state(port, "degraded")
    assert not unit.is_healthy()
    unit.is_speaking()
    assert unit.is_healthy(), "no sound card before, none now"
    say_state(port, "error")
    assert not unit.is_healthy()


def test_a_unit_that_does_not_run_does_not_speak(
    unit: SystemdService, port: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    say_state(port, "speaking")  # left behind by a daemon that was killed
    systemctl(tmp_path, monkeypatch, 3)
    assert not unit.is_speaking()
    with pytest.raises(DeployError, match="did not become ready"):
        unit.restart()


def test_a_password_that_is_not_there_is_no_traceback(unit: SystemdService, tmp_path: Path) -> None:
    (tmp_path / "mqtt-password").unlink()
    assert not unit.is_speaking() and not unit.is_healthy()
