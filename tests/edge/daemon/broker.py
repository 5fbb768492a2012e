"""A mosquitto of the test's own, and a client that remembers everything it hears."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import pytest
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from edge.demo.broker import free_port, shipped_settings

MOSQUITTO = shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")
needs_mosquitto = pytest.mark.skipif(
    MOSQUITTO is None, reason="mosquitto is not installed (apt install mosquitto)"
)
needs_clients = pytest.mark.skipif(
    shutil.which("mosquitto_pub") is None,
    reason="mosquitto_pub is not installed (apt install mosquitto-clients)",
)


PATIENCE_S = 60.0
"""How long to wait for what must come: a busy machine may take long, a fault waits in vain all the same."""


def wait_until(
    condition: Callable[[], Any],
    timeout_s: float = PATIENCE_S,
    what: str = "condition",
    every_s: float = 0.005,
) -> Any:
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        value = condition()
        if value:
            return value
        time.sleep(every_s)
    raise AssertionError(f"{what} not met within {timeout_s} s")


def accepts(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


@contextmanager
def mosquitto(directory: Path, *settings: str, port: int | None = None) -> Iterator[int]:
    """Run a broker with the limits of the shipped configuration; yields its port."""
    assert MOSQUITTO is not None
    port = port or free_port()
    config = directory / f"mosquitto-{port}.conf"
    lines = [f"listener {port} 127.0.0.1", "allow_anonymous true", *shipped_settings()]
    lines += ["user root"] if os.geteuid() == 0 else []  # or it could not read the files of the tests
    config.write_text("\n".join([*lines, *settings]) + "\n")
    process = subprocess.Popen(
        [MOSQUITTO, "-c", str(config)], stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    try:
        wait_until(lambda: accepts(port), what="mosquitto listening")
        yield port
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE_S)


@dataclass(frozen=True)
class Heard:
    topic: str
    payload: bytes
    retain: bool
    at: float
    correlation: bytes | None

    @property
    def json(self) -> Any:
        return json.loads(self.payload)


class Client:
    """A stranger with a memory."""

    def __init__(self, port: int, *topics: str, v5: bool = True) -> None:
        self.heard: list[Heard] = []
        self._changed = threading.Condition()
        self._subscribed = threading.Event()
        version = MQTTProtocolVersion.MQTTv5 if v5 else MQTTProtocolVersion.MQTTv311
        self.client = paho.Client(CallbackAPIVersion.VERSION2, protocol=version)
        self.client.on_socket_open = lambda _c, _u, sock: sock.setsockopt(
            socket.IPPROTO_TCP, socket.TCP_NODELAY, 1
        )
        self.client.on_message = self._on_message
        self.client.on_subscribe = lambda *_: self._subscribed.set()
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()
        self.client.subscribe([(topic, 1) for topic in topics])
        assert self._subscribed.wait(PATIENCE_S)

    def _on_message(self, _client: Any, _userdata: Any, message: Any) -> None:
        correlation = getattr(message.properties, "CorrelationData", None)
        with self._changed:
            self.heard.append(
                Heard(message.topic, bytes(message.payload), message.retain, time.monotonic(), correlation)
            )
            self._changed.notify_all()

    def say(
        self, topic: str, payload: Any, *, qos: int = 1, retain: bool = False, **properties: Any
    ) -> float:
        """Publish, JSON unless it is text or bytes; returns the time."""
        data = payload if isinstance(payload, bytes | str) else json.dumps(payload)
        extra = None
        if properties:
            extra = Properties(PacketTypes.PUBLISH)
            for name, value in properties.items():
                setattr(extra, name, value)
        at = time.monotonic()
        self.client.publish(topic, data, qos=qos, retain=retain, properties=extra)
        return at

    def find(self, wanted: Callable[[Heard], Any]) -> list[Heard]:
        with self._changed:
            return [heard for heard in self.heard if wanted(heard)]

    def wait(self, wanted: Callable[[Heard], Any], n: int = 1, timeout_s: float = PATIENCE_S) -> Heard:
        """Wait for the n-th message that is wanted and return it."""
        deadline = time.monotonic() + timeout_s
        with self._changed:
            while True:
                found = [heard for heard in self.heard if wanted(heard)]
                if len(found) >= n:
                    return found[n - 1]
                left = deadline - time.monotonic()
                if left <= 0:
                    last = "\n".join(f"{heard.topic} {heard.payload[:200]!r}" for heard in self.heard[-20:])
                    raise AssertionError(f"not heard within {timeout_s} s; the last messages were\n{last}")
                self._changed.wait(left)

    def events(self, request_id: str | None = None) -> list[dict[str, Any]]:
        """Lifecycle events in the order heard, of one request or of all."""
        found = [heard.json for heard in self.find(lambda heard: "/event/" in heard.topic)]
        return [event for event in found if request_id is None or event["id"] == request_id]

    def wait_event(self, request_id: str, name: str, timeout_s: float = PATIENCE_S) -> dict[str, Any]:
        heard = self.wait(
            lambda heard: (
                "/event/" in heard.topic and heard.json["id"] == request_id and heard.json["event"] == name
            ),
            timeout_s=timeout_s,
        )
        return dict(heard.json)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()
