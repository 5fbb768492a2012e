"""Units, broker configuration and package scripts, as the tools that read them see them."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

DEPLOY = Path(__file__).parents[2] / "deploy"
PATH = f"{os.environ['PATH']}:/usr/sbin"
DROP_INS = ("", "cpu.conf", "jetson.conf", "rtx.conf")

needs_systemd = pytest.mark.skipif(
    not shutil.which("systemd-analyze"), reason="no systemd-analyze: apt-get install systemd"
)


def unit(folder: Path, drop_in: str) -> Path:
    """The unit with a drop-in put behind it, and a command that is there."""
    text = (DEPLOY / "systemd" / "sovits.service").read_text()
    text = text.replace("/opt/sovits/software/current/venv/bin/python", sys.executable)
    if drop_in:
        more = (DEPLOY / "systemd" / drop_in).read_text().partition("[Service]")[2]
        text = text.replace("[Install]", more + "\n[Install]")
    path = folder / "sovits.service"
    path.write_text(text)
    return path


@needs_systemd
@pytest.mark.parametrize("drop_in", DROP_INS)
def test_systemd_finds_nothing_to_say(tmp_path: Path, drop_in: str) -> None:
    done = subprocess.run(
        ["systemd-analyze", "verify", str(unit(tmp_path, drop_in))],
        capture_output=True,
        text=True,
        timeout=60,
    )
    own = [line for line in done.stderr.splitlines() if "sovits" in line and "mosquitto.service" not in line]
    assert not own, own


@needs_systemd
@pytest.mark.parametrize("drop_in", DROP_INS)
def test_exposure_is_at_most_2_5(tmp_path: Path, drop_in: str) -> None:
    path = unit(tmp_path, drop_in)
    done = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--threshold=25", str(path)],
        capture_output=True, text=True, timeout=60,
    )  # fmt: skip
    if "unrecognized option" in done.stderr or "Unknown" in done.stderr:
        pytest.skip("this systemd-analyze is too old to judge a file")
    assert done.returncode == 0, done.stdout[-200:] + done.stderr


@pytest.mark.parametrize("drop_in", DROP_INS)
def test_what_takes_cuda_away_is_left_out(drop_in: str) -> None:
    service = (DEPLOY / "systemd" / "sovits.service").read_text()
    lines = [line for line in service.splitlines() if not line.startswith("#")]
    text = "\n".join(lines)
    assert "Type=notify" in text and "Restart=always" in text and "StartLimitIntervalSec=0" in text
    for forbidden in ("ProtectClock=yes", "MemoryDenyWriteExecute=yes", "PrivateDevices=yes"):
        assert forbidden not in text
    if drop_in == "jetson.conf":
        jetson = (DEPLOY / "systemd" / drop_in).read_text()
        assert "DevicePolicy=auto" in jetson and "DeviceAllow" not in jetson.replace("# ", "")


@pytest.mark.parametrize("name", ["postinst", "prerm", "postrm"])
def test_package_scripts_parse(name: str) -> None:
    subprocess.run(["sh", "-n", str(DEPLOY / "debian" / name)], check=True, timeout=10)


@pytest.mark.broker
def test_mosquitto_takes_the_configuration_and_keeps_its_rules(tmp_path: Path) -> None:
    """The shipped file with its TLS listener left out, and the shipped access list, on the real broker."""
    port = free_port()
    process = start_broker(tmp_path, port)
    try:
        assert heard(port, "show", "sovits/kiosk-3/say/noah", "kiosk-3", "sovits/kiosk-3/say/#")
        assert heard(port, "kiosk-3", "sovits/kiosk-3/state", "screen", "sovits/kiosk-3/state")
        assert not heard(port, "screen", "sovits/kiosk-3/say/noah", "kiosk-3", "sovits/kiosk-3/say/#")
        assert not heard(port, "kiosk-4", "sovits/kiosk-3/state", "screen", "sovits/kiosk-3/state")
        assert not heard(
            port, "show", "sovits/kiosk-3/trust/revocations", "kiosk-3", "sovits/kiosk-3/trust/#"
        )
        assert heard(port, "trust", "sovits/kiosk-3/trust/revocations", "kiosk-3", "sovits/kiosk-3/trust/#")
        refused = subprocess.run(
            ["mosquitto_pub", "-p", str(port), "-t", "sovits/kiosk-3/say/noah", "-m", "x"],
            capture_output=True,
        )
        assert refused.returncode != 0
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(10)


def free_port() -> int:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        return int(server.getsockname()[1])


def start_broker(folder: Path, port: int) -> subprocess.Popen[bytes]:
    text = (DEPLOY / "mosquitto" / "sovits.conf").read_text()
    text = text[: text.index("# Everybody else: TLS")]
    text = text.replace("listener 1883 127.0.0.1", f"listener {port} 127.0.0.1")
    text = text.replace("/var/lib/mosquitto/", f"{folder}/").replace("/etc/mosquitto/", f"{folder}/")
    (folder / "sovits.conf").write_text(text + f"user {os.environ.get('USER', 'root')}\n")
    shutil.copy(DEPLOY / "mosquitto" / "sovits.acl", folder / "sovits.acl")
    (folder / "sovits.passwd").touch(0o600)
    for user in ("show", "screen", "trust", "kiosk-3", "kiosk-4"):
        command = ["mosquitto_passwd", "-b", str(folder / "sovits.passwd"), user, "secret"]
        subprocess.run(command, check=True, capture_output=True)
    broker = shutil.which("mosquitto", path=PATH)
    assert broker
    process = subprocess.Popen([broker, "-c", str(folder / "sovits.conf")], stderr=subprocess.DEVNULL)
    for _ in range(100):
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return process
        assert process.poll() is None, "mosquitto refuses the configuration"
        time.sleep(0.05)
    raise AssertionError("mosquitto does not listen")


def heard(port: int, sender: str, topic: str, listener: str, pattern: str) -> bool:
    """Whether what one user says reaches another."""
    common = ["-p", str(port), "-P", "secret"]
    listening = subprocess.Popen(
        ["mosquitto_sub", *common, "-u", listener, "-t", pattern, "-C", "1", "-W", "1"],
        stdout=subprocess.PIPE,
    )
    time.sleep(0.3)
    command = ["mosquitto_pub", *common, "-u", sender, "-t", topic, "-m", "hello", "-q", "1"]
    subprocess.run(command, check=False, capture_output=True, timeout=10)
    output, _ = listening.communicate(timeout=10)
    return b"hello" in output
