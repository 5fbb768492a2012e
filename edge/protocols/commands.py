"""From a message as received to a command: which operation, which request, answers where to."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel

from ..errors import EdgeError, RequestError
from ..messages import (
    MAX_TEXT_CHARACTERS,
    NO_CHARACTER,
    OPERATIONS,
    REQUEST_ID,
    Address,
    AudioOptions,
    CancelRequest,
    PlainRequest,
    PrepareRequest,
    SayRequest,
    StopRequest,
    Topics,
    is_name,
)
from .link import Inbound
from .payload import clean_line, decode_utf8, parse_object, unknown_keys, validate

MAX_TOPIC_CHARACTERS = 256
DUP_WINDOW_S = 30.0
DUP_MEMORY = 128

_UNPUBLISHABLE = re.compile("[+#\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")

MODELS: Mapping[str, type[BaseModel]] = {
    "say": SayRequest,
    "cancel": CancelRequest,
    "stop": StopRequest,
    "prepare": PrepareRequest,
    **dict.fromkeys(("characters", "status", "reload", "flush_cache"), PlainRequest),
}


@dataclass
class Command:
    """A message that has been understood, or the reason why not."""

    op: str
    """`say`, `line`, or one of the operations."""
    inbound: Inbound
    request_id: str
    """Of the request; made up where the sender gave none."""
    request: BaseModel | None = None
    character: str = ""
    """As named by topic or payload, if valid."""
    error: EdgeError | None = None
    warnings: list[str] = field(default_factory=list)
    reply_topics: list[str] = field(default_factory=list)
    repeated: bool = False
    """Whether the broker delivers again what has been done already: a second stop would cut another line."""

    @property
    def event_character(self) -> str:
        """Return the topic level for events about this request."""
        return self.character or NO_CHARACTER


class Intake:
    """Reads messages. Pure but for a short memory of messages without an id, to know those that come again.

    Args:
        topics: of this device.
        max_request_bytes: larger payloads are refused.
        reply_prefixes: what reply topics must begin with; empty: anything.
    """

    def __init__(self, topics: Topics, max_request_bytes: int, reply_prefixes: Sequence[str]) -> None:
        self._topics = topics
        self._max_request_bytes = max_request_bytes
        self._reply_prefixes = tuple(reply_prefixes)
        self._seen: deque[tuple[str, bytes, float, str]] = deque(maxlen=DUP_MEMORY)

    def read(self, inbound: Inbound, address: Address) -> Command:
        """Understand a message; faults end up in `error`, never in an exception."""
        op = address.name if address.kind == "request" else address.kind
        command = Command(op if is_name(op) else "unknown", inbound, "")
        if address.kind in ("say", "stop") and is_name(address.name):
            command.character = address.name
        try:
            if inbound.response_topic is not None:
                self._add_reply_topic(command, inbound.response_topic)
            self._check(inbound)
            self._fill(command, address)
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

    def _add_reply_topic(self, command: Command, topic: str) -> None:
        self.check_reply_topic(topic)
        if topic not in command.reply_topics:
            command.reply_topics.append(topic)

    def _check(self, inbound: Inbound) -> None:
        if inbound.retain:
            raise RequestError(
                "a command must not be retained: it would be repeated after every restart. Publish without "
                "the retain flag, and clear this topic with an empty retained message",
                code="retained_command",
            )
        if inbound.n_payload > self._max_request_bytes:
            raise RequestError(
                f"the payload has {inbound.n_payload} bytes, at most {self._max_request_bytes} are read",
                code="too_large",
            )

    def _fill(self, command: Command, address: Address) -> None:
        if address.kind == "say":
            self._fill_text(command, address.name)
        elif address.kind == "stop":
            self._fill_stop(command, address.name)
        elif address.kind == "line":
            self._fill_line(command, address.name)
        elif address.name in OPERATIONS:
            self._fill_json(command)
        else:
            expected = ", ".join(OPERATIONS)
            raise RequestError(f"unknown operation {ascii(address.name)[:80]}; expected {expected}")

    def _fill_text(self, command: Command, character: str) -> None:
        if not is_name(character):
            raise _bad_name(character)
        inbound = command.inbound
        command.request_id = self._first_id(inbound) or f"auto-{secrets.token_hex(8)}"
        self._remember(inbound, command.request_id)
        text, warnings = clean_line(decode_utf8(inbound.payload))
        command.warnings += warnings
        if len(text) > MAX_TEXT_CHARACTERS:
            raise _too_long(len(text))
        command.request = SayRequest(id=command.request_id, character=character, text=text)

    def _remember(self, inbound: Inbound, request_id: str) -> None:
        digest = hashlib.sha256(inbound.payload).digest()
        self._seen.append((inbound.topic, digest, inbound.received, request_id))

    def _first_id(self, inbound: Inbound) -> str | None:
        """Find the id given to the first delivery of a message that the broker delivers again."""
        if not inbound.dup:
            return None
        digest = hashlib.sha256(inbound.payload).digest()
        for topic, known, received, request_id in reversed(self._seen):
            if (topic, known) == (inbound.topic, digest) and 0 < inbound.received - received < DUP_WINDOW_S:
                return request_id
        return None

    def _fill_stop(self, command: Command, character: str) -> None:
        if character and not is_name(character):
            raise _bad_name(character)
        command.repeated = self._first_id(inbound := command.inbound) is not None
        self._remember(inbound, "")
        command.request = StopRequest(character=character or None)

    def _fill_line(self, command: Command, line: str) -> None:
        if not is_name(line):
            raise RequestError(f"line {ascii(line)[:80]} is not a valid name", code="unknown_line")
        values, warnings = parse_object(command.inbound.payload)
        command.warnings += warnings
        self._validate(command, SayRequest, {**values, "line": line})

    def _fill_json(self, command: Command) -> None:
        values, warnings = parse_object(command.inbound.payload)
        command.warnings += warnings
        self._validate(command, MODELS[command.op], values)

    def _validate(self, command: Command, model: type[BaseModel], values: dict[str, Any]) -> None:
        """Build the request; id and reply topic are read first, so that an answer arrives in any case."""
        request_id, character = values.get("id"), values.get("character")
        if isinstance(request_id, str) and REQUEST_ID.fullmatch(request_id):
            command.request_id = request_id
        if isinstance(character, str) and is_name(character):
            command.character = character
        reply_to = values.get("reply_to")
        if isinstance(reply_to, str):
            self._add_reply_topic(command, reply_to)
        if isinstance(values.get("text"), str):
            values["text"], cleaned = clean_line(values["text"])
            command.warnings += cleaned
        command.request, unknown = validate(model, values)
        command.warnings += unknown
        if isinstance(values.get("audio"), dict):
            unknown = unknown_keys(AudioOptions, values["audio"])
            command.warnings += [f"audio: {warning}" for warning in unknown]


def _bad_name(character: str) -> RequestError:
    name = ascii(character)[:80]
    return RequestError(f"{name} is no name of a character: 1 to 64 of a-z 0-9 _ -", code="unknown_character")


def _too_long(n_characters: int) -> RequestError:
    return RequestError(
        f"the text has {n_characters} characters, at most {MAX_TEXT_CHARACTERS} are spoken", code="too_large"
    )
