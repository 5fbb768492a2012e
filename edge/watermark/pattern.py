"""Pattern: bands of speech a little louder or softer, turn by turn, as a key says.

Cells are four bins (125 Hz) by four frames (64 ms). Each cell of 44 bands between 500 and 6000 Hz is raised
or lowered; the cell after it does the opposite, so that no equaliser and no voice looks like the mark. The
pattern repeats after 16 cells, 1.024 s, counted from the first sample of a line. Gains multiply the spectrum
that is about to become sound: silence stays silent, and no noise is added.
"""

from __future__ import annotations

import functools
import hashlib

import numpy as np
from numpy.typing import NDArray

from ..spec import HOP_LENGTH, N_FFT, SAMPLE_RATE

Float32 = NDArray[np.float32]

PUBLIC_KEY = b"sovits-tiny/mark/1"
"""Known to everybody, so that everybody can look for the mark; who knows it can also remove or forge it."""
DEPTH_DB = 1.5
CELL_FRAMES, CELL_BINS = 4, 4
N_BANDS, N_CELLS = 44, 16
PERIOD_FRAMES = CELL_FRAMES * N_CELLS
FIRST_BIN = 500 * N_FFT // SAMPLE_RATE
BINS = slice(FIRST_BIN, FIRST_BIN + N_BANDS * CELL_BINS)


@functools.lru_cache(maxsize=512)
def signs(key: bytes) -> NDArray[np.int8]:
    """(N_CELLS, N_BANDS) of +1 and -1; odd rows are the rows before them turned round."""
    stream = b"".join(hashlib.sha256(key + bytes([block])).digest() for block in range(2))
    bits = np.unpackbits(np.frombuffer(stream, np.uint8))[: N_CELLS // 2 * N_BANDS]
    rows = 1 - 2 * bits.reshape(N_CELLS // 2, N_BANDS).astype(np.int8)
    table: NDArray[np.int8] = np.stack([rows, -rows], axis=1).reshape(N_CELLS, N_BANDS)
    table.flags.writeable = False
    return table


@functools.lru_cache(maxsize=4)
def gains(key: bytes = PUBLIC_KEY, depth_db: float = DEPTH_DB) -> Float32:
    """(PERIOD_FRAMES, bins of BINS) factors of one period; steps between cells are smoothed over frames."""
    level = np.repeat(np.repeat(signs(key), CELL_FRAMES, axis=0), CELL_BINS, axis=1) * depth_db
    smooth = 0.5 * level + 0.25 * (np.roll(level, 1, axis=0) + np.roll(level, -1, axis=0))
    table: Float32 = (10 ** (smooth / 20)).astype(np.float32)
    table.flags.writeable = False
    return table


class FrameMark:
    """The mark over the frames of one phrase.

    Args:
        start: sample of the line at which the phrase's first frame begins.
        key: of the pattern.
    """

    def __init__(self, start: int, key: bytes = PUBLIC_KEY) -> None:
        self._first = round(start / HOP_LENGTH)
        self._gains = gains(key)

    def apply(self, spectra: NDArray[np.complex64], frame: int) -> None:
        """Mark spectra in place.

        Args:
            spectra: (n, N_BINS) of successive frames.
            frame: index of the first of them in the phrase.
        """
        rows = np.arange(self._first + frame, self._first + frame + len(spectra)) % PERIOD_FRAMES
        spectra[:, BINS] *= self._gains[rows]
