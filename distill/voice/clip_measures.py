"""Measures of a single recording of speech: level, clipping, noise, bandwidth, echo, silence, pitch."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import signal

Audio = NDArray[np.float64]

FRAME_S = 0.02
ACTIVE_DB = 30.0  # below the loudest frame: speech
SILENT_DB = 35.0  # below the level of speech: a pause
FLOOR_DBFS = -100.0  # digital silence is given this level
QUIET_QUANTILE = 0.05  # of the frames: what is left between words
PLATEAU = 3  # samples in a row at the peak, which no natural wave has
BANDWIDTH_DB = 55.0  # below the strongest band
DECAY_STEP_S = 0.005
DECAY_TOP_DB, DECAY_BOTTOM_DB = 5.0, 25.0  # below a peak of the envelope
PITCH_HZ = (70.0, 500.0)
VOICED = 0.6  # of the autocorrelation: how periodic a frame has to be
SMALLEST_GROUP = 0.15  # of the voiced frames: fewer are slips of the pitch tracker


def _levels(audio: Audio, step: int) -> NDArray[np.float64]:
    """Give the level of each whole frame of ``step`` samples in dBFS."""
    frames = audio[: len(audio) // step * step].reshape(-1, step)
    power = np.maximum((frames**2).mean(axis=1), 10 ** (FLOOR_DBFS / 10))
    return np.asarray(10 * np.log10(power))


def _frame_levels(audio: Audio, rate: int) -> NDArray[np.float64]:
    return _levels(audio, round(FRAME_S * rate))


def active_level_dbfs(audio: Audio, rate: int) -> float:
    """Give the level of speech without its pauses; -100 when there is none."""
    levels = _frame_levels(audio, rate)
    if not len(levels):
        return FLOOR_DBFS
    active = levels[levels > levels.max() - ACTIVE_DB]
    return float(10 * np.log10((10 ** (active / 10)).mean())) if len(active) else FLOOR_DBFS


def clipped_share(audio: Audio) -> float:
    """Give the share of samples on plateaus at the positive or the negative peak, 0 to 1."""
    count = 0
    for wave in (audio, -audio):
        at_top = np.concatenate(([False], wave >= 0.998 * max(wave.max(initial=0.0), 1e-9), [False]))
        edges = np.flatnonzero(np.diff(at_top.astype(np.int8)))
        lengths = edges[1::2] - edges[::2]
        count += int(lengths[lengths >= PLATEAU].sum())
    return count / max(1, len(audio))


def signal_to_noise_db(audio: Audio, rate: int) -> float:
    """Give how far what remains between words is below the speech."""
    return active_level_dbfs(audio, rate) - float(np.quantile(_frame_levels(audio, rate), QUIET_QUANTILE))


def bandwidth_hz(audio: Audio, rate: int) -> float:
    """Give the frequency up to which there is sound: fricatives, which reach highest, decide."""
    frequencies, _, spectrum = signal.stft(audio, rate, nperseg=round(0.032 * rate))
    loud = 20 * np.log10(np.quantile(np.abs(spectrum), 0.98, axis=1) + 1e-9)
    smooth = np.convolve(np.pad(loud, 4, "edge"), np.ones(9) / 9, "valid")
    return float(frequencies[np.flatnonzero(smooth > smooth.max() - BANDWIDTH_DB)[-1]])


def decay_time_s(audio: Audio, rate: int) -> float | None:
    """Estimate the reverberation time: how long the sound takes to fall by 60 dB after it stops.

    Speech stops abruptly some times in every sentence, and then only the room holds the sound up. None when
    it nowhere falls far enough to tell, because of noise or for lack of pauses. With few falls to measure the
    result is mostly within a third of the truth, rarely at half of it.
    """
    power = 10 ** (_levels(audio, round(DECAY_STEP_S * rate)) / 10)
    levels = 10 * np.log10(np.convolve(power, np.ones(4) / 4, "same"))
    peaks, _ = signal.find_peaks(levels, height=active_level_dbfs(audio, rate) - 12)
    times = []
    for peak, following in zip(peaks, [*peaks[1:], len(levels)], strict=True):
        fall = levels[peak] - levels[peak:following]
        bottom = np.flatnonzero(fall > DECAY_BOTTOM_DB)
        if len(bottom):
            steps = bottom[0] - (np.flatnonzero(fall > DECAY_TOP_DB)[0] - 1)
            times.append(steps * DECAY_STEP_S * 60 / (DECAY_BOTTOM_DB - DECAY_TOP_DB))
    return float(np.median(times)) if times else None


def silence_share(audio: Audio, rate: int) -> float:
    """Give the share of frames that are pauses, 0 to 1."""
    return float((_frame_levels(audio, rate) < active_level_dbfs(audio, rate) - SILENT_DB).mean())


def pitch_groups_semitones(audio: Audio, rate: int) -> float:
    """Give the distance between two pitch ranges in semitones; 0 when there is one, as of one person.

    The voiced frames are divided where the two parts are tightest. They count as two ranges when each is
    narrow against their distance and none is only a few frames.
    """
    pitch = np.sort(12 * np.log2(_pitch_hz(audio, rate)))
    fewest = max(5, round(SMALLEST_GROUP * len(pitch)))
    if len(pitch) < 2 * fewest:
        return 0.0
    cuts = range(fewest, len(pitch) - fewest + 1)
    cut = min(cuts, key=lambda at: pitch[:at].var() * at + pitch[at:].var() * (len(pitch) - at))
    low, high = pitch[:cut], pitch[cut:]
    distance = float(np.median(high) - np.median(low))
    spread = float(np.sqrt((low.var() + high.var()) / 2))
    return distance if distance > 4 * spread else 0.0


def _pitch_hz(audio: Audio, rate: int) -> NDArray[np.float64]:
    """Give the pitch of the voiced frames, by the autocorrelation of 50 ms every 20 ms."""
    size, step = round(0.05 * rate), round(FRAME_S * rate)
    if len(audio) < size:
        return np.zeros(0)
    frames = np.lib.stride_tricks.sliding_window_view(audio, size)[::step]
    frames = (frames - frames.mean(axis=1, keepdims=True)) * np.hanning(size)
    loud = (frames**2).mean(axis=1) > 10 ** ((active_level_dbfs(audio, rate) - 15) / 10) / 3
    spectrum = np.abs(np.fft.rfft(frames[loud], 2 * size)) ** 2
    correlation = (
        np.fft.irfft(spectrum)[:, :size]
        / np.fft.irfft(np.abs(np.fft.rfft(np.hanning(size), 2 * size)) ** 2)[:size]
    )
    correlation /= correlation[:, :1]
    shortest, longest = round(rate / PITCH_HZ[1]), round(rate / PITCH_HZ[0])
    window = correlation[:, shortest:longest]
    best = window.argmax(axis=1)
    # The first peak that is nearly as high as the highest: twice the period is as periodic as the period.
    first = np.array([_first_peak(row, 0.9 * row[at]) for row, at in zip(window, best, strict=True)], int)
    voiced = window.max(axis=1, initial=0.0) > VOICED
    return np.asarray(rate / (shortest + first[voiced]))


def _first_peak(row: NDArray[np.float64], height: float) -> int:
    peaks, _ = signal.find_peaks(row, height=height)
    return int(peaks[0]) if len(peaks) else int(row.argmax())
