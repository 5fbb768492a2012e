"""Label of generated content inside sound files: one JSON object, exactly once.

Keys and their place in a file follow GB 45438-2025, annex E, and TC260-PG-202510A, as they were read in
November 2026: WAV carries a chunk ``AIGC``, here after ``data`` so that players that skip 44 bytes still
work; FLAC and Ogg carry a comment ``AIGC=``.
"""

from __future__ import annotations

import json
import re
import struct

from ..errors import EdgeError
from .ogg import comments_of, ogg_comments, with_comment, with_ogg_comment

CHUNK = b"AIGC"
KEYS = (
    "Label",
    "ContentProducer",
    "ProduceID",
    "ReservedCode1",
    "ContentPropagator",
    "PropagateID",
    "ReservedCode2",
)
_VALUE = re.compile(r"^[\x21\x23-\x5b\x5d-\x7e]*$")
_OPEN_SIZE = 0x7FFF_FF00  # sizes from here on say that the length was not known


class LabelError(EdgeError):
    """A file cannot carry a label, or a value of the label is not allowed; change the value or the file."""

    code = "bad_request"


def is_label_value(text: str) -> bool:
    """Whether a value may stand in a label: visible ASCII without space, quote and backslash."""
    return bool(_VALUE.match(text))


def label(producer: str, produce_id: str) -> dict[str, str]:
    """Label of what this device has generated; who produced it is also the first to pass it on.

    Raises:
        LabelError: a value is empty or not allowed.
    """
    for name, value in (("producer", producer), ("id", produce_id)):
        if not value or not is_label_value(value):
            raise LabelError(
                f"label: {name} {value!r} is empty or not visible ASCII; set label.producer to a code"
            )
    values = ("1", producer, produce_id, "", producer, produce_id, "")
    return dict(zip(KEYS, values, strict=True))


def encoded(values: dict[str, str]) -> bytes:
    """JSON of a label as it stands in a file."""
    return json.dumps(values, separators=(",", ":"), ensure_ascii=True).encode("ascii")


def riff_chunk(values: dict[str, str]) -> bytes:
    """Chunk of a WAV file that carries a label, for whoever writes the file piece by piece."""
    return _chunk(CHUNK, encoded(values))


def with_label(content: bytes, values: dict[str, str]) -> bytes:
    """Put a label into a WAV, FLAC or Ogg file, in the place of any that is there.

    Raises:
        LabelError: the file is of another kind or damaged.
    """
    if content[:4] == b"RIFF" and content[8:12] == b"WAVE":
        return _with_chunk(content, encoded(values))
    if content[:4] == b"fLaC":
        return _with_flac_comment(content, encoded(values))
    if content[:4] == b"OggS":
        try:
            return with_ogg_comment(content, "AIGC", encoded(values).decode())
        except ValueError as error:
            raise LabelError(f"label: the Ogg file is damaged: {error}; write it again") from error
    raise LabelError("label: neither WAV nor FLAC nor Ogg; export in one of these formats")


def read_labels(content: bytes) -> list[dict[str, str]]:
    """Every label of a WAV, FLAC or Ogg file, bare or wrapped in a key ``AIGC``; no unreadable ones."""
    found = []
    for body in _bodies(content):
        try:
            values = json.loads(body.rstrip(b"\0"))
            values = values.get("AIGC", values)
            found.append({str(key): str(value) for key, value in values.items()})
        except (ValueError, AttributeError):
            continue
    return found


def _bodies(content: bytes) -> list[bytes]:
    """Labels as they stand in a file."""
    try:
        if content[:4] == b"fLaC":
            blocks, _ = _flac_blocks(content)
            return comments_of(_flac_comments(blocks), "AIGC")
        if content[:4] == b"OggS":
            return comments_of(ogg_comments(content), "AIGC")
    except (LabelError, ValueError):
        return []
    return [body for name, body in _chunks(content) if name == CHUNK] if content[:4] == b"RIFF" else []


def _with_chunk(content: bytes, body: bytes) -> bytes:
    chunks = [(name, data) for name, data in _chunks(content) if name != CHUNK]
    if b"data" not in [name for name, _ in chunks]:
        raise LabelError("label: the WAV has no data; write it again")
    chunks.append((CHUNK, body))
    inner = b"".join(_chunk(name, data) for name, data in chunks)
    return b"RIFF" + struct.pack("<I", len(inner) + 4) + b"WAVE" + inner


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def _chunks(content: bytes) -> list[tuple[bytes, bytes]]:
    """Chunks of a RIFF file; one of unknown or false length goes to the end of the file."""
    chunks, at = [], 12
    while at + 8 <= len(content):
        name, size = content[at : at + 4], struct.unpack_from("<I", content, at + 4)[0]
        if size >= _OPEN_SIZE or at + 8 + size > len(content):
            size = len(content) - at - 8
        chunks.append((name, content[at + 8 : at + 8 + size]))
        at += 8 + size + size % 2
    return chunks


def _with_flac_comment(content: bytes, body: bytes) -> bytes:
    """Rewrite the metadata blocks with a comment of our own in the comment block."""
    blocks, at = _flac_blocks(content)
    try:
        renewed = with_comment(_flac_comments(blocks), "AIGC", body.decode())
    except ValueError as error:
        raise LabelError(f"label: the comments of the FLAC file are damaged: {error}") from error
    blocks = [blocks[0], (4, renewed), *[block for block in blocks[1:] if block[0] != 4]]
    heads = [
        bytes([kind | (0x80 if number == len(blocks) - 1 else 0)]) + len(data).to_bytes(3, "big") + data
        for number, (kind, data) in enumerate(blocks)
    ]
    return b"fLaC" + b"".join(heads) + content[at:]


def _flac_blocks(content: bytes) -> tuple[list[tuple[int, bytes]], int]:
    """Metadata blocks by kind, and where the sound begins."""
    blocks, at, last = [], 4, False
    while not last:
        if at + 4 > len(content):
            raise LabelError("label: the FLAC file is cut short; write it again")
        last, kind = bool(content[at] & 0x80), content[at] & 0x7F
        size = int.from_bytes(content[at + 1 : at + 4], "big")
        blocks.append((kind, content[at + 4 : at + 4 + size]))
        at += 4 + size
    return blocks, at


def _flac_comments(blocks: list[tuple[int, bytes]]) -> bytes:
    return next((data for kind, data in blocks if kind == 4), struct.pack("<II", 0, 0))
