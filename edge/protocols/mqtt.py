"""The broker: connecting, reconnecting, receiving and publishing, on paho's own thread.

Three facts about paho shape this file. An exception in a callback kills its network thread while
`is_connected()` keeps saying yes: every callback here catches everything. It publishes packets larger than
the broker accepts, is disconnected and sends them again for ever: larger ones are refused here. It calls
`on_publish` with its own lock held: callbacks here only leave word in the inbox, whose lock is a leaf.
"""

from __future__ import annotations

import logging
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from ..config import MqttConfig
from .broker_faults import TlsAlert, refusal, unreachable
from .credentials import set_credentials
from .link import Delivered, Inbound, LinkDown, LinkReplaced, LinkStatistics, LinkUp

logger = logging.getLogger(__name__)

V5, V311 = MQTTProtocolVersion.MQTTv5, MQTTProtocolVersion.MQTTv311
RECONNECT_MIN_S, RECONNECT_MAX_S = 1, 2
MAX_INFLIGHT = 100
RECEIVE_MAXIMUM = 20
"""Commands that the broker may send before it hears that earlier ones are on disk: they fill a transaction of
the journal. mosquitto 2.0 sends as many again for each that is acknowledged, and reading them takes Python's
lock from a stop.
"""
TOPIC_OVERHEAD_BYTES = 1024  # topic, header and properties of a packet
CONNACK_TIMEOUT_S = 3.0
"""A broker that knows 3.1.1 only may misread a CONNECT of MQTT 5 and wait for more; amqtt 0.12 does."""
LOST_BEFORE_CONNACK_LIMIT = 2  # others just hang up; then the other protocol version is tried
LOST_BEFORE_CONNACK_LIMIT_KNOWN = 6  # the same where this version has worked: it may be another broker by now


def send_at_once(_client: paho.Client, _userdata: Any, sock: Any) -> None:
    """Spare small packets a wait of up to 40 ms (Nagle); for paho's ``on_socket_open``."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


class Connection:
    """A connection to the broker that comes back by itself.

    Args:
        config: broker, credentials and limits.
        client_id: unique in the broker.
        will: topic of the availability, which the broker sets to `offline` when we vanish; None for no will.
        subscriptions: topic filters.
        max_payload: bytes beyond which an inbound payload is not kept.
        deliver: called with each message, on paho's thread; must not block.
        report: called with `LinkUp`, `LinkDown`, `LinkReplaced` and `Delivered`, on paho's thread; must not
            block.
    """

    def __init__(
        self,
        config: MqttConfig,
        *,
        client_id: str,
        will: str | None,
        subscriptions: Sequence[str],
        max_payload: int,
        deliver: Callable[[Inbound], None],
        report: Callable[[object], None],
    ) -> None:
        self._config = config
        self.client_id = client_id
        self._will = will
        self._subscriptions = tuple(subscriptions)
        self._max_payload = max_payload
        self._deliver = deliver
        self._report = report
        self._protocol = V311 if config.protocol == "3.1.1" else V5
        self._epoch = 0
        self._connected = False
        self._ready = False
        self._lost_before_connack = 0
        self._connack: threading.Timer | None = None
        self._version_known = False
        self._switching = False
        self._refused = False
        self._closing = threading.Event()
        self.max_packet_bytes = config.max_packet_bytes
        self.statistics = LinkStatistics()
        self._alert = TlsAlert()
        self._client = self._make_client()

    @property
    def connected(self) -> bool:
        """Tell whether the last word was that we are connected; health asks the loopback instead."""
        return self._connected

    @property
    def max_outgoing(self) -> int:
        """Return how many messages may wait for a connection."""
        return self._config.max_outgoing

    @property
    def ready(self) -> bool:
        """Tell whether what is published now is sent in order.

        Earlier it may overtake: once the socket is open, paho sends what is new at once, and what it has kept
        only after the broker's greeting. The answer to the subscription comes after both.
        """
        return self._ready

    @property
    def protocol(self) -> str:
        """Return the protocol version in use: `5` or `3.1.1`."""
        return "5" if self._protocol == V5 else "3.1.1"

    @property
    def max_payload_bytes(self) -> int:
        """Return the largest payload that may be published now."""
        return self.max_packet_bytes - TOPIC_OVERHEAD_BYTES

    def start(self) -> None:
        """Begin to connect, and keep at it."""
        self._open(self._client)

    def publish(
        self,
        topic: str,
        payload: bytes,
        *,
        qos: int = 1,
        retain: bool = False,
        correlation: bytes | None = None,
        content_type: str | None = None,
    ) -> int | None:
        """Hand a message to paho's thread.

        Returns:
            The number that `Delivered` will carry, or `None` if the message was dropped: too large for the
            broker, or too many waiting.
        """
        if len(payload) > self.max_payload_bytes:
            logger.error("%s: %d bytes are more than the broker takes; not sent", topic, len(payload))
            self.statistics.outgoing_dropped += 1
            return None
        properties = self._publish_properties(correlation, content_type)
        info = self._client.publish(topic, payload, qos=qos, retain=retain, properties=properties)
        unsent = info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS  # QoS 1 without a connection is kept
        if info.rc == MQTTErrorCode.MQTT_ERR_QUEUE_SIZE or (qos == 0 and unsent):
            self.statistics.outgoing_dropped += 1
            return None
        return info.mid

    def acknowledge(self, inbound: Inbound) -> None:
        """Tell the broker that a message is dealt with, unless its connection is gone."""
        if inbound.qos and inbound.epoch == self._epoch and self._connected:
            self._client.ack(inbound.mid, inbound.qos)

    def close(self, timeout_s: float) -> None:
        """Disconnect in order and wait for paho's thread to end, at most so long."""
        self._closing.set()
        self._connected = False
        self._stop_awaiting()
        client = self._client
        client.disconnect()
        stopper = threading.Thread(target=client.loop_stop, name="mqtt-stop", daemon=True)
        stopper.start()
        stopper.join(timeout_s)

    def _make_client(self) -> paho.Client:
        is_v5 = self._protocol == V5
        client = paho.Client(
            CallbackAPIVersion.VERSION2,
            client_id=self.client_id,
            clean_session=None if is_v5 else self._config.session_expiry_s == 0,
            protocol=self._protocol,
            manual_ack=True,
        )
        client.suppress_exceptions = True
        if self._will is not None:
            client.will_set(self._will, b"offline", qos=1, retain=True)
        client.reconnect_delay_set(RECONNECT_MIN_S, RECONNECT_MAX_S)
        client.max_queued_messages_set(self._config.max_outgoing)
        client.max_inflight_messages_set(MAX_INFLIGHT)
        set_credentials(client, self._config)
        client.on_socket_open = self._on_socket_open
        if self._config.tls is not None:
            self._alert.watch(client)
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_subscribe = self._on_subscribe
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        return client

    def _open(self, client: paho.Client) -> None:
        extra: dict[str, Any] = {}
        if self._protocol == V5:
            properties = Properties(PacketTypes.CONNECT)  # type: ignore[no-untyped-call]
            # Without an expiry the session ends with the connection, and with it what the broker kept for us.
            properties.SessionExpiryInterval = self._config.session_expiry_s
            properties.ReceiveMaximum = RECEIVE_MAXIMUM
            extra = {"clean_start": False, "properties": properties}
        client.connect_async(self._config.host, self._config.port, self._config.keepalive_s, **extra)
        client.loop_start()

    def _publish_properties(self, correlation: bytes | None, content_type: str | None) -> Properties | None:
        if self._protocol != V5 or (correlation is None and content_type is None):
            return None
        properties = Properties(PacketTypes.PUBLISH)  # type: ignore[no-untyped-call]
        if correlation is not None:
            properties.CorrelationData = correlation
        if content_type is not None:
            properties.ContentType = content_type
        return properties

    # Callbacks, on paho's thread. None raises, none blocks.

    def _on_socket_open(self, _client: paho.Client, _userdata: Any, sock: Any) -> None:
        try:
            send_at_once(_client, _userdata, sock)
            self._await_connack()
        except Exception:
            logger.exception("on_socket_open")

    def _on_connect(
        self, client: paho.Client, _userdata: Any, _flags: Any, reason: ReasonCode, properties: Any
    ) -> None:
        try:
            self._stop_awaiting()
            if reason.is_failure:
                self._refused = True
                self._report(LinkDown(f"broker {self._config.host} refuses us: {refusal(reason)}"))
                if reason.getName() == "Unsupported protocol version":
                    self._switch_protocol()
                return
            self._version_known = True
            self._lost_before_connack = 0
            self._alert.unwatch(client)
            self._epoch += 1
            granted = getattr(properties, "MaximumPacketSize", None)
            self.max_packet_bytes = min(granted or self._config.max_packet_bytes, 268_435_455)
            self._connected = True
            client.subscribe(self._filters())
        except Exception:
            logger.exception("on_connect")

    def _on_connect_fail(self, _client: paho.Client, _userdata: Any) -> None:
        """Say why; paho calls this while it handles the exception."""
        where = f"broker {self._config.host}:{self._config.port}"
        self._report(LinkDown(f"{where} cannot be reached: {unreachable(sys.exc_info()[1])}"))

    def _filters(self) -> list[tuple[str, Any]]:
        """Subscriptions; with MQTT 5 the retain flag is kept, so that a retained command is seen as one."""
        if self._protocol == V5:
            options = SubscribeOptions(qos=1, retainAsPublished=True)
            return [(topic_filter, options) for topic_filter in self._subscriptions]
        return [(topic_filter, 1) for topic_filter in self._subscriptions]

    def _on_subscribe(
        self, _client: paho.Client, _userdata: Any, _mid: int, reasons: list[ReasonCode], _properties: Any
    ) -> None:
        try:
            refused = tuple(
                topic_filter
                for topic_filter, reason in zip(self._subscriptions, reasons, strict=False)
                if reason.is_failure
            )
            self._ready = True
            self._report(LinkUp(self._epoch, refused))
        except Exception:
            logger.exception("on_subscribe")

    def _on_disconnect(
        self, client: paho.Client, _userdata: Any, _flags: Any, reason: ReasonCode, _properties: Any
    ) -> None:
        try:
            was_connected, self._connected = self._connected, False
            self._ready = False
            refused, self._refused = self._refused, False
            if self._closing.is_set() or refused:
                return
            if alert := self._alert.take():
                self._stop_awaiting()
                self._report(LinkDown(f"broker {self._config.host}: {alert}"))
                return
            if was_connected:
                if self._config.tls is not None:
                    self._alert.watch(client)
                self.statistics.reconnects += 1
                self.statistics.losses.append(time.monotonic())
            else:
                self._stop_awaiting()
                self._lost_before_connack += 1
                known = self._version_known
                if self._lost_before_connack >= (
                    LOST_BEFORE_CONNACK_LIMIT_KNOWN if known else LOST_BEFORE_CONNACK_LIMIT
                ):
                    self._switch_protocol()
            self._report(LinkDown(f"connection lost: {self._loss(reason)}"))
        except Exception:
            logger.exception("on_disconnect")

    def _loss(self, reason: ReasonCode) -> str:
        taken = reason.getName() == "Session taken over" or self.statistics.flapping(time.monotonic())
        if not taken:
            return str(reason)
        return (
            f"{reason}; another client uses our id {self.client_id!r}: give each daemon its own device name "
            "or mqtt.client_id"
        )

    def _on_message(self, _client: paho.Client, _userdata: Any, message: paho.MQTTMessage) -> None:
        try:
            self._deliver(self._inbound(message, time.monotonic()))
        except Exception:
            logger.exception("on_message")

    def _on_publish(
        self, _client: paho.Client, _userdata: Any, mid: int, reason: ReasonCode, _properties: Any
    ) -> None:
        self._report(Delivered(mid, str(reason) if reason.is_failure else ""))

    def _inbound(self, message: paho.MQTTMessage, received: float) -> Inbound:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            topic = ""
        payload = bytes(message.payload)
        properties = message.properties
        return Inbound(
            topic=topic,
            payload=payload if len(payload) <= self._max_payload else b"",
            retain=message.retain,
            dup=message.dup,
            qos=message.qos,
            mid=message.mid,
            epoch=self._epoch,
            received=received,
            n_payload=len(payload),
            response_topic=getattr(properties, "ResponseTopic", None),
            correlation=getattr(properties, "CorrelationData", None),
            expiry_s=getattr(properties, "MessageExpiryInterval", None),
            source=self,
        )

    def _await_connack(self) -> None:
        """Try the other protocol version if this one gets no answer, unless it has worked before."""
        if self._config.protocol == "auto" and not self._version_known:
            self._connack = threading.Timer(CONNACK_TIMEOUT_S, self._switch_protocol)
            self._connack.daemon = True
            self._connack.start()

    def _stop_awaiting(self) -> None:
        connack, self._connack = self._connack, None
        if connack is not None:
            connack.cancel()

    def _switch_protocol(self) -> None:
        """Try the other protocol version from now on; a client is made for one version."""
        if self._config.protocol != "auto":
            logger.error("the broker does not speak MQTT %s; set mqtt.protocol to auto", self.protocol)
            return
        if self._switching or self._closing.is_set():
            return
        self._switching = True
        threading.Thread(target=self._replace_client, name="mqtt-switch", daemon=True).start()

    def _replace_client(self) -> None:
        try:
            old = self._client
            old.on_disconnect = None
            old.disconnect()
            old.loop_stop()
            if self._closing.is_set():
                return
            self._protocol = V311 if self._protocol == V5 else V5
            self._lost_before_connack = 0
            self._version_known = False
            logger.warning("trying MQTT %s", self.protocol)
            self._report(LinkReplaced())
            self._client = self._make_client()
            self._open(self._client)
        except Exception:
            logger.exception("changing the protocol version")
        finally:
            self._switching = False
