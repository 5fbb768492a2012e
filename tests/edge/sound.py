"""Sound for tests: numbered samples in chunks, as a synthesiser gives them."""

from __future__ import annotations

import numpy as np

from edge.audio import AudioChunk

RATE = 32_000


def chunks(*lengths: int) -> list[AudioChunk]:
    samples = np.arange(sum(lengths)).astype(np.int16)
    ends = np.cumsum(lengths)
    return [
        AudioChunk(samples[end - length : end], RATE, int(end - length), end == ends[-1])
        for length, end in zip(lengths, ends, strict=True)
    ]
