"""The golden line: a bundle proves on the device that it still says what it said when it was packed."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .bundle.manifest import Golden
from .errors import BundleError, RunnerError
from .spec import SAMPLE_RATE
from .synthesizer import SpeechRequest, Synthesizer

BLOCK = SAMPLE_RATE // 10  # samples per level
FLOOR_DB = -70.0  # quieter blocks are not compared
MAX_DURATION_DIFFERENCE = 1  # frames per phoneme: processors round int8 sums differently
MAX_LEVEL_DIFFERENCE_DB = 3.0  # median over the blocks


def levels_db(audio: NDArray[np.int16]) -> NDArray[np.float64]:
    """(n,) level of each whole 0.1 s in dB below full scale."""
    blocks = audio[: len(audio) // BLOCK * BLOCK].reshape(-1, BLOCK).astype(np.float64) / 32768
    power: NDArray[np.float64] = np.mean(blocks**2, axis=1)
    return 10 * np.log10(power + 1e-10)


def measure(
    synthesizer: Synthesizer, text: str, character: str, language: str
) -> tuple[list[int], list[float]]:
    """Durations in frames of the line's only phrase, and its levels.

    Raises:
        BundleError: the line is not one phrase.
    """
    request = SpeechRequest(text, character, language)
    line = synthesizer.prepare(request)
    if len(line.phrases) != 1:
        raise BundleError(
            f"golden line {text!r} is {len(line.phrases)} phrases, expected 1; choose one sentence"
        )
    durations = synthesizer.encode(line, line.phrases[0]).plan.durations
    audio = np.concatenate([chunk.samples for chunk in synthesizer.stream(line)])
    return [int(n) for n in durations], [round(float(level), 1) for level in levels_db(audio)]


def check(synthesizer: Synthesizer) -> None:
    """Speak the golden line and compare.

    Raises:
        RunnerError: the sound is not the voice that was packed: wrong engine, driver or processor fault.
    """
    golden: Golden = synthesizer.bundle.manifest.golden
    durations, levels = measure(synthesizer, golden.text, golden.character, golden.language)
    where = f"{synthesizer.bundle.path}: golden line"
    if len(durations) != len(golden.durations):
        raise RunnerError(
            f"{where} has {len(durations)} phonemes, expected {len(golden.durations)}: "
            "the text front end or its lexicon differs from the one that packed the bundle"
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
