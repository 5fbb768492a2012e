"""Features of an utterance, measured once: waveform, fundamental frequency and log-mel frames."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyworld
import soundfile
import torch

from edge.spec import HOP_LENGTH, SAMPLE_RATE
from models.mel import LogMel

from ..files import replacing
from ..manifest import Utterance
from ..progress_bar import tracked

FINE_HOP = HOP_LENGTH // 2  # samples, 8 ms: the grid of pitch and alignment
N_MELS = 40
F0_FLOOR, F0_CEILING = 60.0, 600.0  # Hz
FALLBACK_LOG_F0 = 5.3  # of an utterance without a voiced frame
SMOOTHING = 5  # points of the running median, which takes out single jumps
UNSURE = 1  # point at both ends of a voiced stretch, where half the window of the tracker holds no voice


@dataclass(frozen=True)
class Features:
    """Measurements of one utterance."""

    audio: np.ndarray
    """(n_frames * HOP_LENGTH,) int16."""
    log_f0: np.ndarray
    """(2 * n_frames + 1,) natural log of Hz every 8 ms, interpolated where unvoiced."""
    voiced: np.ndarray
    """(2 * n_frames + 1,) bool."""
    mel: np.ndarray | None = None
    """(2 * n_frames, N_MELS) log-mel frames every 8 ms, float16; None where no aligner needs them."""

    @property
    def n_frames(self) -> int:
        """Student frames of 16 ms."""
        return len(self.audio) // HOP_LENGTH


def read_whole_frames(path: Path) -> np.ndarray:
    """Read a file, (n_frames * HOP_LENGTH,) int16, with silence behind it up to a whole frame.

    Raises:
        ValueError: the file is not mono at 32 kHz.
    """
    audio, sample_rate = soundfile.read(path, dtype="int16")
    if sample_rate != SAMPLE_RATE or audio.ndim != 1:
        found = f"{sample_rate} Hz and shape {audio.shape}"
        raise ValueError(f"{path} must be mono at {SAMPLE_RATE} Hz, found {found}")
    return np.pad(audio, (0, -len(audio) % HOP_LENGTH))


def extract(path: Path) -> Features:
    """Measure one file.

    Raises:
        ValueError: the file is not mono at 32 kHz.
    """
    audio = read_whole_frames(path)
    n_frames = len(audio) // HOP_LENGTH
    log_f0, voiced = fundamental(audio.astype(np.float64) / 32768.0, 2 * n_frames + 1)
    log_mel = LogMel(N_MELS, 1024, FINE_HOP, SAMPLE_RATE)
    with torch.no_grad():
        mel = log_mel(torch.from_numpy(audio.astype(np.float32) / 32768.0)[None])[0, : 2 * n_frames]
    return Features(audio, log_f0, voiced, mel.numpy().astype(np.float16))


def fundamental(audio: np.ndarray, n_points: int) -> tuple[np.ndarray, np.ndarray]:
    """Track the pitch of ``audio`` (n,) at 32 kHz on a grid of 8 ms.

    Returns:
        log F0 (n_points,) float32, interpolated through unvoiced stretches, and voicing (n_points,).

    Source: DIO and StoneMask of WORLD, Morise et al. 2016.
    """
    low = np.ascontiguousarray(audio[::2] if len(audio) % 2 == 0 else audio[:-1:2])
    rate = SAMPLE_RATE // 2
    period = 1000.0 * FINE_HOP / SAMPLE_RATE
    coarse, times = pyworld.dio(low, rate, f0_floor=F0_FLOOR, f0_ceil=F0_CEILING, frame_period=period)
    if coarse.any():  # a second look an octave around the middle leaves out most octave errors
        middle = float(np.median(coarse[coarse > 0]))
        floor, ceiling = max(F0_FLOOR, middle / 2.0), min(F0_CEILING, middle * 2.2)
        coarse, times = pyworld.dio(low, rate, f0_floor=floor, f0_ceil=ceiling, frame_period=period)
    f0 = pyworld.stonemask(low, coarse, times, rate)[:n_points]
    f0 = np.pad(f0, (0, n_points - len(f0)))
    voiced = f0 > F0_FLOOR / 2
    return log_contour(f0, voiced), voiced


def log_contour(f0: np.ndarray, voiced: np.ndarray) -> np.ndarray:
    """Return the natural log of ``f0`` (n,) in Hz, float32, interpolated where it is not ``voiced`` (n,)."""
    if not voiced.any():
        return np.full(len(f0), FALLBACK_LOG_F0, np.float32)
    points = np.arange(len(f0))
    return np.interp(points, points[voiced], np.log(f0[voiced])).astype(np.float32)


def believable(log_f0: np.ndarray, voiced: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Take out what a tracker gets wrong: single jumps, and the ends of voiced stretches.

    Of claire's pitch, a twentieth of the points made half of the squared error, nearly all of them there.

    Args:
        log_f0: (n,) from ``fundamental``.
        voiced: (n,) likewise.

    Returns:
        (n,) float64 smoothed, and interpolated wherever it is not sure; (n,) bool, where it is sure.
    """
    padded = np.pad(log_f0.astype(np.float64), SMOOTHING // 2, mode="edge")
    smooth = np.median(np.lib.stride_tricks.sliding_window_view(padded, SMOOTHING), axis=1)
    around = np.lib.stride_tricks.sliding_window_view(np.pad(voiced, UNSURE), 2 * UNSURE + 1)
    sure = np.asarray(around.all(axis=1))
    points = np.arange(len(smooth))
    return (np.interp(points, points[sure], smooth[sure]) if sure.any() else smooth), sure


def _extract_to(job: tuple[Path, Path]) -> None:
    source, target = job
    features = extract(source)
    assert features.mel is not None
    with replacing(target) as unfinished, unfinished.open("wb") as file:
        np.savez(file, audio=features.audio, log_f0=features.log_f0, voiced=features.voiced, mel=features.mel)


def extract_all(utterances: Sequence[Utterance], cache: Path, workers: int) -> None:
    """Measure every utterance that ``cache`` does not hold yet; safe to interrupt and run again."""
    jobs = [(u.audio, cache_path(cache, u)) for u in utterances if not cache_path(cache, u).exists()]
    if not jobs:
        return
    cache.mkdir(parents=True, exist_ok=True)
    with ProcessPoolExecutor(workers, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        for _ in tracked(pool.map(_extract_to, jobs, chunksize=16), "features", len(jobs), "line"):
            pass


def cache_path(cache: Path, utterance: Utterance) -> Path:
    """Return where the measurements of an utterance are kept."""
    return cache / f"{utterance.id}.npz"


def load(cache: Path, utterance: Utterance) -> Features:
    """Read measurements that ``extract_all`` made."""
    with np.load(cache_path(cache, utterance)) as data:
        return Features(data["audio"], data["log_f0"], data["voiced"], data["mel"])
