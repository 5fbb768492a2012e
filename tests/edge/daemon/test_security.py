"""Passwords, certificates and access rules, with a real broker."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from edge.config import EdgeConfig, MqttConfig
from edge.daemon import Daemon
from edge.daemon.status import HealthTick
from edge.errors import ConfigError
from edge.protocols.credentials import read_password
from tests.edge.daemon.broker import free_port, mosquitto, needs_mosquitto, wait_until
from tests.edge.daemon.conftest import Rig

pytestmark = [pytest.mark.broker, needs_mosquitto]
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")


def certificate(directory: Path, name: str, host: str) -> tuple[Path, Path]:
    """A self-signed certificate, which is its own authority."""
    certificate, key = directory / f"{name}.pem", directory / f"{name}.key"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    subject = ["-subj", f"/CN={host}", "-addext", f"subjectAltName=IP:{host}", "-days", "2"]
    subprocess.run([*command, *subject, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    return certificate, key


def test_a_password_file_is_read_and_sent(
    start_rig: Callable[..., Rig], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("users")
    users, rules, password = directory / "users", directory / "acl", tmp_path / "password"
    password.write_text("correct horse\nsecond line\n")
    subprocess.run(["mosquitto_passwd", "-b", "-c", users, "kiosk", "correct horse"], check=True)
    rules.write_text("topic readwrite #\nuser kiosk\ntopic readwrite #\n")
    with mosquitto(tmp_path, f"password_file {users}", f"acl_file {rules}") as port:
        mqtt = {"username": "kiosk", "password_file": password}
        start_rig(port=port, mqtt=mqtt).stop()
        password.write_text("wrong")
        refused = start_rig(port=port, mqtt=mqtt, online=False)
        refused.settle_never_online()
        refused.stop()


def test_a_missing_password_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="password_file"):
        read_password(MqttConfig(password_file=tmp_path / "absent"))


@needs_openssl
@pytest.mark.filterwarnings(
    "ignore::pytest.PytestUnraisableExceptionWarning"
)  # paho drops a socket it refused
def test_tls_takes_the_right_authority_and_no_other(
    start_rig: Callable[..., Rig], tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    directory = tmp_path_factory.mktemp("tls")
    good, key = certificate(directory, "good", "127.0.0.1")
    other, _ = certificate(directory, "other", "127.0.0.1")
    tls_port = free_port()
    with mosquitto(tmp_path, f"listener {tls_port} 127.0.0.1", f"certfile {good}", f"keyfile {key}") as port:
        start_rig(port=port, mqtt={"port": tls_port, "tls": {"ca_file": good}}).stop()
        distrustful = {"port": tls_port, "tls": {"ca_file": other}}
        refused = start_rig(port=port, mqtt=distrustful, online=False)
        refused.settle_never_online()
        refused.stop()


def test_a_certificate_that_is_not_there_is_named(tmp_path: Path) -> None:
    values = {
        "state_dir": tmp_path,
        "mqtt": {"tls": {"ca_file": tmp_path / "absent.pem"}},
        "sink": {"type": "null"},
    }
    with pytest.raises(ConfigError, match="ca_file"):
        Daemon(EdgeConfig.model_validate(values))


def test_a_device_that_may_not_read_notices(
    start_rig: Callable[..., Rig],
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("edge.daemon.health.DEAF_AFTER_S", 0.2)
    directory = tmp_path_factory.mktemp("acl")
    rules = directory / "acl"
    rules.write_text(
        "topic write sovits/deaf/#\ntopic read sovits/deaf/state\ntopic read sovits/deaf/availability\n"
    )
    with mosquitto(tmp_path, f"acl_file {rules}") as port:
        rig = start_rig(port=port, device="deaf", online=False)
        rig.wait_online()
        assert rig.lamp("state")[-1] == "idle"

        def tick_until_degraded() -> bool:
            rig.daemon._inbox.put(HealthTick())
            return "degraded" in rig.lamp("state")

        wait_until(tick_until_degraded, every_s=0.1)
        rig.stop()
