"""Reader of MQTT messages: topic and payload to a command, and the way its answer takes."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from typing import Protocol

from pydantic import BaseModel

from ..errors import EdgeError, RequestError
from ..messages import OPERATIONS, SayRequest, StopRequest
from ..spec import MAX_TEXT_CHARACTERS
from ..topics import Address, Topics, is_name
from .commands import MODELS, Command, bad_name
from .link import Inbound
from .payload import clean_line, decode_utf8, parse_object
from .repeats import Repeats, check_message

MAX_TOPIC_CHARACTERS = 256

_UNPUBLISHABLE = re.compile("[+#\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")


class Carrier(Protocol):
    """What an MQTT reply needs of the daemon."""

    def reply(self, topic: str, payload: bytes, correlation: bytes | None) -> None:
        """Publish an answer, in order with everything else that is published."""
        ...

    def acknowledge(self, inbound: Inbound) -> None:
        """Tell the broker that a message is dealt with."""
        ...


class MqttReply:
    """The way back over MQTT: the topics that the sender named, with its correlation data."""

    def __init__(self, inbound: Inbound, carrier: Carrier) -> None:
        self.inbound = inbound
        self.topics: list[str] = []
        self._carrier = carrier

    def answer(self, payload: bytes) -> None:
        """Send an answer to every reply topic."""
        for topic in self.topics:
            self._carrier.reply(topic, payload, self.inbound.correlation)

    def committed(self) -> None:
        """Acknowledge the message to the broker."""
        self._carrier.acknowledge(self.inbound)


class MqttReader:
    """Reads messages. Pure but for a short memory of messages without an id, to know those that come again.

    Args:
        topics: of this device.
        max_request_bytes: larger payloads are refused.
        reply_prefixes: what reply topics must begin with; empty: anything.
        carrier: sends answers and acknowledges.
    """

    def __init__(
        self, topics: Topics, max_request_bytes: int, reply_prefixes: Sequence[str], carrier: Carrier
    ) -> None:
        self._carrier = carrier
        self._topics = topics
        self._max_request_bytes = max_request_bytes
        self._reply_prefixes = tuple(reply_prefixes)
        self._repeats = Repeats()

    def read(self, inbound: Inbound, address: Address) -> Command:
        """Understand a message; faults end up in `error`, never in an exception."""
        op = address.name if address.kind == "request" else address.kind
        reply = MqttReply(inbound, self._carrier)
        op = op if is_name(op) else "unknown"
        command = Command(op, "", inbound.received, reply, expiry_s=inbound.expiry_s)
        if address.kind in ("say", "stop") and is_name(address.name):
            command.character = address.name
        try:
            if inbound.response_topic is not None:
                self._add_topic(reply, inbound.response_topic)
            check_message(inbound, self._max_request_bytes)
            self._fill(command, reply, address)
        except EdgeError as error:
            command.error = error
        command.request_id = command.request_id or f"auto-{secrets.token_hex(8)}"
        return command

    def check_reply_topic(self, topic: str) -> None:
        """Refuse a reply topic that could do harm.

        Raises:
            RequestError: `reply_topic_refused`, with the reason.
        """
        reason = ""
        if not topic or len(topic) > MAX_TOPIC_CHARACTERS:
            reason = f"it must have 1 to {MAX_TOPIC_CHARACTERS} characters, found {len(topic)}"
        elif _UNPUBLISHABLE.search(topic):
            reason = "it must not contain wildcards, control characters or halves of characters"
        elif topic.startswith("$"):
            reason = "it must not start with $"
        elif topic == self._topics.root or topic.startswith(self._topics.root + "/"):
            reason = f"it must not be below {self._topics.root}"
        elif self._reply_prefixes and not topic.startswith(self._reply_prefixes):
            reason = f"it must start with one of {', '.join(self._reply_prefixes)} (mqtt.reply_prefixes)"
        if reason:
            raise RequestError(f"reply topic {ascii(topic)[:80]}: {reason}", code="reply_topic_refused")

    def _add_topic(self, reply: MqttReply, topic: str) -> None:
        self.check_reply_topic(topic)
        if topic not in reply.topics:
            reply.topics.append(topic)

    def _fill(self, command: Command, reply: MqttReply, address: Address) -> None:
        inbound = reply.inbound
        if address.kind == "say":
            self._fill_text(command, inbound, address.name)
        elif address.kind == "stop":
            self._fill_stop(command, inbound, address.name)
        elif address.kind == "line":
            self._fill_line(command, reply, address.name)
        elif address.name in OPERATIONS:
            self._fill_json(command, reply, MODELS[command.op])
        else:
            expected = ", ".join(OPERATIONS)
            raise RequestError(f"unknown operation {ascii(address.name)[:80]}; expected {expected}")

    def _fill_text(self, command: Command, inbound: Inbound, character: str) -> None:
        if not is_name(character):
            raise bad_name(character)
        command.request_id = self._repeats.first_id(inbound) or f"auto-{secrets.token_hex(8)}"
        self._repeats.remember(inbound, command.request_id)
        text, warnings = clean_line(decode_utf8(inbound.payload))
        command.warnings += warnings
        if len(text) > MAX_TEXT_CHARACTERS:
            raise _too_long(len(text))
        command.request = SayRequest(id=command.request_id, character=character, text=text)

    def _fill_stop(self, command: Command, inbound: Inbound, character: str) -> None:
        if character and not is_name(character):
            raise bad_name(character)
        command.repeated = self._repeats.first_id(inbound) is not None
        self._repeats.remember(inbound, "")
        command.request = StopRequest(character=character or None)

    def _fill_line(self, command: Command, reply: MqttReply, line: str) -> None:
        if not is_name(line):
            raise RequestError(f"line {ascii(line)[:80]} is not a valid name", code="unknown_line")
        self._fill_json(command, reply, SayRequest, line=line)

    def _fill_json(self, command: Command, reply: MqttReply, model: type[BaseModel], **fixed: str) -> None:
        """Build the request; id and reply topic are read first, so that an answer arrives in any case."""
        values, warnings = parse_object(reply.inbound.payload)
        command.warnings += warnings
        command.identify(values)
        reply_to = values.get("reply_to")
        if isinstance(reply_to, str):
            self._add_topic(reply, reply_to)
        command.fill(model, values | fixed)


def _too_long(n_characters: int) -> RequestError:
    return RequestError(
        f"the text has {n_characters} characters, at most {MAX_TEXT_CHARACTERS} are spoken", code="too_large"
    )
