"""Client that tries a broker out: what it is told, what comes back, and how long that takes."""

from __future__ import annotations

import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode

from ..config import MqttConfig
from ..errors import EdgeError
from ..protocols.broker_faults import TlsAlert, refusal, unreachable
from ..protocols.credentials import set_credentials
from ..protocols.mqtt import send_at_once

CONNECT_LIMIT_S = 8.0
ANSWER_LIMIT_S = 3.0
IN_FLIGHT = 1000
SESSION_EXPIRY_S = 300


@dataclass(frozen=True)
class Heard:
    """A message that came."""

    topic: str
    payload: bytes
    retain: bool


class ProbeClient:
    """A connection to a broker for as long as the block lasts.

    Args:
        config: broker and credentials.
        v5: with MQTT 5, else 3.1.1.
        client_id: made up if empty.
        keep_session: whether the broker keeps the session for the next one with this id.
    """

    def __init__(
        self, config: MqttConfig, *, v5: bool = True, client_id: str = "", keep_session: bool = False
    ) -> None:
        self.client_id = client_id or f"sovits-doctor-{secrets.token_hex(6)}"
        self.heard: list[Heard] = []
        self.max_packet_bytes: int | None = None
        """As the broker states it."""
        self.fault = ""
        """Why there is no connection, with the remedy."""
        self.losses: list[str] = []
        self._config = config
        self._v5 = v5
        self._keep = keep_session
        self._changed = threading.Condition()
        self._done: dict[int, ReasonCode] = {}
        self._connected = False
        self._alert = TlsAlert()
        self._client = self._make_client()

    def __enter__(self) -> ProbeClient:
        """Connect.

        Raises:
            EdgeError: the broker cannot be reached or refuses us.
        """
        extra: dict[str, Any] = {}
        if self._v5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            properties.SessionExpiryInterval = SESSION_EXPIRY_S if self._keep else 0
            extra = {"clean_start": not self._keep, "properties": properties}
        self._client.connect_async(self._config.host, self._config.port, 10, **extra)
        self._client.loop_start()
        if not self._wait(lambda: self._connected or self.fault, CONNECT_LIMIT_S) or not self._connected:
            self._client.loop_stop()
            raise EdgeError(
                self.fault or f"no answer within {CONNECT_LIMIT_S:g} s; check mqtt.host and mqtt.port"
            )
        return self

    def __exit__(self, *_: object) -> None:
        """Disconnect."""
        self._client.disconnect()
        self._client.loop_stop()

    def subscribe(self, *topics: str) -> list[str]:
        """Subscribe with QoS 1; gives those that the broker refuses."""
        _, mid = self._client.subscribe([(topic, 1) for topic in topics])
        assert mid is not None
        answer: Any = self._wait(lambda: self._done.get(mid), ANSWER_LIMIT_S) or []
        return [topic for topic, reason in zip(topics, answer, strict=False) if reason.is_failure]

    def publish(self, topic: str, payload: bytes = b"", *, retain: bool = False) -> str:
        """Publish with QoS 1; gives the broker's refusal, empty if it took it, as far as it says so."""
        mid = self._client.publish(topic, payload, qos=1, retain=retain).mid
        reason = self._wait(lambda: self._done.get(mid), ANSWER_LIMIT_S)
        if reason is None:
            return "no answer"
        return str(reason) if reason.is_failure else ""

    def publish_many(self, topic: str, payloads: Iterable[bytes], limit_s: float) -> bool:
        """Publish as fast as the broker takes it; whether all were taken in time."""
        mids = [self._client.publish(topic, payload, qos=1).mid for payload in payloads]
        return bool(self._wait(lambda: self._done.keys() >= set(mids), limit_s))

    def wait(self, condition: Callable[[list[Heard]], Any], limit_s: float = ANSWER_LIMIT_S) -> Any:
        """Wait until what was heard meets a condition; gives its value, None if it never did."""
        return self._wait(lambda: condition(self.heard), limit_s)

    def linger(self, seconds: float) -> None:
        """Stay connected and listen."""
        self._wait(lambda: False, seconds)

    def _wait(self, condition: Callable[[], Any], limit_s: float) -> Any:
        deadline = time.monotonic() + limit_s
        with self._changed:
            while True:
                value = condition()
                left = deadline - time.monotonic()
                if value or left <= 0:
                    return value or None
                self._changed.wait(left)

    def _make_client(self) -> paho.Client:
        version = MQTTProtocolVersion.MQTTv5 if self._v5 else MQTTProtocolVersion.MQTTv311
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self.client_id,
            protocol=version,
            clean_session=None if self._v5 else not self._keep,
        )
        client.suppress_exceptions = True
        client.max_inflight_messages_set(IN_FLIGHT)
        client.reconnect_delay_set(1, 1)
        set_credentials(client, self._config)
        client.on_socket_open = send_at_once
        if self._config.tls is not None:
            self._alert.watch(client)
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_subscribe = lambda _c, _u, mid, reasons, _p: self._note(mid, reasons)
        client.on_publish = lambda _c, _u, mid, reason, _p: self._note(mid, reason)
        return client

    def _note(self, mid: int, reason: Any) -> None:
        with self._changed:
            self._done[mid] = reason
            self._changed.notify_all()

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, reason: ReasonCode, properties: Any) -> None:
        with self._changed:
            if reason.is_failure:
                self.fault = f"the broker refuses us: {refusal(reason)}"
            else:
                self._connected = True
                self.max_packet_bytes = getattr(properties, "MaximumPacketSize", None)
            self._changed.notify_all()

    def _on_connect_fail(self, _client: Any, _data: Any) -> None:
        with self._changed:
            self.fault = f"it cannot be reached: {unreachable(sys.exc_info()[1])}"
            self._changed.notify_all()

    def _on_disconnect(
        self, _client: Any, _data: Any, _flags: Any, reason: ReasonCode, _properties: Any
    ) -> None:
        with self._changed:
            if self._connected:
                self.losses.append(str(reason))
            elif alert := self._alert.take():
                self.fault = alert
            self._changed.notify_all()

    def _on_message(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        with self._changed:
            self.heard.append(Heard(message.topic, bytes(message.payload), message.retain))
            self._changed.notify_all()
