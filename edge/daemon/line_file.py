"""Finished line as a file: sound and timeline behind a hash of both, and nothing that is executed.

``magic · sha256 of all that follows · length of the head · head in JSON · samples``. The head names the
line's key, so that a file under another name is seen to be wrong as well.
"""

from __future__ import annotations

import hashlib
import json
import struct
from dataclasses import astuple
from typing import Any

import numpy as np

from ..audio import AudioChunk, Mark
from ..lipsync.timeline import TimedPhoneme, TimedWord, Timeline, Viseme
from .cache import CachedLine

MAGIC = b"SVLINE1\n"
_HASH_BYTES = 32
_LENGTH = struct.Struct("<I")
_SAMPLES = np.dtype("<i2")


def pack_line(key: str, line: CachedLine) -> bytes:
    """Write a line.

    Args:
        key: names everything that its sound depends on.
        line: whole.
    """
    head = json.dumps(
        {"key": key, "chunks": [_described(chunk) for chunk in line.chunks]},
        ensure_ascii=False,
        separators=(",", ":"),
    ).encode()
    samples = [chunk.samples.astype(_SAMPLES, copy=False).tobytes() for chunk in line.chunks]
    content = b"".join([_LENGTH.pack(len(head)), head, *samples])
    return MAGIC + hashlib.sha256(content).digest() + content


def unpack_line(key: str, data: bytes) -> CachedLine:
    """Read what ``pack_line`` wrote.

    Args:
        key: of the line that is wanted.
        data: the whole file.

    Raises:
        ValueError: it is damaged, or another line.
    """
    start = len(MAGIC) + _HASH_BYTES
    content = memoryview(data)[start:]
    if data[: len(MAGIC)] != MAGIC or hashlib.sha256(content).digest() != data[len(MAGIC) : start]:
        raise ValueError("the file is damaged")
    (n_head,) = _LENGTH.unpack_from(content)
    head = json.loads(bytes(content[_LENGTH.size : _LENGTH.size + n_head]))
    if head["key"] != key:
        raise ValueError("the file holds another line")
    samples = np.frombuffer(content[_LENGTH.size + n_head :], _SAMPLES).astype(np.int16, copy=False)
    chunks = []
    for described in head["chunks"]:
        chunks.append(_chunk(samples[: described["n"]], described))
        samples = samples[described["n"] :]
    return CachedLine(tuple(chunks))


def _described(chunk: AudioChunk) -> dict[str, Any]:
    """Everything about a chunk but its samples."""
    timeline = chunk.timeline
    parts = None if timeline is None else (timeline.words, timeline.phonemes, timeline.visemes)
    return {
        "n": len(chunk.samples),
        "rate": chunk.sample_rate,
        "start": chunk.start,
        "final": chunk.final,
        "marks": [astuple(mark) for mark in chunk.marks],
        "timeline": parts and [[list(entry) for entry in part] for part in parts],
    }


def _chunk(samples: Any, described: dict[str, Any]) -> AudioChunk:
    timeline = None
    if described["timeline"] is not None:
        words, phonemes, visemes = described["timeline"]
        timeline = Timeline(
            tuple(TimedWord(*word) for word in words),
            tuple(TimedPhoneme(*phoneme) for phoneme in phonemes),
            tuple(Viseme(*viseme) for viseme in visemes),
        )
    marks = tuple(Mark(*mark) for mark in described["marks"])
    return AudioChunk(samples, described["rate"], described["start"], described["final"], timeline, marks)
