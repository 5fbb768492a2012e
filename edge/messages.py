"""Payloads of the MQTT contract, version 1: the public API of the daemon.

What comes in is validated strictly (a number is no string, `true` is no number); keys that are unknown
are kept out and named in the answer's `warnings`. What goes out is built from these models only.
"""

from __future__ import annotations

import hashlib
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from . import spec

CONTRACT_VERSION = 1
MAX_DELAY_MS = 3_600_000
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

Output = Literal["play", "audio", "lipsync", "file"]
VisemeSet = Literal["oculus", "rhubarb", "azure", "arkit", "polly"]


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
    model_config = ConfigDict(strict=True, frozen=True, extra="ignore", defer_build=True)


class AudioOptions(_Inbound):
    """How sound is sent over MQTT."""

    format: Literal["pcm16", "wav"] = "pcm16"
    """Mono, 16-bit, little-endian; `wav` begins with a header."""
    chunk_bytes: Integer = Field(16_384, ge=256, le=1_048_576)
    """Largest message; fewer where the broker takes less."""


class SayRequest(_Inbound):
    """A line to be spoken; ranges and defaults as in section 2 of the contract."""

    id: RequestId | None = None
    """Names the request for ever; made up where absent. The same again is not done again."""
    character: Name | None = None
    """Who speaks; the only one of the voice where absent."""
    text: str | None = Field(None, max_length=spec.MAX_TEXT_CHARACTERS)
    """What is said, tags included; either this or `line`."""
    line: Name | None = None
    """A line of the show file."""
    language: Literal["auto", "zh", "en", "ja"] = "auto"
    emotion: str = Field("neutral", min_length=1, max_length=64)
    """Until the first emotion tag; one that the character lacks is replaced, with a warning."""
    emotion_strength: float = _number(1.0, spec.EMOTION_STRENGTH)
    """0 is neutral, 1 as trained."""
    rate: float = _number(1.0, spec.RATE)
    """Speed, times normal."""
    pitch: float = _number(0.0, spec.PITCH)
    """Semitones."""
    volume: float = _number(1.0, spec.VOLUME)
    """Linear gain."""
    priority: Integer = Field(5, ge=0, le=9)
    """Higher speaks first; equal ones in order of arrival."""
    interrupt: Literal["none", "lower", "character", "all"] = "none"
    """What this line cuts off when it is due."""
    deadline_ms: Integer | None = Field(None, ge=1, le=MAX_DELAY_MS)
    """It must start within this time of its arrival, or it expires."""
    not_before_ms: Integer = Field(0, ge=0, le=MAX_DELAY_MS)
    """It must not start sooner after its arrival."""
    output: list[Output] = Field(default=["play"], min_length=1, max_length=8)
    """Where the line goes."""
    audio: AudioOptions = AudioOptions()
    """For output `audio`."""
    visemes: VisemeSet = "oculus"
    """For output `lipsync`."""
    reply_to: str | None = None
    """Topic to which the answer is sent as well."""
    cache: Literal["use", "bypass", "only"] = "use"
    """`only`: rather fail with `not_cached` than compute; `bypass`: neither read nor keep."""
    markup: Literal["lenient", "strict"] = "lenient"
    """`lenient`: what is no tag or direction is not spoken, with a warning; `strict`: it is refused."""
    trust: Literal["show", "text"] = "show"
    """`text`: of a language model or the public; emotions and pauses are obeyed, marks are not."""

    def content_digest(self) -> str:
        """Hash what is asked for: equal for repetitions of one request, whatever its id and reply topic.

        Keys at their default are left out, so that a later version with more keys gives the same.
        """
        content = self.model_dump_json(exclude={"id", "reply_to"}, exclude_defaults=True)
        return hashlib.sha256(content.encode()).hexdigest()


class PrepareRequest(_Inbound):
    """Lines to be synthesised into the cache."""

    id: RequestId | None = None
    items: list[dict[str, Any]] = Field(min_length=1, max_length=2000)
    """Say requests, without `output`."""
    reply_to: str | None = None


class CancelRequest(_Inbound):
    """A line to be cut or taken out of the queue."""

    id: RequestId
    """Of the line."""
    reply_to: str | None = None


class StopRequest(_Inbound):
    """Silence now, for one character or for all."""

    id: RequestId | None = None
    character: Name | None = None
    """Whom to silence; everybody where absent."""
    reply_to: str | None = None


class PlainRequest(_Inbound):
    """An operation without parameters: `characters`, `status`, `reload`, `flush_cache`."""

    id: RequestId | None = None
    reply_to: str | None = None


class Outbound(BaseModel):
    """What the daemon says."""

    model_config = ConfigDict(frozen=True, defer_build=True)

    def to_json(self) -> bytes:
        """Return the payload; keys without a value are left out."""
        return self.model_dump_json(exclude_none=True).encode()


class Event(Outbound):
    """What every lifecycle event carries."""

    id: str
    """Of the request."""
    event: str
    seq: int
    """Number of this event among those of the same request, from 0."""
    event_id: str
    """Of this event; one that is heard twice has it twice."""
    boot_id: str
    """Of this run of the daemon."""
    character: str
    """Empty where the request names no valid one."""
    t_mono_ms: int
    """When, on a clock that is never set."""
    duplicate: bool | None = None
    """True where the event is sent again because the request was."""


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
    """From arrival to the first sample handed on."""
    t0_mono_ns: int
    """When that was, on the clock of `t_mono_ms`."""
    device_latency_ms: float
    """From then until it is heard."""
    label_ms: float | None = None
    """Length of the audible label before what is said; it is not part of the latency."""


class Finished(Event):
    """Said to the end."""

    event: Literal["finished"] = "finished"
    audio_ms: float
    """Length of the sound."""
    synthesis_ms: float
    """Time spent computing it."""
    rtf: float
    """Real-time factor: the one by the other."""
    cached: bool
    underruns: int
    """Gaps in what was played."""
    path: str | None = None
    """File on the device, for output `file`."""
    url: str | None = None
    """Where it can be fetched, if the HTTP door is open."""
    warnings: list[str] | None = None


class Failed(Event):
    """Accepted, but could not be done."""

    event: Literal["failed"] = "failed"
    code: Code
    message: str
    stage: str
    """Where on the way from text to sound."""
    retryable: bool
    """Whether the same request may succeed later."""


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
    """How much of it was heard."""


class Expired(Event):
    """Its deadline passed before its turn came."""

    event: Literal["expired"] = "expired"
    late_ms: float
    """By how much."""


TERMINAL_EVENTS = frozenset({"finished", "failed", "cancelled", "expired"})


class MarkReached(Outbound):
    """The sound has reached `[mark:name]`."""

    id: str
    character: str
    name: str
    t_ms: float
    """Position of the mark, from the first sample of the line."""


class AudioMeta(Outbound):
    """Announces sound over MQTT."""

    id: str
    format: Literal["pcm16", "wav"]
    sample_rate: int
    channels: int = 1
    label: dict[str, object]
    """That it is synthesised, the profile, and what has to be shown."""


class AudioEnd(Outbound):
    """Closes sound over MQTT."""

    chunks: int
    bytes: int
    sha256: str
    """Of all chunks together, hexadecimal."""


class CharacterInfo(Outbound):
    """One voice of the loaded bundle."""

    name: str
    languages: list[str]
    emotions: list[str]
    description: str = ""


class LabelStatus(Outbound):
    """What a screen has to show beside what is heard."""

    profile: str
    text: str
    """Empty where nothing has to be shown."""
    texts: dict[str, str]
    """By language, where the profile tells them apart."""
    shown: bool
    """Whether a screen has said so since the daemon started."""


class Status(Outbound):
    """Retained description of the daemon."""

    version: str
    contract: int = CONTRACT_VERSION
    boot_id: str
    """Of this run of the daemon."""
    runner: str
    """Inference library in use."""
    precision: str
    """Of the networks."""
    bundle: str
    """Name and version of the voice."""
    characters: list[str]
    queue_depth: int
    """Lines that wait."""
    journal_backlog: int
    """Records that wait to be on disk."""
    last_error: str
    """Of the device, never of a client; empty if there was none."""
    show: str | None = None
    """Name of the show in use."""
    label: LabelStatus
    """What a screen has to show."""


class Health(Outbound):
    """Sent every 10 s; the daemon listens to its own to measure the whole way through the broker."""

    boot_id: str
    beat: int
    uptime_s: float
    loopback_age_s: float | None = None
    """Age of the last health message that came back through the broker."""
    loopback_ms: float | None = None
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
    first_audio_p50_ms: float | None = None
    first_audio_p95_ms: float | None = None
    underruns: int
    cache_lines: int
    cache_mb: float
    cache_disk_lines: int = 0
    cache_disk_mb: float = 0.0
    cache_poisoned: int = 0
    """Files of the cache that were damaged and deleted."""
    cache_lost: int = 0
    """Lines that the disk did not take."""
    resident_mb: float
    """Of the daemon's own process."""
    engine_mb: float
    """Of the processes in which the synthesiser works; 0 where it has none of its own."""
    engine_faults: int
    """Times that the synthesiser crashed, hung or gave nonsense and had to be replaced."""
    sink: str
