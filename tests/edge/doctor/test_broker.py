"""What the doctor finds on a broker, on real ones with each fault."""

from __future__ import annotations

import os
import shlex
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from edge.config import EdgeConfig, MqttConfig
from edge.demo.broker import free_port
from edge.doctor import broker as broker_module
from edge.doctor.access import AccessChecks
from edge.doctor.broker import BrokerChecks
from edge.doctor.finding import Finding
from edge.doctor.sockets import SocketChecks, speaks_mqtt_over_websocket
from edge.doctor.twins import TwinChecks
from tests.edge.daemon.broker import MOSQUITTO, Client, accepts, mosquitto, needs_mosquitto, wait_until

pytestmark = [pytest.mark.broker, needs_mosquitto]

BURST = 1200  # more than the 1000 of mosquitto's default


@pytest.fixture(autouse=True)
def short_burst(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker_module, "BURST", BURST)


def device(port: int, directory: Path, **mqtt: Any) -> EdgeConfig:
    return EdgeConfig.model_validate(
        {"device": "kiosk", "state_dir": directory / "state", "mqtt": {"port": port, **mqtt}}
    )


def by_check(findings: Iterator[Finding]) -> dict[str, Finding]:
    return {finding.check: finding for finding in findings}


def test_a_broker_in_order(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as port:
        found = by_check(BrokerChecks(device(port, tmp_path)).look())
    assert {name: finding.level for name, finding in found.items()} == {
        "broker": "ok",
        "packet limit": "ok",
        "queue limit": "ok",
        "persistence": "warning",
    }
    assert "--restart-broker" in found["persistence"].remedy


def test_no_broker_is_one_finding(tmp_path: Path) -> None:
    (finding,) = BrokerChecks(device(free_port(), tmp_path)).look()
    assert finding.level == "error" and "nothing listens there" in finding.found


def test_a_small_queue_is_counted(tmp_path: Path) -> None:
    with mosquitto(tmp_path, "max_queued_messages 1000") as port:
        found = by_check(BrokerChecks(device(port, tmp_path)).look())["queue limit"]
    assert found.level == "error" and "1000 of 1200" in found.found and "max_queued_messages" in found.remedy


@pytest.mark.parametrize(
    ("setting", "level", "told"),
    [
        ("message_size_limit 100000", "error", "vanishes"),
        ("max_packet_size 100000", "warning", "at most 100000 bytes"),
        ("max_packet_size 2000000", "ok", "2000000"),
    ],
)
def test_packets_that_do_not_pass(tmp_path: Path, setting: str, level: str, told: str) -> None:
    with mosquitto(tmp_path, setting) as port:
        found = by_check(BrokerChecks(device(port, tmp_path)).look())["packet limit"]
    assert found.level == level and told in found.found


RESTART = """
import os, signal, socket, subprocess, sys, time
pid, port, config = int(open({pid!r}).read()), {port}, {config!r}
os.kill(pid, signal.SIGKILL)
while True:
    with socket.socket() as probe:
        if probe.connect_ex(("127.0.0.1", port)):
            break
devnull = subprocess.DEVNULL
process = subprocess.Popen([{program!r}, "-c", config], stdin=devnull, stdout=devnull, stderr=devnull)
open({pid!r}, "w").write(str(process.pid))
"""


@contextmanager
def restartable(directory: Path, *settings: str) -> Iterator[tuple[int, str]]:
    """A broker, and the command that kills it and starts another one on its port."""
    port, pid = free_port(), directory / "pid"
    config, script = directory / "broker.conf", directory / "restart.py"
    lines = [f"listener {port} 127.0.0.1", "allow_anonymous true", f"persistence_location {directory}/"]
    lines += ["user root"] if os.geteuid() == 0 else []
    config.write_text("\n".join([*lines, *settings]) + "\n")
    known = {"pid": str(pid), "port": port, "config": str(config), "program": str(MOSQUITTO)}
    script.write_text(RESTART.format(**known))
    first = subprocess.Popen([str(MOSQUITTO), "-c", str(config)], stderr=subprocess.DEVNULL)
    pid.write_text(str(first.pid))
    try:
        wait_until(lambda: accepts(port), what="mosquitto listening")
        reaper = threading.Thread(target=first.wait)  # or the killed one would hold its number
        reaper.start()
        yield port, shlex.join([sys.executable, str(script)])
    finally:
        os.kill(int(pid.read_text()), signal.SIGTERM)
        reaper.join()


SHIPPED = (
    "persistence true",
    "autosave_on_changes true",
    "autosave_interval 100",
    "max_queued_messages 100000",
)


@pytest.mark.parametrize(("settings", "level"), [(("persistence false",), "error"), (SHIPPED, "ok")])
def test_what_survives_a_kill_is_counted(tmp_path: Path, settings: tuple[str, ...], level: str) -> None:
    with restartable(tmp_path, *settings) as (port, command):
        found = by_check(BrokerChecks(device(port, tmp_path), command).look())["persistence"]
    assert found.level == level, found.line()


@pytest.mark.parametrize(("settings", "level"), [(("persistence false",), "error"), (SHIPPED, "ok")])
def test_a_broker_that_forgets_is_found_the_next_time(
    tmp_path: Path, settings: tuple[str, ...], level: str
) -> None:
    with restartable(tmp_path, *settings) as (port, command):
        assert by_check(BrokerChecks(device(port, tmp_path)).look())["persistence"].level == "warning"
        assert by_check(BrokerChecks(device(port, tmp_path)).look())["persistence"].level == "ok"
        subprocess.run(shlex.split(command), check=True, timeout=60)
        wait_until(lambda: accepts(port), what="mosquitto back")
        found = by_check(BrokerChecks(device(port, tmp_path)).look())["persistence"]
    assert found.level == level, found.line()


def test_a_restart_that_goes_wrong_is_said(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as port:
        found = by_check(BrokerChecks(device(port, tmp_path), "false").look())["persistence"]
    assert found.level == "error" and "false" in found.found


@contextmanager
def with_rules(directory: Path, *rules: str) -> Iterator[int]:
    (directory / "acl").write_text("\n".join(rules) + "\n")
    (directory / "acl").chmod(0o600)
    with mosquitto(directory, f"acl_file {directory / 'acl'}") as port:
        yield port


EVERYTHING = "pattern readwrite sovits/%u/#"


@pytest.mark.parametrize("v5", [True, False])
def test_rules_in_order(tmp_path: Path, v5: bool) -> None:
    with with_rules(tmp_path, EVERYTHING, "pattern write reply/#") as port:
        config = device(port, tmp_path, username="kiosk", reply_prefixes=["reply/"])
        found = list(AccessChecks(config, v5=v5).look())
    assert [finding.level for finding in found] == ["ok"] * 3, [finding.line() for finding in found]


@pytest.mark.parametrize("v5", [True, False])
def test_a_deaf_device_is_found(tmp_path: Path, v5: bool) -> None:
    rules = [EVERYTHING, "user kiosk", "topic deny sovits/kiosk/say/#"]
    with with_rules(tmp_path, *rules, "user show", "topic readwrite sovits/#") as port:
        peer = MqttConfig(port=port, username="show")
        found = list(AccessChecks(device(port, tmp_path, username="kiosk"), peer, v5=v5).look())
    assert found[0].level == "error" and "say/doctor-probe never arrive" in found[0].found


@pytest.mark.parametrize(("v5", "told"), [(True, "may not publish"), (False, "vanish")])
def test_a_dumb_device_is_found(tmp_path: Path, v5: bool, told: str) -> None:
    rules = [EVERYTHING, "user kiosk", "topic read sovits/kiosk/#", "topic deny sovits/kiosk/event/#"]
    with with_rules(tmp_path, *rules, "user show", "topic readwrite sovits/#") as port:
        peer = MqttConfig(port=port, username="show")
        found = list(AccessChecks(device(port, tmp_path, username="kiosk"), peer, v5=v5).look())
    assert found[1].level == "error" and told in found[1].found and "event" in found[1].found


def test_a_reply_prefix_that_is_not_granted_is_found(tmp_path: Path) -> None:
    with with_rules(tmp_path, EVERYTHING) as port:
        config = device(port, tmp_path, username="kiosk", reply_prefixes=["reply/"])
        found = list(AccessChecks(config).look())
    assert found[2].level == "error" and "reply/doctor-probe" in found[2].found


def test_a_device_that_speaks_is_not_disturbed(start_rig: Callable[..., Any]) -> None:
    rig = start_rig()
    rig.occupy()
    wait_until(lambda: rig.lamp("state")[-1] == "speaking")
    found = list(AccessChecks(rig.config).look())
    assert [finding.level for finding in found] == ["ok", "ok", "warning"], [one.line() for one in found]
    rig.event("first", "finished")
    rig.settle()
    assert rig.names("first") == ["accepted", "started", "first_audio", "finished"]
    refused = [event for event in rig.client.events() if event["event"] == "rejected"]
    assert [event["boot_id"] for event in refused] == ["doctor-probe"], "not of the daemon"
    assert [finding.level for finding in TwinChecks(rig.config, serving=True).look()] == ["ok"]


def test_a_name_that_is_online_elsewhere_is_found(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as port:
        other = Client(port, "x")
        other.say("sovits/kiosk/availability", "online", retain=True)
        other.close()
        (found,) = TwinChecks(device(port, tmp_path), serving=False).look()
    assert found.level == "error" and "not this machine" in found.found


def test_a_client_id_that_somebody_has_is_found(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as port:
        twin = paho.Client(CallbackAPIVersion.VERSION2, client_id="sovits-edge-kiosk")
        twin.connect("127.0.0.1", port)
        twin.loop_start()
        (found,) = TwinChecks(device(port, tmp_path), serving=False).look()
        twin.disconnect()
        twin.loop_stop()
        assert found.level == "error" and "sovits-edge-kiosk" in found.found
        (found,) = TwinChecks(device(port, tmp_path), serving=False).look()
        assert found.level == "ok"


def test_two_daemons_of_one_name_are_found(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as port:
        other = Client(port, "x")
        over = threading.Event()

        def be_two() -> None:
            while not over.is_set():
                for boot in ("aa", "bb"):
                    other.say("sovits/kiosk/health", {"boot_id": boot}, qos=0)
                time.sleep(0.1)

        thread = threading.Thread(target=be_two)
        thread.start()
        (found,) = TwinChecks(device(port, tmp_path), serving=True).look()
        over.set()
        thread.join()
        other.close()
    assert found.level == "error"


def test_a_websocket_listener_for_everybody_is_found(tmp_path: Path) -> None:
    port = free_port()
    with mosquitto(tmp_path, f"listener {port}", "protocol websockets") as plain:
        wait_until(lambda: accepts(port), what="the WebSocket listener")
        assert speaks_mqtt_over_websocket(port) and not speaks_mqtt_over_websocket(plain)
        found = [finding for finding in SocketChecks().look() if f"port {port} " in finding.found]
        assert [finding.level for finding in found] == ["warning"]
    with socket.create_server(("0.0.0.0", 0)) as other:
        assert not speaks_mqtt_over_websocket(other.getsockname()[1])
