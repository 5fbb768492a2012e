"""Sound of a corpus: a teacher's at 32 kHz, trimmed, one gain per character and language."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import soundfile as sf
import soxr
from numpy.typing import NDArray

from edge.spec import SAMPLE_RATE

from .files import replacing

Audio = NDArray[np.float32]

STEP = 128  # samples, 4 ms: what is looked at when silence is measured
SILENCE_DB = -50.0  # below the loudest step of the line; quieter than any consonant of the teachers used


def resample(audio: Audio, sample_rate: int) -> Audio:
    """Bring mono sound to 32 kHz with soxr's highest quality."""
    if sample_rate == SAMPLE_RATE:
        return audio
    return np.asarray(soxr.resample(audio, sample_rate, SAMPLE_RATE, quality="VHQ"), np.float32)


def step_levels(audio: Audio) -> NDArray[np.float64]:
    """Give the RMS of each whole 4 ms step."""
    steps = audio[: len(audio) // STEP * STEP].reshape(-1, STEP).astype(np.float64)
    return np.sqrt((steps**2).mean(axis=1))


def sounding(audio: Audio) -> NDArray[np.bool_]:
    """Say for each 4 ms step whether it is louder than ``SILENCE_DB`` below the loudest one."""
    return ~quieter(audio, SILENCE_DB)


def quieter(audio: Audio, db: float) -> NDArray[np.bool_]:
    """Say for each 4 ms step whether it is no louder than ``db`` (negative) against the loudest one."""
    levels = step_levels(audio)
    peak = levels.max(initial=0.0)
    return (levels <= peak * 10 ** (db / 20)) | (levels <= 0)


def trim(audio: Audio, leading_s: float, trailing_s: float) -> tuple[Audio, float]:
    """Cut silence at both ends; what lacks at the start is filled with zeros, at the end nothing is added.

    Returns:
        The trimmed sound, and the seconds by which times have moved towards the start.

    Raises:
        ValueError: there is no sound at all.
    """
    steps = np.flatnonzero(sounding(audio))
    if not len(steps):
        raise ValueError("the line is silent")
    start = int(steps[0]) * STEP - round(leading_s * SAMPLE_RATE)
    end = (int(steps[-1]) + 1) * STEP + round(trailing_s * SAMPLE_RATE)
    padding = np.zeros(max(0, -start), np.float32)
    return np.concatenate((padding, audio[max(0, start) : end])), start / SAMPLE_RATE


def level_dbfs(lines: Sequence[Audio]) -> float:
    """Give the level of several lines together: RMS over their sounding steps."""
    powers = [step_levels(line)[sounding(line)] ** 2 for line in lines]
    return float(10 * np.log10(np.concatenate(powers).mean()))


def save_flac(path: Path, audio: Audio) -> None:
    """Write 16-bit FLAC at 32 kHz; the file appears whole or not at all.

    Raises:
        ValueError: a sample is outside [-1, 1]; lower the level.
    """
    peak = float(np.abs(audio).max(initial=0.0))
    if peak > 1.0:
        raise ValueError(
            f"{path.name} would clip: peak {peak:.2f}; lower level_dbfs by {20 * np.log10(peak):.1f} dB"
        )
    with replacing(path, writer=str(os.getpid())) as unfinished:
        sf.write(unfinished, audio, SAMPLE_RATE, format="FLAC", subtype="PCM_16")
