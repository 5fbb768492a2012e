"""Commands: requests from outside, understood, whatever protocol carried them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from pydantic import BaseModel

from ..audio import AudioChunk
from ..errors import EdgeError, RequestError
from ..messages import (
    AudioOptions,
    CancelRequest,
    Event,
    PlainRequest,
    PrepareRequest,
    SayRequest,
    StopRequest,
)
from ..spec import REQUEST_ID
from ..topics import NO_CHARACTER, is_name
from .payload import clean_line, unknown_keys, validate

MODELS: Mapping[str, type[BaseModel]] = {
    "say": SayRequest,
    "cancel": CancelRequest,
    "stop": StopRequest,
    "prepare": PrepareRequest,
    **dict.fromkeys(("characters", "status", "reload", "flush_cache"), PlainRequest),
}


class Reply(Protocol):
    """The way back to whoever sent a command. Called on the core thread; must not block."""

    def answer(self, payload: bytes) -> None:
        """Send an answer, JSON, to where the sender asked for it."""
        ...

    def committed(self) -> None:
        """Tell the carrier that the command is dealt with or on disk: it need not be delivered again."""
        ...


class NoReply:
    """Stands for a sender that is not there any more."""

    def answer(self, payload: bytes) -> None:
        """Nobody waits for it."""

    def committed(self) -> None:
        """Nobody would deliver it again."""


class Follower(Protocol):
    """Whoever wants to know what becomes of a line. Called on the core thread; must not block."""

    def event(self, event: Event) -> None:
        """Hear a step of the line, in order; a terminal one once it is on disk."""
        ...

    def sound(self, chunk: AudioChunk) -> None:
        """Take the next chunk of a line with output ``audio``; it does not go out over MQTT then."""
        ...


@dataclass
class Command:
    """A request that has been understood, or the reason why not."""

    op: str
    """``say``, ``line``, or one of the operations."""
    request_id: str
    """Of the request; made up where the sender gave none."""
    received: float
    """``time.monotonic()`` at arrival."""
    reply: Reply = field(default_factory=NoReply)
    request: BaseModel | None = None
    character: str = ""
    """As named by the sender, if valid."""
    error: EdgeError | None = None
    warnings: list[str] = field(default_factory=list)
    expiry_s: float | None = None
    """Not to start later than this after arrival, as far as the carrier says so."""
    repeated: bool = False
    """Whether the carrier delivers again what has been done already: a second stop would cut another line."""
    follower: Follower | None = None
    """Told of the line that comes of it, as long as this process lives."""

    @property
    def n_bytes(self) -> int:
        """Return about how much memory it takes."""
        text = getattr(self.request, "text", None)
        return 2048 + 4 * len(text or "")

    @property
    def event_character(self) -> str:
        """Return the topic level for events about this request."""
        return self.character or NO_CHARACTER

    def identify(self, values: Mapping[str, Any]) -> None:
        """Take over id and character where they are valid: the answer to a wrong request names them."""
        request_id, character = values.get("id"), values.get("character")
        if isinstance(request_id, str) and re.fullmatch(REQUEST_ID, request_id):
            self.request_id = request_id
        if isinstance(character, str) and is_name(character):
            self.character = character

    def fill(self, model: type[BaseModel], values: dict[str, Any]) -> None:
        """Build the request.

        Raises:
            RequestError: a value is wrong; the message names key, expectation and value.
        """
        self.identify(values)
        if isinstance(values.get("text"), str):
            values["text"], cleaned = clean_line(values["text"])
            self.warnings += cleaned
        self.request, unknown = validate(model, values)
        self.warnings += unknown
        if isinstance(values.get("audio"), dict):
            unknown = unknown_keys(AudioOptions, values["audio"])
            self.warnings += [f"audio: {warning}" for warning in unknown]


def bad_name(character: str) -> RequestError:
    """Say what is wrong with a name that is none."""
    name = ascii(character)[:80]
    return RequestError(f"{name} is no name of a character: 1 to 64 of a-z 0-9 _ -", code="unknown_character")
