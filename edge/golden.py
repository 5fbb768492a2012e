"""Golden line: a bundle proves on the device that it still says what it said when it was packed."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .bundle.manifest import Golden
from .errors import RunnerError
from .spec import SAMPLE_RATE

BLOCK = SAMPLE_RATE // 10  # samples per level
FLOOR_DB = -70.0  # quieter blocks are not compared
MAX_DURATION_DIFFERENCE = 1  # frames per phoneme: processors round int8 sums differently
MAX_LEVEL_DIFFERENCE_DB = 3.0  # median over the blocks


def levels_db(audio: NDArray[np.int16]) -> NDArray[np.float64]:
    """(n,) level of each whole 0.1 s in dB below full scale."""
    blocks = audio[: len(audio) // BLOCK * BLOCK].reshape(-1, BLOCK).astype(np.float64) / 32768
    power: NDArray[np.float64] = np.mean(blocks**2, axis=1)
    return 10 * np.log10(power + 1e-10)


def compare(golden: Golden, durations: Sequence[int], levels: Sequence[float], bundle: str) -> None:
    """Hold what came out against what was packed.

    Args:
        golden: of the manifest.
        durations: frames per symbol of the line's only phrase.
        levels: ``levels_db`` of its sound.
        bundle: its path, for the message.

    Raises:
        RunnerError: the sound is not the voice that was packed: wrong engine, driver or processor fault.
    """
    where = f"{bundle}: golden line"
    if len(durations) != len(golden.durations):
        raise RunnerError(
            f"{where} has {len(durations)} phonemes, expected {len(golden.durations)}: "
            "the text front end differs from the one that packed the bundle"
        )
    worst = int(np.abs(np.subtract(durations, golden.durations)).max())
    if worst > MAX_DURATION_DIFFERENCE:
        raise RunnerError(f"{where}: a phoneme is {worst} frames off, at most 1 allowed; rebuild the engine")
    n = min(len(levels), len(golden.levels_db))
    pairs = np.maximum([levels[:n], list(golden.levels_db[:n])], FLOOR_DB)
    difference = float(np.median(np.abs(pairs[0] - pairs[1]))) if n else 0.0
    if difference > MAX_LEVEL_DIFFERENCE_DB:
        raise RunnerError(
            f"{where}: levels are {difference:.1f} dB off, at most 3 allowed; rebuild the engine"
        )
