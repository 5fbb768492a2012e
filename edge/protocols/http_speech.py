"""Speech over HTTP: the body of a request, the command that it becomes, and the sound on its way back."""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from collections.abc import Callable, Collection, Mapping
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from ..audio import ENDLESS_SAMPLES, AudioChunk, wav_header
from ..errors import EdgeError, RequestError
from ..messages import TERMINAL_EVENTS, CancelRequest, Event, Name, SayRequest
from ..spec import MAX_TEXT_CHARACTERS, RATE
from .commands import Command
from .payload import clean_line, parse_object, unknown_keys, validate

IGNORED_KEYS = frozenset({"model", "instructions"})
"""Keys that OpenAI's clients send and that mean nothing here."""
STATUS_CODES: Mapping[str, int] = {
    "too_large": 413,
    "unknown_character": 404,
    "not_cached": 404,
    "id_conflict": 409,
    "queue_full": 503,
    "shutting_down": 503,
    "disk_full": 503,
    "audio_device_lost": 503,
    "runner_timeout": 504,
    "expired": 503,
    "cancelled": 503,
    "voice_revoked": 403,
    "consent_missing": 403,
}
CLIENT_FAULTS = frozenset("bad_json bad_encoding bad_request text_empty text_unspeakable".split())


class HttpError(Exception):
    """What a client is told instead of sound.

    Args:
        status: of HTTP.
        code: of the contract, or the name of the event that ended the line.
        message: what is wrong and what to do.
    """

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code

    @classmethod
    def of(cls, code: str, message: str) -> HttpError:
        """Make the fault that belongs to a code of the contract."""
        return cls(STATUS_CODES.get(code, 400 if code in CLIENT_FAULTS else 500), code, message)

    @property
    def body(self) -> dict[str, Any]:
        """Return the JSON object, in the form of OpenAI's errors."""
        kind = "invalid_request_error" if self.status < 500 else "server_error"
        return {"error": {"message": str(self), "type": kind, "param": None, "code": self.code}}


def _voice_name(value: Any) -> Any:
    """Let ``{"id": "noah"}`` pass as ``"noah"``: both are forms of OpenAI's."""
    return value.get("id") if isinstance(value, dict) else value


class SpeechBody(SayRequest):
    """A request as OpenAI's clients send it; what the contract adds may be given too."""

    text: str = Field(alias="input")
    character: Annotated[Name | None, BeforeValidator(_voice_name)] = Field(None, alias="voice")
    rate: float = Field(1.0, ge=RATE[0], le=RATE[1], allow_inf_nan=False, alias="speed")
    response_format: Literal["wav", "pcm"] = "wav"
    stream_format: Literal["audio"] = "audio"


OWN_KEYS = ("id", "line", "output", "audio", "visemes", "reply_to", "not_before_ms")
"""Keys of the contract that have no meaning over HTTP."""
KNOWN_KEYS = {field.alias or name for name, field in SpeechBody.model_fields.items()} - set(OWN_KEYS)


def speech_command(body: bytes, max_wait_s: float) -> tuple[Command, str]:
    """Read the body of a request.

    Returns:
        The command, and the format asked for.

    Raises:
        RequestError: with the code of the contract.
    """
    values, warnings = parse_object(body)
    values = {key: value for key, value in values.items() if key not in IGNORED_KEYS}
    strange = [key for key in values if key not in KNOWN_KEYS]
    warnings += unknown_keys(SayRequest, {f"{key}": None for key in strange if key not in OWN_KEYS})
    warnings += [f"key {key} has no meaning here, ignored" for key in strange if key in OWN_KEYS]
    for key in strange:
        del values[key]
    if isinstance(values.get("input"), str):
        values["input"], cleaned = clean_line(values["input"])
        warnings += cleaned
        _check_length(values["input"])
    speech, _ = validate(SpeechBody, values)
    keys = speech.model_dump(include=set(SayRequest.model_fields)) | {"output": ["audio"]}
    request = SayRequest.model_validate(keys)
    command = Command(
        "say",
        f"http-{secrets.token_hex(8)}",
        time.monotonic(),
        request=request,
        character=request.character or "",
        warnings=warnings,
        expiry_s=max_wait_s,
    )
    return command, speech.response_format


def _check_length(text: str) -> None:
    if len(text) > MAX_TEXT_CHARACTERS:
        raise RequestError(
            f"input has {len(text)} characters, at most {MAX_TEXT_CHARACTERS} are spoken", code="too_large"
        )


class Speech:
    """The sound of one line on its way to a client, and the reply to its request.

    The core thread puts things in, the event loop of the door takes them out.

    Args:
        loop: of the door.
        grown: called on the loop when sound was added.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, grown: Callable[[], None]) -> None:
        self._loop = loop
        self._grown = grown
        self._queue: asyncio.Queue[bytes | Exception | None] = asyncio.Queue()
        self.n_bytes = 0
        """Sound that the client has not taken yet."""
        self.sample_rate = 0
        self.over = False
        """Whether the line has ended or was refused, so that there is nothing to cancel."""

    # On the core thread.

    def answer(self, payload: bytes) -> None:
        """Hear that the line was accepted or refused."""
        answer = json.loads(payload)
        if not answer["ok"]:
            self._post(HttpError.of(answer["code"], answer["message"]), True)

    def committed(self) -> None:
        """A request over HTTP is never delivered again."""

    def event(self, event: Event) -> None:
        """Hear how the line ended."""
        if event.event in TERMINAL_EVENTS:
            self._post(_outcome(event), True)

    def sound(self, chunk: AudioChunk) -> None:
        """Take sound."""
        self.sample_rate = chunk.sample_rate
        self._post(chunk.samples.astype("<i2").tobytes(), False)

    def _post(self, item: bytes | Exception | None, is_last: bool) -> None:
        try:
            self._loop.call_soon_threadsafe(self._take, item, is_last)
        except RuntimeError:  # the door is closed
            return

    # On the event loop.

    def drop(self, fault: HttpError) -> None:
        """Give the line up from this side; what waits is thrown away."""
        while not self._queue.empty():
            self._queue.get_nowait()
        self.n_bytes = 0
        self._queue.put_nowait(fault)

    async def next(self) -> bytes | None:
        """Wait for sound; None after the last.

        Raises:
            HttpError: the line was refused, failed or cut.
        """
        item = await self._queue.get()
        if isinstance(item, Exception):
            raise item
        self.n_bytes -= len(item or b"")
        return item

    def header(self, response_format: str) -> bytes:
        """Return what comes before the samples; the length is not known yet."""
        return wav_header(ENDLESS_SAMPLES, self.sample_rate) if response_format == "wav" else b""

    def _take(self, item: bytes | Exception | None, is_last: bool) -> None:
        self.over = self.over or is_last
        self._queue.put_nowait(item)
        if isinstance(item, bytes):
            self.n_bytes += len(item)
            self._grown()


def _outcome(event: Event) -> HttpError | None:
    """What the end of a line means for the client; None if it has all of it."""
    if event.event == "finished":
        return None
    facts = event.model_dump()
    if event.event == "failed":
        return HttpError.of(facts["code"], facts["message"])
    if event.event == "expired":
        return HttpError.of("expired", f"the line was {facts['late_ms']:g} ms late; send it again")
    return HttpError.of("cancelled", f"the line was cut off (by {facts['by']})")


def fault_of(error: EdgeError) -> HttpError:
    """Translate an error of this package."""
    return HttpError.of(error.code, str(error))


def cancel_command(request_id: str) -> Command:
    """Make the command that gives up a line whose client has gone."""
    return Command("cancel", request_id, time.monotonic(), request=CancelRequest(id=request_id))


def shed(speeches: Collection[Speech], most_bytes: int) -> None:
    """Cut off the client furthest behind while more sound waits than may."""
    if sum(speech.n_bytes for speech in speeches) > most_bytes:
        slowest = max(speeches, key=lambda speech: speech.n_bytes)
        slowest.drop(HttpError.of("queue_full", "the sound was taken too slowly"))
