"""Faults of the network and of the broker: every accepted line ends exactly once, and none is heard twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from edge.demo.broker import free_port, shipped_settings
from tests.edge.daemon.broker import MOSQUITTO, Client, accepts, needs_mosquitto, wait_until
from tests.edge.daemon.conftest import Rig

from .proxy import FaultProxy

pytestmark = [pytest.mark.broker, needs_mosquitto]

LINES = int(os.environ.get("FAULT_LINES", "40"))
ENDS = frozenset({"finished", "failed", "cancelled", "expired", "rejected"})


class Audience:
    """Hears everything on the broker itself, and asks again for what is missing."""

    def __init__(self, rig: Rig) -> None:
        self.rig = rig
        self.ids: list[str] = []

    def say(self) -> None:
        self.ids.append(f"line-{len(self.ids)}")
        self.rig.say(self.ids[-1], "x")

    def ended(self) -> set[str]:
        return {event["id"] for event in self.rig.client.events() if event["event"] in ENDS}

    def settle(self) -> None:
        """Send again what has not ended, as the contract tells clients to, until everything has."""

        def all_over() -> bool:
            missing = set(self.ids) - self.ended()
            for request_id in sorted(missing):
                self.rig.say(request_id, "x")
            if missing:
                time.sleep(0.5)
            return not missing

        wait_until(all_over, 120, "an end for every line")

    def check(self) -> dict[str, int]:
        """Hold the contract to what was heard; gives how lines ended."""
        events = [event for event in self.rig.client.events() if not event.get("duplicate")]
        distinct = {event["event_id"]: event for event in events}
        ends: dict[str, list[str]] = {}
        heard: dict[str, int] = {}
        for event in distinct.values():
            if event["event"] in ENDS - {"rejected"}:
                ends.setdefault(event["id"], []).append(event["event"])
            heard[event["id"]] = heard.get(event["id"], 0) + (event["event"] == "first_audio")
        assert all(len(names) == 1 for names in ends.values()), ends
        assert all(times <= 1 for times in heard.values()), heard
        names = [names[0] for names in ends.values()]
        return {name: names.count(name) for name in sorted(set(names))}


def cut(proxy: FaultProxy, choose: random.Random, over: threading.Event) -> None:
    while not over.wait(choose.random() * 0.4):
        proxy.cut()


def cut_after(proxy: FaultProxy, choose: random.Random, over: threading.Event) -> None:
    while not over.wait(0.3):
        proxy.cut_after = choose.randint(200, 3000)


def hold(mode: str) -> Callable[[FaultProxy, random.Random, threading.Event], None]:
    def run(proxy: FaultProxy, choose: random.Random, over: threading.Event) -> None:
        while True:
            before = proxy.n_connections
            proxy.mode = mode  # type: ignore[assignment]
            if mode == "slow":
                over.wait(6.0)
            else:  # until both sessions have noticed
                wait_until(lambda n=before: proxy.n_connections >= n + 2, what="new connections")
            proxy.mode = "pass"
            if over.wait(choose.random()):
                return

    return run


FAULTS: dict[str, Callable[[FaultProxy, random.Random, threading.Event], None]] = {
    "connection reset at random": cut,
    "connection reset after 200 to 3000 bytes: lost acknowledgements, duplicate delivery": cut_after,
    "black hole: everything is taken, nothing passes": hold("black_hole"),
    "half open: the broker hears nothing of the device": hold("half_open"),
    "slow: 2 kB a second": hold("slow"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_networks(
    fault: str, start_rig: Callable[..., Rig], broker_port: int, noted: Callable[[str, str], None]
) -> None:
    choose = random.Random(fault)
    over = threading.Event()
    with FaultProxy(broker_port) as proxy:
        rig = start_rig(mqtt={"port": proxy.port, "keepalive_s": 2}, queue={"max_lines": 1000})
        audience = Audience(rig)
        thread = threading.Thread(target=FAULTS[fault], args=(proxy, choose, over))
        thread.start()
        for _ in range(LINES):
            audience.say()
            time.sleep(choose.random() * 0.1)
        over.set()
        thread.join()
        proxy.mode, proxy.cut_after = "pass", None
        audience.settle()
        counted = audience.check()
        rig.stop()
    assert proxy.n_connections > 2 or fault.startswith("slow"), "the fault was there"
    told = (
        f"{LINES} lines, {proxy.n_connections} connections; {sum(counted.values())} accepted and ended once"
    )
    noted(fault, told)


class Broker:
    """A mosquitto as shipped, that is ended, killed, frozen and started again on its port."""

    def __init__(self, directory: Path, *settings: str) -> None:
        self.port = free_port()
        self._config = directory / "broker.conf"
        lines = [f"listener {self.port} 127.0.0.1", "allow_anonymous true", *shipped_settings()]
        lines += ["persistence true", f"persistence_location {directory}/"]
        lines += ["user root"] if os.geteuid() == 0 else []
        self._config.write_text("\n".join([*lines, *settings]) + "\n")
        self.start()

    def start(self) -> None:
        command = [str(MOSQUITTO), "-c", str(self._config)]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(lambda: accepts(self.port), what="the broker")

    def end(self, number: int) -> None:
        self.process.send_signal(number)
        self.process.wait(30)

    def freeze(self, seconds: float) -> None:
        self.process.send_signal(signal.SIGSTOP)
        time.sleep(seconds)
        self.process.send_signal(signal.SIGCONT)


@contextmanager
def shipped_broker(directory: Path, *settings: str) -> Iterator[Broker]:
    broker = Broker(directory, *settings)
    try:
        yield broker
    finally:
        broker.process.send_signal(signal.SIGCONT)
        broker.end(signal.SIGTERM)


class Steady(Client):
    """A client that subscribes again when it is back."""

    def __init__(self, port: int, *topics: str, v5: bool = True) -> None:
        super().__init__(port, *topics, v5=v5)
        self.client.on_connect = lambda client, *_: client.subscribe([(topic, 1) for topic in topics])
        self.client.reconnect_delay_set(1, 1)


@pytest.mark.parametrize("how", ["SIGTERM", "SIGKILL", "SIGSTOP for 5 s"])
def test_brokers(
    how: str,
    start_rig: Callable[..., Rig],
    tmp_path: Path,
    noted: Callable[[str, str], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("tests.edge.daemon.conftest.Client", Steady)
    (tmp_path / "broker").mkdir()
    n_times = 2 if LINES <= 40 else 10
    with shipped_broker(tmp_path / "broker") as broker:
        rig = start_rig(port=broker.port, mqtt={"keepalive_s": 2}, queue={"max_lines": 1000})
        audience = Audience(rig)
        for _ in range(n_times):
            for _ in range(LINES // n_times):
                audience.say()
            if how.startswith("SIGSTOP"):
                broker.freeze(5.0)
            else:
                broker.end(getattr(signal, how))
                broker.start()
        audience.settle()
        counted = audience.check()
        rig.stop()
    noted(
        f"broker: {how}, {n_times} times", f"{LINES} lines; {sum(counted.values())} accepted and ended once"
    )
