"""Messages between the daemon and its synthesiser child: one JSON array per packet; sound goes beside them.

JSON and not pickle: a child that has lost its mind may send nonsense, but cannot make the daemon run it.
"""

from __future__ import annotations

import json
from array import array
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import numpy as np

from ..audio import AudioChunk, Mark
from ..bundle.manifest import Character
from ..errors import EdgeError
from ..lipsync.timeline import TimedPhoneme, TimedWord, Timeline, Viseme
from ..spec import SAMPLE_RATE
from .base import (
    EngineDown,
    EngineLevels,
    EngineMessage,
    EngineUp,
    LineChunk,
    LineDone,
    LineError,
    LineReady,
    VoiceInfo,
)
from .outstanding import Outstanding

Packet = list[Any]

_MAX_MESSAGE = 2000  # characters of an error


def pack(packet: Packet, numbers: bytes = b"") -> bytes:
    """Write a packet: JSON and, behind a zero, numbers as they are in memory."""
    head = json.dumps(packet, ensure_ascii=False, separators=(",", ":")).encode()
    return head + b"\0" + numbers if numbers else head


def unpack(data: bytes | bytearray | memoryview) -> Packet:
    """Read a packet; numbers, if there are any, are the last of it, as bytes.

    Raises:
        ValueError: it is none.
    """
    head, _, numbers = bytes(data).partition(b"\0")
    packet = json.loads(head)
    if not isinstance(packet, list) or not packet:
        raise ValueError(f"not a packet: {packet!r:.100}")
    return [*packet, numbers] if numbers else packet


def start_packet(line: Outstanding) -> Packet:
    """Say that a line begins."""
    return ["start", line.serial, asdict(line.request), line.urgency]


def chunk_packet(serial: int, chunk: AudioChunk, at: int, n: int) -> bytes:
    """Write a chunk whose last ``n`` samples are at ``at`` in the shared memory.

    Times go as numbers of eight bytes: as text they cost the first sound a tenth of a millisecond.
    """
    marks = [(mark.name, mark.sample) for mark in chunk.marks]
    timeline = chunk.timeline
    if timeline is None:
        return pack(["chunk", serial, at, n, chunk.start, chunk.final, marks])
    words, phonemes, visemes = timeline.words, timeline.phonemes, timeline.visemes
    numbers = array("d")
    for word in words:
        numbers.extend((word.t, word.d, word.offset))
    for phoneme in phonemes:
        numbers.extend((phoneme.t, phoneme.d))
    for viseme in visemes:
        numbers.extend((viseme.t, viseme.d, viseme.w))
    names = (
        [word.text for word in words],
        [phoneme.ph for phoneme in phonemes],
        [viseme.v for viseme in visemes],
    )
    packet = ["chunk", serial, at, n, chunk.start, chunk.final, marks, names]
    return pack(packet, numbers.tobytes())


def to_packet(message: EngineMessage) -> Packet:
    """Write a message of the synthesiser whose line id is a serial number; chunks go by ``chunk_packet``."""
    if isinstance(message, EngineUp):
        voice = message.voice
        characters = [character.model_dump(mode="json") for character in voice.characters]
        return ["up", {**vars(voice), "characters": characters}]
    if isinstance(message, EngineLevels):
        return ["levels", message.fingerprint, dict(message.levels)]
    if isinstance(message, EngineDown):
        return ["down", message.error.code, str(message.error)[:_MAX_MESSAGE]]
    if isinstance(message, LineReady):
        return ["ready", int(message.line_id), message.n_phrases, message.warnings, message.lexicon]
    if isinstance(message, LineDone):
        return ["done", int(message.line_id), message.synthesis_ms]
    assert isinstance(message, LineError)
    return ["error", int(message.line_id), message.code, message.message[:_MAX_MESSAGE], message.stage]


def voice_of(packet: Packet) -> VoiceInfo:
    """Read what ``up`` tells."""
    _, values = packet
    characters = tuple(Character.model_validate(character) for character in values["characters"])
    return VoiceInfo(**{**values, "characters": characters, "unmeasured": tuple(values["unmeasured"])})


def levels_of(packet: Packet) -> EngineLevels:
    """Read what ``levels`` tells."""
    _, fingerprint, levels = packet
    return EngineLevels(str(fingerprint), {str(name): float(level) for name, level in levels.items()})


def error_of(packet: Packet) -> EdgeError:
    """Read what ``down`` tells."""
    _, code, message = packet
    return EdgeError(message, code)


def _ready(line: Outstanding, n_phrases: int | None, warnings: list[str], lexicon: str) -> LineReady:
    return LineReady(line.line_id, n_phrases, tuple(warnings), lexicon)


def _chunk(
    line: Outstanding,
    _at: int,
    _n: int,
    start: int,
    final: bool,
    marks: list[tuple[str, int]],
    names: tuple[list[str], list[str], list[str]] | None = None,
    numbers: bytes = b"",
) -> LineChunk:
    samples = line.pieces[0] if len(line.pieces) == 1 else np.concatenate(line.pieces)
    line.pieces = []
    timeline = None if names is None else _timeline(*names, numbers)
    found = tuple(Mark(name, sample) for name, sample in marks)
    return LineChunk(line.line_id, AudioChunk(samples, SAMPLE_RATE, start, final, timeline, found))


def _done(line: Outstanding, synthesis_ms: float) -> LineDone:
    return LineDone(line.line_id, synthesis_ms)


def _error(line: Outstanding, code: str, message: str, stage: str) -> LineError:
    return LineError(line.line_id, code, message, stage)


_READERS: dict[str, Callable[..., LineReady | LineChunk | LineDone | LineError]] = {
    "ready": _ready,
    "chunk": _chunk,
    "done": _done,
    "error": _error,
}


def line_message(packet: Packet, line: Outstanding) -> LineReady | LineChunk | LineDone | LineError:
    """Read a message about a line; a chunk gets the pieces that have come in front of it.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """
    return _READERS[packet[0]](line, *packet[2:])


def _timeline(words: list[str], phonemes: list[str], visemes: list[str], numbers: bytes) -> Timeline:
    values = array("d")
    values.frombytes(numbers)
    if len(values) != 3 * len(words) + 2 * len(phonemes) + 3 * len(visemes):
        raise ValueError(f"{len(values)} numbers do not make a timeline")
    take = iter(values).__next__
    return Timeline(
        tuple(TimedWord(take(), take(), text, int(take())) for text in words),
        tuple(TimedPhoneme(take(), take(), symbol) for symbol in phonemes),
        tuple(Viseme(take(), take(), name, take()) for name in visemes),
    )
