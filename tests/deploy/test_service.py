"""The unit's own command under a double of systemd: ready, killed when it is stuck, back and speaking."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.deploy.service_manager import ServiceManager
from tests.edge.daemon.broker import Client, mosquitto, needs_mosquitto, wait_until

DEPLOY = Path(__file__).parents[2] / "deploy"
PYTHON = "/opt/sovits/software/current/venv/bin/python"
WATCHDOG_S = 6.0  # the unit's 20 s, shortened; long enough for a busy machine to beat four times

pytestmark = [needs_mosquitto, pytest.mark.broker, pytest.mark.voice]


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    with mosquitto(tmp_path) as found:
        yield found


def configured(folder: Path, port: int) -> Path:
    """The configuration of the package, with this broker and without a sound card."""
    text = (DEPLOY / "debian" / "sovits.toml").read_text()
    text = text.replace('host = "127.0.0.1"', f'host = "127.0.0.1"\nport = {port}')
    lines = [line for line in text.splitlines() if not line.startswith(("username", "password_file"))]
    text = "\n".join(lines).replace('"/var/lib/sovits"', f'"{folder}/state"').replace('"alsa"', '"null"')
    path = folder / "sovits.toml"
    path.write_text(text.replace('# device = "kiosk-3"', 'device = "kiosk-3"'))
    return path


def test_a_dead_locked_daemon_is_ended_by_the_watchdog_and_speaks_again(tmp_path: Path, port: int) -> None:
    swaps = {
        PYTHON: [sys.executable],
        "edge": ["tests.deploy.deadlocked"],
        "/etc/sovits/sovits.toml": [str(configured(tmp_path, port))],
    }
    root = "sovits/kiosk-3"
    environment = {"DEADLOCK_ONCE": str(tmp_path / "once")}
    unit = DEPLOY / "systemd" / "sovits.service"
    manager = ServiceManager(unit, swaps, tmp_path, WATCHDOG_S, environment)
    client = Client(port, f"{root}/#")
    try:
        wait_until(lambda: manager.count("READY=1") == 1 and manager.count("WATCHDOG=1") >= 2)
        assert manager.ends == []
        client.say(f"{root}/request/flush_cache", {"id": "stuck"})
        wait_until(lambda: manager.ends)
        assert manager.ends == [-signal.SIGABRT]
        log = manager.log.read_text()
        assert "lock_each_other_out" in log and "in other" in log, "every thread's stack is in the log"
        wait_until(lambda: manager.count("READY=1") == 2)
        client.say(f"{root}/request/say", {"id": "back", "character": "noah", "text": "I am back."})
        assert client.wait_event("back", "finished")["audio_ms"] > 200
    finally:
        manager.close()
        client.close()
    assert manager.ends[1:] == [0]
