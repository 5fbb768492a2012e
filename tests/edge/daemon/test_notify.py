"""Notices to the service manager: ready only when it is, alive only while core, journal and engine move."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.config import EdgeConfig
from edge.daemon import Daemon
from edge.daemon.journal.disk import DiskJournal
from edge.daemon.journal.memory import MemoryJournal
from edge.daemon.notify import Notifier
from edge.demo.broker import free_port
from edge.engine.thread import ThreadEngine
from tests.edge.daemon.broker import PATIENCE_S, mosquitto, needs_mosquitto, wait_until
from tests.edge.daemon.conftest import Rig
from tests.edge.daemon.stand_in import StandIn

WATCHDOG_S = 0.4


class Manager:
    """The other end: a socket as systemd has one."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(str(path))
        self.heard: list[str] = []
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    def _listen(self) -> None:
        while data := self.socket.recv(4096):
            self.heard += data.decode().split("\n")

    def wait(self, line: str, n: int = 1) -> None:
        wait_until(lambda: self.heard.count(line) >= n, what=f"{line} in {self.heard}")

    def alive_within(self, seconds: float) -> bool:
        """Whether a sign of life comes in the time given."""
        before, until = self.heard.count("WATCHDOG=1"), time.monotonic() + seconds
        while time.monotonic() < until:
            if self.heard.count("WATCHDOG=1") > before:
                return True
            time.sleep(0.01)
        return False

    def close(self) -> None:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as last:
            last.sendto(b"", str(self.path))
        self._thread.join(PATIENCE_S)
        self.socket.close()


@pytest.fixture
def manager(tmp_path: Path) -> Iterator[Manager]:
    found = Manager(tmp_path / "notify")
    yield found
    found.close()


def test_nothing_is_sent_where_nobody_listens() -> None:
    notifier = Notifier.from_environment({})
    assert not notifier.listened_to and notifier.send(READY=1) and notifier.watchdog_s is None


@pytest.mark.parametrize("address", ["vsock:2:1", "relative", "/no/such/socket"])
def test_an_address_that_leads_nowhere_stops_nothing(address: str, caplog: pytest.LogCaptureFixture) -> None:
    notifier = Notifier.from_environment({"NOTIFY_SOCKET": address})
    assert not notifier.listened_to and notifier.send(READY=1)
    assert address in caplog.text


@pytest.mark.parametrize(
    ("environment", "period"),
    [
        ({"WATCHDOG_USEC": "20000000"}, 20.0),
        ({"WATCHDOG_USEC": "20000000", "WATCHDOG_PID": str(os.getpid())}, 20.0),
        ({"WATCHDOG_USEC": "20000000", "WATCHDOG_PID": "1"}, None),
        ({"WATCHDOG_USEC": "0"}, None),
        ({"WATCHDOG_USEC": "soon"}, None),
        ({}, None),
    ],
)
def test_the_period_is_the_one_meant_for_this_process(
    environment: dict[str, str], period: float | None, manager: Manager
) -> None:
    notifier = Notifier.from_environment({"NOTIFY_SOCKET": str(manager.path)} | environment)
    assert notifier.watchdog_s == period
    notifier.close()


def test_a_name_in_the_abstract_space() -> None:
    name = f"sovits-test-{os.getpid()}-{time.monotonic_ns()}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(f"\0{name}")
        notifier = Notifier(f"@{name}")
        assert notifier.send(READY=1, STATUS="ready")
        assert listener.recv(100) == b"READY=1\nSTATUS=ready"
        notifier.close()


def test_a_manager_that_does_not_read_is_not_waited_for(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(str(tmp_path / "deaf"))
        notifier = Notifier(str(tmp_path / "deaf"))
        began = time.monotonic()
        taken = [notifier.send(STATUS="x" * 1000) for _ in range(5000)]
        assert not taken[-1] and time.monotonic() - began < 5
        notifier.close()


def supervised(manager: Manager) -> Notifier:
    return Notifier(str(manager.path), WATCHDOG_S)


@pytest.mark.broker
def test_ready_alive_stopping(start_rig: Callable[..., Rig], manager: Manager) -> None:
    rig = start_rig(notifier=supervised(manager))
    manager.wait("WATCHDOG=1", 3)
    assert manager.heard.index("READY=1") < manager.heard.index("WATCHDOG=1")
    assert manager.heard.count("READY=1") == 1
    rig.stop()
    manager.wait("STOPPING=1")


@needs_mosquitto
@pytest.mark.broker
def test_not_ready_before_the_broker_is_there(manager: Manager, tmp_path: Path) -> None:
    port = free_port()
    config = EdgeConfig.model_validate(
        {"state_dir": tmp_path / "state", "mqtt": {"port": port}, "sink": {"type": "null"}}
    )
    daemon = Daemon(
        config, make_engine=lambda _, emit: ThreadEngine(StandIn, emit), notifier=supervised(manager)
    )
    thread = threading.Thread(target=daemon.run)
    thread.start()
    try:
        manager.wait(f"STATUS=waiting for the broker 127.0.0.1:{port}")
        manager.wait("EXTEND_TIMEOUT_USEC=60000000", 2)
        assert "READY=1" not in manager.heard
        with mosquitto(tmp_path, port=port):
            manager.wait("READY=1")
            manager.wait("WATCHDOG=1")
    finally:
        daemon.stop()
        thread.join(PATIENCE_S)


@pytest.mark.broker
def test_a_core_that_is_stuck_is_not_alive(
    start_rig: Callable[..., Rig], manager: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = start_rig(notifier=supervised(manager))
    manager.wait("WATCHDOG=1")
    stuck, free = threading.Event(), threading.Event()

    def hang(_message: Any) -> None:
        stuck.set()
        free.wait(PATIENCE_S)

    monkeypatch.setattr(rig.daemon._core._requests, "on_command", hang)
    rig.request("characters", {"id": "x"})
    assert stuck.wait(PATIENCE_S)
    manager.alive_within(0.1)  # one may have been on its way
    assert not manager.alive_within(3 * WATCHDOG_S)
    free.set()
    assert manager.alive_within(PATIENCE_S)


class StuckJournal(MemoryJournal):
    """A journal with something in hand that its writer does not get through."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting, self.rounds = 0, 0

    @property
    def backlog(self) -> int:
        return self.waiting

    @property
    def progress(self) -> int:
        return self.rounds


@pytest.mark.broker
def test_a_journal_that_is_stuck_is_not_alive_and_a_slow_one_is(
    start_rig: Callable[..., Rig], manager: Manager
) -> None:
    journal = StuckJournal()
    start_rig(notifier=supervised(manager), journal=journal)
    manager.wait("WATCHDOG=1")
    journal.waiting = 1
    manager.alive_within(2 * WATCHDOG_S / 4)
    assert not manager.alive_within(3 * WATCHDOG_S)
    journal.rounds += 1
    assert manager.alive_within(PATIENCE_S)


@pytest.mark.broker
def test_an_engine_that_is_stuck_is_not_alive(
    start_rig: Callable[..., Rig], manager: Manager, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = start_rig(notifier=supervised(manager))
    manager.wait("WATCHDOG=1")
    monkeypatch.setattr(rig.daemon._engine, "moves", lambda: False)
    manager.alive_within(2 * WATCHDOG_S / 4)
    assert not manager.alive_within(3 * WATCHDOG_S)
    monkeypatch.undo()
    assert manager.alive_within(PATIENCE_S)


def test_the_journal_on_disk_moves_even_where_it_cannot_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = DiskJournal(tmp_path, 100)
    wait_until(lambda: journal._opened.is_set())

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(journal, "_write", full)
    before = journal.progress
    journal.delivered("e-1")
    wait_until(lambda: journal.progress >= before + 2 and journal.backlog)
    monkeypatch.undo()
    journal.close()


@pytest.mark.broker
def test_the_command_speaks_to_its_service_manager(
    tmp_path: Path, manager: Manager, broker_port: int
) -> None:
    environment = {**os.environ, "NOTIFY_SOCKET": str(manager.path), "WATCHDOG_USEC": "800000"}
    command = [sys.executable, "-m", "edge", "serve", "--broker", f"mqtt://127.0.0.1:{broker_port}"]
    command += ["--device", f"notify{os.getpid()}", "--sink", "null", "--state-dir", str(tmp_path / "state")]
    process = subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)
    try:
        manager.wait("READY=1")
        manager.wait("WATCHDOG=1", 2)
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        manager.wait("STOPPING=1")
        assert process.wait(PATIENCE_S) == 0
    finally:
        process.kill()
        process.communicate()
