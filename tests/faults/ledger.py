"""Ledger of ids: what was accepted, what was heard, how it ended; and a daemon that can be killed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

ROOT = Path(__file__).parents[2]
TINY_VOICE = ROOT / "tests" / "data" / "tiny_voice"
TERMINAL = frozenset({"finished", "failed", "cancelled", "expired"})
DEVICE = "victim"
BASE = f"sovits/{DEVICE}"


class Ledger:
    """A client that never goes away and writes down every event."""

    def __init__(self, port: int) -> None:
        self.events: dict[str, dict[str, dict[str, Any]]] = defaultdict(dict)
        """By request id and event id."""
        self.sent: list[str] = []
        self.online = threading.Event()
        self._lock = threading.Lock()
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", port)
        self._client.subscribe([(f"{BASE}/event/#", 1), (f"{BASE}/availability", 1)])
        self._client.loop_start()

    def say(self, **keys: Any) -> str:
        request_id = f"id-{len(self.sent)}"
        self.sent.append(request_id)
        request = {"id": request_id, "character": "noah", "text": "Go on.", **keys}
        self._client.publish(f"{BASE}/request/say", json.dumps(request), qos=1)
        return request_id

    def repeat(self, request_id: str) -> None:
        """Send a request again, as somebody does who has not heard of it."""
        request = {"id": request_id, "character": "noah", "text": "Go on."}
        self._client.publish(f"{BASE}/request/say", json.dumps(request), qos=1)

    def named(self, name: str) -> set[str]:
        with self._lock:
            return {
                request_id
                for request_id, events in self.events.items()
                if any(event["event"] == name for event in events.values())
            }

    def faults(self) -> list[str]:
        """What the contract forbids, in words."""
        wrong = []
        with self._lock:
            for request_id, events in self.events.items():
                names = [event["event"] for event in events.values() if not event.get("duplicate")]
                ends = [name for name in names if name in TERMINAL]
                if "accepted" in names and len(ends) != 1:
                    wrong.append(f"{request_id}: ended {len(ends)} times: {names}")
                if names.count("first_audio") > 1:
                    wrong.append(f"{request_id}: heard {names.count('first_audio')} times: {names}")
        return wrong

    def open(self) -> set[str]:
        """Accepted and not ended."""
        ended: set[str] = set().union(*(self.named(name) for name in TERMINAL))
        return self.named("accepted") - ended

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _on_message(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        if message.topic.endswith("/availability"):
            (self.online.set if message.payload == b"online" else self.online.clear)()
            return
        event = json.loads(message.payload)
        with self._lock:
            kept = self.events[event["id"]].get(event["event_id"])
            # One that is asked for again may come before the same one is sent by itself.
            if kept is None or kept.get("duplicate"):
                self.events[event["id"]][event["event_id"]] = event


@contextmanager
def daemon(port: int, state: Path, log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A daemon in a process of its own; killed at the end of the block if it still runs."""
    command = [sys.executable, "-m", "edge", "serve", "--broker", f"mqtt://127.0.0.1:{port}", "-q"]
    command += ["--device", DEVICE, "--bundle", str(TINY_VOICE), "--sink", "null", "--state-dir", str(state)]
    with log.open("ab") as file:
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=file, stderr=file)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()


def wait(condition: Any, timeout_s: float, what: str) -> None:
    deadline = time.monotonic() + timeout_s
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} not within {timeout_s:g} s")
        time.sleep(0.01)
