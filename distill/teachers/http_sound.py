"""Sound that a GPT-SoVITS server answers with, its quirks included."""

from __future__ import annotations

import io
import struct

import numpy as np
import soundfile as sf
from numpy.typing import NDArray

from .base import LineRejectedError

FAILED_RATE = (
    16_000  # Hz: no model has it; a server that fails inside a line answers a second of zeros at this
)
FAILED_SAMPLES = 16_000
_RAW = np.dtype("<i2")


class NotSoundError(ValueError):
    """The answer cannot be read as what was asked for."""


def decode(body: bytes, media_type: str, raw_rate: int) -> tuple[NDArray[np.float32], int]:
    """Read an answer.

    Args:
        body: of the answer.
        media_type: ``wav``, ``raw`` or ``ogg``, as it was asked for.
        raw_rate: sample rate of ``raw`` sound, which does not say so, in Hz.

    Returns:
        (n_samples,) mono in [-1, 1], and the sample rate in Hz.

    Raises:
        NotSoundError: the body is something else.
    """
    if media_type == "raw":
        return _samples(body), raw_rate
    if media_type == "wav":
        return _wav(body)
    try:
        audio, rate = sf.read(io.BytesIO(body), dtype="float32", always_2d=True)
    except sf.LibsndfileError as error:
        raise NotSoundError(f"{len(body)} bytes are no {media_type}: {error}") from error
    return np.ascontiguousarray(audio.mean(axis=1)), rate


def reject_failure(audio: NDArray[np.float32], rate: int, fragment_interval: float) -> None:
    """Tell a failure that looks like success.

    When synthesis fails, or there is nothing to say, the answer is 200 with a second of zeros at 16 kHz; when
    it fails inside a stream, those zeros end what was streamed.

    Raises:
        LineRejectedError: this is such an answer.
    """
    if rate == FAILED_RATE or not audio.any():
        raise LineRejectedError(
            "failed", "the server failed inside the line, see its log, or had nothing to say"
        )
    silent = len(audio) - 1 - int(np.flatnonzero(audio)[-1])
    if silent >= FAILED_SAMPLES + round(fragment_interval * rate):
        raise LineRejectedError("failed", f"the server broke off: {silent / rate:.1f} s of zeros at the end")


def _wav(body: bytes) -> tuple[NDArray[np.float32], int]:
    """Read 16-bit WAV; a stream's header says 0 bytes of sound, and means all that follow."""
    if body[:4] != b"RIFF" or body[8:12] != b"WAVE":
        raise NotSoundError(f"{len(body)} bytes are no WAV; they begin with {body[:12]!r}")
    rate, at = 0, 12
    while at + 8 <= len(body):
        name, size = struct.unpack_from("<4sI", body, at)
        at += 8
        if name == b"fmt ":
            form, channels, rate, _, _, bits = struct.unpack_from("<HHIIHH", body, at)
            if (form, channels, bits) != (1, 1, 16):
                raise NotSoundError(
                    f"expected 16-bit PCM, mono; found {bits} bits, {channels} channels, form {form}"
                )
        if name == b"data" and rate:
            rest = len(body) - at
            return _samples(body[at : at + (size if 0 < size <= rest else rest)]), rate
        at += size + size % 2
    raise NotSoundError(f"{len(body)} bytes of WAV hold no sound")


def _samples(data: bytes) -> NDArray[np.float32]:
    whole = data[: len(data) // 2 * 2]
    return np.frombuffer(whole, _RAW).astype(np.float32) / np.float32(32768)
