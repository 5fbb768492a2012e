"""Sound as it leaves the synthesiser: 16-bit chunks, their marks and timelines, and WAV."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from .spec import SAMPLE_RATE

if TYPE_CHECKING:
    from .lipsync.timeline import Timeline

Pcm16 = NDArray[np.int16]

FULL_SCALE = 32_767
LIMIT_KNEE = 0.8  # below this nothing is changed; above it the curve bends towards full scale
ENDLESS_SAMPLES = (0x7FFF_FFFF - 36) // 2
"""Length in the header of a WAV whose end is not known yet: the most that readers with signed sizes take."""


@dataclass(frozen=True)
class Mark:
    """A ``[mark:name]`` of the line."""

    name: str
    """As written in the text."""
    sample: int
    """Offset from the first sample of the line."""


@dataclass(frozen=True)
class AudioChunk:
    """A stretch of a line, in order."""

    samples: Pcm16
    """(n,) PCM."""
    sample_rate: int
    """Hz."""
    start: int
    """Offset of the first sample in the line."""
    final: bool
    """True on the last chunk of the line."""
    timeline: Timeline | None = None
    """What the phrase that starts with this chunk says when, times from the start of the line; None on chunks
    that continue a phrase."""
    marks: tuple[Mark, ...] = ()
    """Those reached within this chunk."""


def soft_limit(samples: NDArray[np.float32]) -> NDArray[np.float32]:
    """Bend peaks above ``LIMIT_KNEE`` so that nothing leaves [-1, 1]; sample by sample, without memory."""
    loud = np.flatnonzero(np.abs(samples) > np.float32(LIMIT_KNEE))
    if loud.size == 0:
        return samples
    room = np.float32(1.0 - LIMIT_KNEE)
    over = (np.abs(samples[loud]) - np.float32(LIMIT_KNEE)) / room
    limited: NDArray[np.float32] = samples.copy()
    limited[loud] = np.copysign(LIMIT_KNEE + room * over / (1.0 + over), samples[loud])
    return limited


def to_pcm16(samples: NDArray[np.float32], volume: float = 1.0) -> Pcm16:
    """Scale, limit and round to 16 bit.

    Args:
        samples: (n,) finite, nominally in [-1, 1].
        volume: linear gain, 0 to 2.
    """
    scaled = samples if volume == 1.0 else samples * np.float32(volume)
    steps = soft_limit(scaled) * np.float32(FULL_SCALE)
    pcm: Pcm16 = np.rint(steps, out=steps).astype(np.int16)
    return pcm


def wav_header(n_samples: int, sample_rate: int = SAMPLE_RATE, n_behind: int = 0) -> bytes:
    """44 bytes in front of ``n_samples`` of mono 16-bit PCM; ``n_behind`` bytes of other chunks follow it."""
    n_bytes = 2 * n_samples
    riff = struct.pack("<4sI4s", b"RIFF", 36 + n_bytes + n_behind, b"WAVE")
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, 1, 1, sample_rate, 2 * sample_rate, 2, 16)
    return riff + form + struct.pack("<4sI", b"data", n_bytes)


def wav_bytes(samples: Pcm16, sample_rate: int = SAMPLE_RATE) -> bytes:
    """A whole mono 16-bit WAV file."""
    return wav_header(len(samples), sample_rate) + samples.astype("<i2").tobytes()
