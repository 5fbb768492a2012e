"""Publisher of everything that the daemon says on MQTT: events, answers, retained topics.

Messages are collected while the core handles something and published by ``flush`` afterwards: the work comes
first, the report second. Their order is kept.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from ..answers import Response, answer_of
from ..messages import TERMINAL_EVENTS, Event
from ..protocols.commands import Command, Follower
from ..protocols.link import Inbound
from ..protocols.mqtt import Connection
from ..topics import Topics
from .journal.base import Journal
from .line import Reported
from .line_log import LineLog

JSON = "application/json"


@dataclass(frozen=True)
class TerminalDurable:
    """The journal has a terminal event; now it may be told."""

    topic: str
    payload: bytes
    event_id: str
    tell_follower: Callable[[], None] = lambda: None


@dataclass(frozen=True)
class _Outgoing:
    topic: str
    payload: bytes
    retain: bool = False
    correlation: bytes | None = None
    content_type: str | None = None
    event_id: str | None = None
    """Of a terminal event, which the journal waits to see delivered."""
    then: Callable[[], None] | None = None
    """Called once the broker has it, refuses it, or cannot be given it."""

    def over(self) -> None:
        """Note that nothing more becomes of it."""
        if self.then is not None:
            self.then()


class Publisher:
    """Ordered publishing. Only the core thread uses it.

    Args:
        topics: of this device.
        connection: to the broker.
        journal: told of every event.
        boot_id: names this run of the daemon.
        later: leaves a message in the core's inbox; called on any thread.
    """

    def __init__(
        self,
        topics: Topics,
        connection: Connection,
        journal: Journal,
        boot_id: str,
        later: Callable[[object], None],
    ) -> None:
        self._topics = topics
        self._connection = connection
        self._journal = journal
        self._boot_id = boot_id
        self._later = later
        self._log = LineLog()
        self._n_events = 0
        self._outgoing: list[_Outgoing] = []
        self._retained: dict[str, bytes] = {}
        self._awaiting: dict[int, _Outgoing] = {}
        self._refused: dict[str, _Outgoing] = {}
        self.n_untold = 0
        """Terminal events that the journal has not written yet."""
        self.unacknowledged: set[int] = set()
        """Numbers of the messages that the broker has not confirmed."""

    def event(self, line: Reported, model: type[Event], **keys: Any) -> None:
        """Report a step of a line; a terminal event goes out once the journal has it."""
        event = self._build(model, line.request_id, line.character, line.n_events, keys)
        line.n_events += 1
        self._log.tell(event)
        topic = self._topics.own(f"event/{line.character}")
        record = event.model_dump(exclude_none=True)
        if event.event in TERMINAL_EVENTS:
            tell_follower = partial(_tell, line.follower, event)
            durable = TerminalDurable(topic, event.to_json(), event.event_id, tell_follower)
            self.n_untold += 1
            self._journal.finish(line.request_id, record, lambda: self._later(durable))
        else:
            self._journal.advance(line.request_id, record)
            self._send(topic, event.to_json())
            _tell(line.follower, event)

    def refusal(self, command: Command, model: type[Event], then: Callable[[], None], **keys: Any) -> None:
        """Report that a request never became work.

        Nothing on disk remembers it, so the request is acknowledged, by ``then``, once the broker has this:
        when a daemon is killed in between, the next one is asked.
        """
        event = self._build(model, command.request_id, command.character, 0, keys)
        self._log.tell(event)
        topic = self._topics.own(f"event/{command.event_character}")
        self._hold(_Outgoing(topic, event.to_json(), content_type=JSON, then=then))

    def repeat(self, record: Mapping[str, Any], model: type[Event]) -> None:
        """Send an earlier event again, marked as a duplicate."""
        event = model.model_validate({**record, "duplicate": True})
        self._send(self._topics.own(f"event/{event.character}"), event.to_json())

    def resend(self, record: Mapping[str, Any], model: type[Event]) -> None:
        """Send a terminal event of an earlier process: the broker may not have it. It keeps its event id."""
        event = model.model_validate(record)
        topic = self._topics.own(f"event/{event.character}")
        self.n_untold += 1
        self._later(TerminalDurable(topic, event.to_json(), event.event_id))

    def tell(self, durable: TerminalDurable) -> None:
        """Publish a terminal event that is on disk, and remember to note when the broker has it."""
        self.n_untold -= 1
        self._hold(_Outgoing(durable.topic, durable.payload, content_type=JSON, event_id=durable.event_id))
        durable.tell_follower()
        self.flush()

    def respond(self, command: Command, response: Response) -> None:
        """Answer a request: on the response topic of its operation, and wherever the sender asked for it."""
        payload = response.to_json()
        self._send(self._topics.own(f"response/{command.op}"), payload)
        command.reply.answer(payload)

    def reply(self, topic: str, payload: bytes, correlation: bytes | None) -> None:
        """Publish an answer on a topic that the sender named, in order with the events."""
        self._hold(_Outgoing(topic, payload, False, correlation, JSON))

    def acknowledge(self, inbound: Inbound) -> None:
        """Tell the broker that a message is dealt with."""
        if inbound.source is not None:
            inbound.source.acknowledge(inbound)

    def answer(self, command: Command, *, code: str = "ok", message: str = "", **result: Any) -> None:
        """Answer a request, with what the operation returns."""
        head = {"id": command.request_id, "op": command.op, "ok": code == "ok", "code": code}
        body = {**head, "message": message, "warnings": command.warnings, **result}
        self.respond(command, answer_of(command.op, code).model_validate(body))

    def retain(self, tail: str, payload: bytes) -> None:
        """Set a retained topic below the device's root, if it does not have this value already."""
        self.retain_anywhere(self._topics.own(tail), payload)

    def retain_anywhere(self, topic: str, payload: bytes) -> None:
        """Set a retained topic, if it does not have this value already; an empty payload clears it."""
        if self._retained.get(topic) != payload:
            self._retained[topic] = payload
            if self._connection.connected:  # else it goes out with the others once we are
                self._outgoing.append(_Outgoing(topic, payload, retain=True))

    def repeat_retained(self) -> None:
        """Set every retained topic again: a broker that was restarted may have lost them."""
        for topic, payload in self._retained.items():
            self._outgoing.append(_Outgoing(topic, payload, retain=True))

    def now(self, tail: str, payload: bytes, *, qos: int = 1, content_type: str | None = None) -> bool:
        """Publish at once, after whatever was collected before; `False` if it could not be taken."""
        self.flush()
        out = _Outgoing(self._topics.own(tail), payload, content_type=content_type)
        if qos and not self._connection.ready:
            return self._hold(out)
        return self._publish(out, qos) is not None

    def later(self, tail: str, payload: bytes) -> None:
        """Publish in order with the events."""
        self._send(self._topics.own(tail), payload)

    def flush(self) -> None:
        """Publish what was collected; what comes while there is no connection waits, for order's sake."""
        if not self._connection.ready:
            return
        outgoing, self._outgoing = self._outgoing, []
        for message in outgoing:
            self._publish(message)

    def delivered(self, mid: int, refusal: str = "") -> None:
        """Note that the broker has a message, or that it refuses to take it."""
        self.unacknowledged.discard(mid)
        message = self._awaiting.pop(mid, None)
        if message is None:
            return
        message.over()
        if message.event_id is None:
            return
        if refusal:
            self._refused[message.event_id] = message
        else:
            self._refused.pop(message.event_id, None)
            self._journal.delivered(message.event_id)

    def link_replaced(self) -> None:
        """Send again what the broker has not confirmed: the numbers of a new client are others."""
        self.unacknowledged.clear()
        awaiting, self._awaiting = self._awaiting, {}
        for message in awaiting.values():
            self._hold(message)

    def retry_refused(self) -> None:
        """Offer the broker again what it has refused: its access rules may have been mended."""
        refused, self._refused = self._refused, {}
        for message in refused.values():
            self._hold(message)

    def _build(
        self, model: type[Event], request_id: str, character: str, seq: int, keys: Mapping[str, Any]
    ) -> Event:
        self._n_events += 1
        return model(
            id=request_id,
            seq=seq,
            event_id=f"{self._boot_id}-{self._n_events}",
            boot_id=self._boot_id,
            character=character,
            t_mono_ms=round(time.monotonic() * 1000),
            **keys,
        )

    def _send(self, topic: str, payload: bytes) -> None:
        self._hold(_Outgoing(topic, payload, content_type=JSON))

    def _hold(self, message: _Outgoing) -> bool:
        """Keep a message for `flush`; `False` if too many are waiting for a connection already."""
        if not self._connection.ready and len(self._outgoing) >= self._connection.max_outgoing:
            self._connection.statistics.outgoing_dropped += 1
            message.over()
            return False
        self._outgoing.append(message)
        return True

    def _publish(self, message: _Outgoing, qos: int = 1) -> int | None:
        mid = self._connection.publish(
            message.topic,
            message.payload,
            qos=qos,
            retain=message.retain,
            correlation=message.correlation,
            content_type=message.content_type,
        )
        if mid is not None and qos:
            self.unacknowledged.add(mid)
        if mid is None:
            message.over()
        elif message.event_id is not None or message.then is not None:
            self._awaiting[mid] = message
        return mid


def _tell(follower: Follower | None, event: Event) -> None:
    if follower is not None:
        follower.event(event)
