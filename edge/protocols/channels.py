"""Channels of the MQTT contract: each topic, its direction, its quality of service and what it carries."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from pydantic import BaseModel

from .. import messages
from ..answers import ANSWERS, Response
from ..topics import LABEL_SHOWN, REVOCATIONS
from .commands import MODELS
from .segments import LipsyncSegment

ROOT = "{base}/{device}"


@dataclass(frozen=True)
class Words:
    """Plain text: one of some words, or anything where there are none."""

    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Binary:
    """Bytes."""


Payload = type[BaseModel] | Words | Binary


@dataclass(frozen=True)
class Channel:
    """One topic, or one kind of topics."""

    name: str
    tail: str
    """Below the device's root; a level in braces is a parameter."""
    summary: str
    messages: Mapping[str, Payload]
    receives: bool = False
    """Whether the daemon reads it; it writes it otherwise."""
    qos: int = 1
    retain: bool = False
    answered_on: str = ""
    """Name of the channel that carries the answers."""

    @property
    def address(self) -> str:
        """Return the whole topic."""
        return f"{ROOT}/{self.tail}"

    def parameters(self) -> list[str]:
        """Return the parameters below the root."""
        return re.findall(r"{(\w+)}", self.tail)

    def models(self) -> Iterator[type[BaseModel]]:
        """Give the models of what it carries."""
        for payload in self.messages.values():
            if isinstance(payload, type):
                yield payload


EVENTS: Mapping[str, type[messages.Event]] = {
    model.model_fields["event"].default: model
    for model in (
        messages.Accepted,
        messages.Started,
        messages.FirstAudio,
        messages.Finished,
        messages.Failed,
        messages.Rejected,
        messages.Cancelled,
        messages.Expired,
    )
}
TEXT = Words()


def _inbound() -> Iterator[Channel]:
    yield Channel(
        "say", "say/{character}", "A line as plain text, tags included; never read as JSON.",
        {"text": TEXT}, receives=True, answered_on="response_say",
    )  # fmt: skip
    yield Channel(
        "line", "line/{line_id}", "Plays a line of the show file; empty, or JSON with keys of a say request.",
        {"text": TEXT}, receives=True, answered_on="response_line",
    )  # fmt: skip
    for name, tail, whom in (
        ("stop", "stop", "everybody"),
        ("stop_one", "stop/{character}", "one character"),
    ):
        yield Channel(
            name, tail, f"Silence now for {whom}, and nothing that waits is said. Any payload.",
            {"any": TEXT}, receives=True, answered_on="response_stop",
        )  # fmt: skip
    for op, model in MODELS.items():
        yield Channel(
            f"request_{op}", f"request/{op}", f"The operation `{op}`.",
            {"request": model}, receives=True, answered_on=f"response_{op}",
        )  # fmt: skip
    yield Channel(
        "revocations", REVOCATIONS, "A signed list of what is revoked; obeyed though retained.",
        {"list": TEXT}, receives=True, retain=True,
    )  # fmt: skip
    yield Channel(
        "label_shown", LABEL_SHOWN, "A screen says that it shows the label's text. Any payload.",
        {"any": TEXT}, receives=True,
    )  # fmt: skip


def _outbound() -> Iterator[Channel]:
    for op, model in ANSWERS.items():
        yield Channel(
            f"response_{op}", f"response/{op}", f"The answer to every `{op}`.",
            {"answer": model, "refusal": Response},
        )  # fmt: skip
    yield Channel("event", "event/{character}", "What becomes of each line.", dict(EVENTS))
    yield Channel("mark", "mark/{name}", "The sound has reached a mark.", {"reached": messages.MarkReached})
    yield Channel(
        "lipsync", "lipsync/{character}", "What a stretch of a line looks like.", {"segment": LipsyncSegment}
    )
    yield Channel("audio_meta", "audio/{id}/meta", "Sound over MQTT begins.", {"meta": messages.AudioMeta})
    yield Channel("audio_chunk", "audio/{id}/{seq}", "Sound, in order.", {"chunk": Binary()})
    yield Channel("audio_end", "audio/{id}/end", "Sound over MQTT is complete.", {"end": messages.AudioEnd})


def _retained() -> Iterator[Channel]:
    lamps = Words(("idle", "speaking"))
    yield Channel(
        "state", "state", "How the device is.",
        {"word": Words(("starting", "idle", "speaking", "degraded", "error"))}, retain=True,
    )  # fmt: skip
    yield Channel(
        "character_state", "character/{character}/state", "Who speaks.", {"word": lamps}, retain=True
    )
    yield Channel(
        "availability", "availability", "`offline` is the will, `stopped` an end in order.",
        {"word": Words(("online", "offline", "stopped"))}, retain=True,
    )  # fmt: skip
    yield Channel("status", "status", "What runs.", {"status": messages.Status}, retain=True)
    yield Channel("health", "health", "How it runs, every 10 s.", {"health": messages.Health}, qos=0)


CHANNELS = (*_inbound(), *_outbound(), *_retained())
