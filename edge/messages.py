"""Topics and payloads of the MQTT contract, version 1: the public API of the daemon.

What comes in is validated strictly (a number is no string, `true` is no number); keys that are unknown
are kept out and named in the answer's `warnings`. What goes out is built from these models only.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from . import spec

CONTRACT_VERSION = 1
MAX_DELAY_MS = 3_600_000
NO_CHARACTER = "unknown"  # topic level for answers to a request that names no valid character
OPERATIONS = ("say", "cancel", "stop", "prepare", "characters", "status", "reload", "flush_cache")

Code = Literal[
    "bad_json", "bad_encoding", "bad_request", "too_large", "text_empty", "text_unspeakable",
    "unknown_character", "unknown_line", "id_conflict", "retained_command", "queue_full", "not_cached",
    "reply_topic_refused", "voice_revoked", "consent_missing", "bundle_corrupt", "runner_error",
    "runner_timeout", "audio_device_lost", "disk_full", "interrupted_by_restart", "shutting_down", "internal",
]  # fmt: skip
RETRYABLE_CODES = frozenset(
    "queue_full shutting_down runner_error runner_timeout audio_device_lost disk_full not_cached".split()
)
"""Failures that may pass if the same request is sent again later."""

REVOCATIONS = "trust/revocations"
"""Below the device's root: the one topic whose retained message is obeyed, because it proves itself."""

LABEL_SHOWN = "label/shown"
"""Below the device's root: a screen says that it shows the label's text."""

Output = Literal["play", "audio", "lipsync", "file"]
VisemeSet = Literal["oculus", "rhubarb", "azure", "arkit", "polly"]


def is_name(text: str) -> bool:
    """Tell whether a text may be a device, character or mark."""
    return re.fullmatch(spec.NAME, text) is not None


@dataclass(frozen=True)
class Address:
    """An inbound topic, taken apart: `kind` is `say`, `line`, `stop`, `request` or `health`."""

    kind: str
    name: str


@dataclass(frozen=True)
class Topics:
    """The topics of one device."""

    base: str
    device: str

    @property
    def root(self) -> str:
        """Return `<base>/<device>`, called `B` in the contract."""
        return f"{self.base}/{self.device}"

    def subscriptions(self) -> tuple[str, ...]:
        """Return what the daemon listens to: commands, malformed ones too, which have a right to an answer.

        ``health`` is its own, for the loopback check.
        """
        tails = ("say/#", "line/#", "stop/#", "request/#", "health", REVOCATIONS, LABEL_SHOWN)
        return tuple(f"{self.root}/{tail}" for tail in tails)

    def urgent(self) -> tuple[str, ...]:
        """Return what the session for stops listens to."""
        return tuple(f"{self.root}/{tail}" for tail in ("stop/#", "request/stop", "request/cancel"))

    def read(self, topic: str) -> Address | None:
        """Take an inbound topic apart; `None` if it is none of ours."""
        if not topic.startswith(self.root + "/"):
            return None
        kind, _, name = topic[len(self.root) + 1 :].partition("/")
        is_ours = kind in ("say", "line", "stop", "request") or (kind == "health" and not name)
        is_ours = is_ours or f"{kind}/{name}" in (REVOCATIONS, LABEL_SHOWN)
        return Address(kind, name) if is_ours else None

    def own(self, tail: str) -> str:
        """Return a topic below the device's root, such as `state` or `event/noah`."""
        return f"{self.root}/{tail}"


def _integral(value: Any) -> Any:
    """Let 5.0 pass as 5: some tools know only one kind of number."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


Integer = Annotated[int, BeforeValidator(_integral)]
RequestId = Annotated[str, Field(pattern=f"^{spec.REQUEST_ID}$")]
Name = Annotated[str, Field(pattern=f"^{spec.NAME}$")]


def _number(default: float, within: tuple[float, float]) -> Any:
    low, high = within
    return Field(default, ge=low, le=high, allow_inf_nan=False)


class _Inbound(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore")


class AudioOptions(_Inbound):
    """How sound is sent over MQTT."""

    format: Literal["pcm16", "wav"] = "pcm16"
    chunk_bytes: Integer = Field(16_384, ge=256, le=1_048_576)


class SayRequest(_Inbound):
    """A line to be spoken; ranges and defaults as in section 2 of the contract."""

    id: RequestId | None = None
    character: Name | None = None
    text: str | None = Field(None, max_length=spec.MAX_TEXT_CHARACTERS)
    line: Name | None = None
    language: Literal["auto", "zh", "en", "ja"] = "auto"
    emotion: str = Field("neutral", min_length=1, max_length=64)
    emotion_strength: float = _number(1.0, spec.EMOTION_STRENGTH)
    rate: float = _number(1.0, spec.RATE)
    """Speed, times normal."""
    pitch: float = _number(0.0, spec.PITCH)
    """Semitones."""
    volume: float = _number(1.0, spec.VOLUME)
    priority: Integer = Field(5, ge=0, le=9)
    interrupt: Literal["none", "lower", "character", "all"] = "none"
    deadline_ms: Integer | None = Field(None, ge=1, le=MAX_DELAY_MS)
    not_before_ms: Integer = Field(0, ge=0, le=MAX_DELAY_MS)
    output: list[Output] = Field(default=["play"], min_length=1, max_length=8)
    audio: AudioOptions = AudioOptions()
    visemes: VisemeSet = "oculus"
    reply_to: str | None = None
    cache: Literal["use", "bypass", "only"] = "use"

    def content_digest(self) -> str:
        """Hash what is asked for: equal for repetitions of one request, whatever its id and reply topic."""
        content = self.model_dump_json(exclude={"id", "reply_to"})
        return hashlib.sha256(content.encode()).hexdigest()


class PrepareRequest(_Inbound):
    """Lines to be synthesised into the cache."""

    id: RequestId | None = None
    items: list[dict[str, Any]] = Field(min_length=1, max_length=2000)
    reply_to: str | None = None


class CancelRequest(_Inbound):
    """A line to be cut or taken out of the queue."""

    id: RequestId
    reply_to: str | None = None


class StopRequest(_Inbound):
    """Silence now, for one character or for all."""

    id: RequestId | None = None
    character: Name | None = None
    reply_to: str | None = None


class PlainRequest(_Inbound):
    """An operation without parameters: `characters`, `status`, `reload`, `flush_cache`."""

    id: RequestId | None = None
    reply_to: str | None = None


class _Outbound(BaseModel):
    model_config = ConfigDict(frozen=True)

    def to_json(self) -> bytes:
        """Return the payload; keys without a value are left out."""
        return self.model_dump_json(exclude_none=True).encode()


class Response(_Outbound):
    """The answer to a request; `result` holds what the operation returns, at the top level."""

    model_config = ConfigDict(frozen=True, extra="allow")

    id: str
    op: str
    ok: bool
    code: Code | Literal["ok"] = "ok"
    message: str = ""
    warnings: list[str] = []


class Event(_Outbound):
    """What every lifecycle event carries."""

    id: str
    event: str
    seq: int
    """Number of this event among those of the same request, from 0."""
    event_id: str
    boot_id: str
    character: str
    t_mono_ms: int
    duplicate: bool | None = None


class Accepted(Event):
    """The request will be done, come what may."""

    event: Literal["accepted"] = "accepted"
    position: int
    """Lines before it in the queue; 0: its turn is next or now."""
    cached: bool
    warnings: list[str] | None = None


class Started(Event):
    """Its turn has come."""

    event: Literal["started"] = "started"


class FirstAudio(Event):
    """The first sample went to the output."""

    event: Literal["first_audio"] = "first_audio"
    latency_ms: float
    t0_mono_ns: int
    device_latency_ms: float


class Finished(Event):
    """Said to the end."""

    event: Literal["finished"] = "finished"
    audio_ms: float
    synthesis_ms: float
    rtf: float
    cached: bool
    underruns: int
    path: str | None = None
    url: str | None = None
    warnings: list[str] | None = None


class Failed(Event):
    """Accepted, but could not be done."""

    event: Literal["failed"] = "failed"
    code: Code
    message: str
    stage: str
    retryable: bool


class Rejected(Event):
    """Never became work."""

    event: Literal["rejected"] = "rejected"
    code: Code
    message: str
    stage: str = "request"
    retryable: bool


class Cancelled(Event):
    """Cut off or taken out of the queue."""

    event: Literal["cancelled"] = "cancelled"
    by: Literal["request", "interrupt", "stop", "shutdown"]
    played_ms: float


class Expired(Event):
    """Its deadline passed before its turn came."""

    event: Literal["expired"] = "expired"
    late_ms: float


TERMINAL_EVENTS = frozenset({"finished", "failed", "cancelled", "expired"})


class MarkReached(_Outbound):
    """The sound has reached `[mark:name]`."""

    id: str
    character: str
    name: str
    t_ms: float
    """Position of the mark, from the first sample of the line."""


class AudioMeta(_Outbound):
    """Announces sound over MQTT."""

    id: str
    format: Literal["pcm16", "wav"]
    sample_rate: int
    channels: int = 1
    label: dict[str, object]


class AudioEnd(_Outbound):
    """Closes sound over MQTT."""

    chunks: int
    bytes: int
    sha256: str


class CharacterInfo(_Outbound):
    """One voice of the loaded bundle."""

    name: str
    languages: list[str]
    emotions: list[str]
    description: str = ""


class LabelStatus(_Outbound):
    """What a screen has to show beside what is heard."""

    profile: str
    text: str
    texts: dict[str, str]
    """By language, where the profile tells them apart."""
    shown: bool
    """Whether a screen has said so since the daemon started."""


class Status(_Outbound):
    """Retained description of the daemon."""

    version: str
    contract: int = CONTRACT_VERSION
    boot_id: str
    runner: str
    precision: str
    bundle: str
    characters: list[str]
    queue_depth: int
    journal_backlog: int
    last_error: str
    label: LabelStatus


class Health(_Outbound):
    """Sent every 10 s; the daemon listens to its own to measure the whole way through the broker."""

    boot_id: str
    beat: int
    uptime_s: float
    loopback_age_s: float | None
    """Age of the last health message that came back through the broker."""
    loopback_ms: float | None
    """How long that one took."""
    connected: bool
    protocol: str
    reconnects: int
    duplicate_client_id_suspected: bool
    queue_depth: int
    intake_depth: int
    intake_dropped: int
    outgoing_unacknowledged: int
    outgoing_dropped: int
    lines: dict[str, int]
    """Number of lines by how they ended, since start."""
    first_audio_p50_ms: float | None
    first_audio_p95_ms: float | None
    underruns: int
    cache_lines: int
    cache_mb: float
    resident_mb: float
    """Of the daemon's own process."""
    engine_mb: float
    """Of the process in which the synthesiser works; 0 where it has none of its own."""
    engine_faults: int
    """Times that the synthesiser crashed, hung or gave nonsense and had to be replaced."""
    sink: str
