"""Spectral head: the decoder's frames become sound (the torch twin for training is ``models/head.py``).

Two excitations, a train of pulses at F0 and a fixed noise, are shaped in time by gains every 4 ms and in
frequency by a spectrum per frame, then overlap-added. Everything is float32 and works block by block in
buffers that stay in the cache. What a second of sound costs is in docs/benchmarks.md.
"""

from __future__ import annotations

import functools

import numpy as np
from numpy.typing import NDArray

from .frames import Frames
from .spec import HOP_LENGTH, N_BINS, N_FFT, SAMPLE_RATE, SUBFRAMES
from .watermark.pattern import FrameMark

Float32 = NDArray[np.float32]
Float64 = NDArray[np.float64]

NOISE_SEED = 20240229
NOISE_SAMPLES = 65_536
KERNEL_TAPS = 32
GAIN_STEP = HOP_LENGTH // SUBFRAMES  # samples between gain centres
LEAD = (N_FFT - HOP_LENGTH) // 2  # samples by which a frame's window starts before the frame
BLOCK_FRAMES = 96  # frames shaped at once: 3 MB of buffers; with two threads 64 are 3 % slower, 32 are 10 %

_RAMP = (np.arange(GAIN_STEP, dtype=np.float32) + 0.5) / GAIN_STEP  # a sample stands for its middle
_GAIN_OFFSET = HOP_LENGTH - LEAD - GAIN_STEP // 2  # from the first centre of the frame before to the window


@functools.lru_cache(maxsize=1)
def noise_table() -> Float32:
    """(NOISE_SAMPLES,) the same standard normal noise everywhere; indexed by the position in the phrase."""
    generator = np.random.Generator(np.random.PCG64(NOISE_SEED))
    table = generator.standard_normal(NOISE_SAMPLES, dtype=np.float32)
    table.flags.writeable = False
    return table


@functools.lru_cache(maxsize=1)
def frame_window() -> Float32:
    """(N_FFT,) square root of the periodic Hann window; its squares at half overlap add up to one."""
    window: Float32 = np.sin(np.pi * np.arange(N_FFT) / N_FFT).astype(np.float32)
    return window


def pulse_train(f0_edges: Float64) -> tuple[Float64, Float32]:
    """Find where the phase of a piecewise linear F0 crosses whole cycles.

    Args:
        f0_edges: (T + 1,) Hz at the frame boundaries, all positive.

    Returns:
        (n,) positions in samples from the start of the phrase, rising, and (n,) amplitudes sqrt(rate / F0),
        which give the train unit power.
    """
    phase = np.zeros(len(f0_edges))
    np.cumsum((f0_edges[:-1] + f0_edges[1:]) * (HOP_LENGTH / 2 / SAMPLE_RATE), out=phase[1:])
    cycles = np.arange(1, np.floor(phase[-1]) + 1)
    frame = np.minimum(np.searchsorted(phase, cycles, side="right") - 1, len(f0_edges) - 2)
    start = f0_edges[frame]
    slope = (f0_edges[frame + 1] - start) / HOP_LENGTH  # Hz per sample
    distance = (cycles - phase[frame]) * SAMPLE_RATE  # integral of F0 from the frame's start, Hz * samples
    f0 = np.sqrt(start * start + 2 * slope * distance)  # F0 at the pulse
    positions = frame * HOP_LENGTH + 2 * distance / (start + f0)
    return positions, np.sqrt(SAMPLE_RATE / f0).astype(np.float32)


_TAPS = np.arange(KERNEL_TAPS) - (KERNEL_TAPS // 2 - 1)  # -15 .. 16
_TAP_POSITIONS = _TAPS.astype(np.float32)
_TAP_SIGNS = np.where(_TAPS % 2, 1.0, -1.0).astype(np.float32) / np.float32(np.pi)
_TURN = 2 * np.pi / KERNEL_TAPS
_TAP_HANN = 0.5 * np.stack([np.cos(_TURN * _TAPS), np.sin(_TURN * _TAPS)]).astype(np.float32)


def pulse_kernels(fractions: Float64) -> Float32:
    """Band-limited unit pulses at fractional positions.

    Args:
        fractions: (n,) how far each pulse lies after the sample of tap 0, in [0, 1).

    Returns:
        (n, KERNEL_TAPS) sinc(tap - fraction) under a Hann window of 32 samples, for taps -15 .. 16.
    """
    fraction = np.clip(fractions, 1e-5, 1 - 1e-5).astype(np.float32)  # off 0 / 0; moves a pulse by 0.3 ns
    angle = fraction * np.float32(_TURN)
    hann = np.stack([np.cos(angle), np.sin(angle)], axis=1) @ _TAP_HANN
    hann += np.float32(0.5)
    # sin(pi (tap - fraction)) is sin(pi fraction) with the sign of the tap
    kernels: Float32 = _TAP_SIGNS / (_TAP_POSITIONS - fraction[:, None])
    kernels *= np.sin(np.float32(np.pi) * fraction)[:, None]
    kernels *= hann
    return kernels


def render_pulses(positions: Float64, amplitudes: Float32, first: int, n: int) -> Float32:
    """(n,) pulse train of ``pulse_train``, from sample ``first`` of the phrase on."""
    half = KERNEL_TAPS // 2
    low, high = np.searchsorted(positions, [first - half, first + n + half])
    whole = np.floor(positions[low:high])
    kernels = pulse_kernels(positions[low:high] - whole) * amplitudes[low:high, None]
    indices = whole.astype(np.int64)[:, None] + (_TAPS + (KERNEL_TAPS - first))
    train = np.bincount(indices.ravel(), kernels.ravel(), minlength=n + 2 * KERNEL_TAPS)
    return train[KERNEL_TAPS : KERNEL_TAPS + n].astype(np.float32)


class Workspace:
    """Buffers for one block of frames; one per thread, contents do not outlive a call."""

    def __init__(self) -> None:
        self.frames = np.empty((2, BLOCK_FRAMES, N_FFT), np.float32)
        self.spectra = np.empty((2, BLOCK_FRAMES, N_BINS), np.complex64)
        self.shape = np.empty((BLOCK_FRAMES, N_BINS), np.complex64)
        self.magnitude = np.empty((BLOCK_FRAMES, N_BINS), np.float32)
        self.angle = np.empty((BLOCK_FRAMES, N_BINS), np.float32)


class PhraseHead:
    """Turns frames of one phrase into sound, any stretch at a time, several stretches at once.

    A frame's window is two hops long. A stretch of n frames gives n + 1 rows of one hop each; its first and
    last row lack the half that the neighbouring stretch gives. :class:`OverlapAdd` puts the rows together.
    """

    def __init__(self, f0_edges: Float64, mark: FrameMark | None = None) -> None:
        """Place the pulses of a phrase.

        Args:
            f0_edges: (T + 1,) Hz at the frame boundaries.
            mark: inaudible mark of the phrase; None: the sound is not marked.
        """
        self.n_frames = len(f0_edges) - 1
        self._mark = mark
        self._positions, self._amplitudes = pulse_train(f0_edges)
        self._pulses: Float32 | None = None
        self._n_sounded = 0

    def render_ahead(self) -> None:
        """Render the pulses of the whole phrase, which need no frames, unless half of it is sounded."""
        if 2 * self._n_sounded < self.n_frames:
            size = (self.n_frames + 1) * HOP_LENGTH
            self._pulses = render_pulses(self._positions, self._amplitudes, -LEAD, size)

    def rows(self, frames: Frames, low: int, start: int, stop: int, work: Workspace) -> Float32:
        """Sound frames [start, stop) of the phrase.

        Args:
            frames: as the decoder gives them, with the frame before ``start`` and the one at ``stop`` where
                the phrase has them: their gains reach in here.
            low: index of the first of ``frames``.
            start: first frame to sound.
            stop: frame after the last.
            work: buffers of the calling thread.

        Returns:
            (stop - start + 1, 512), the first row starting ``LEAD`` samples before frame ``start``.
        """
        self._n_sounded += stop - start
        excitation = self._excitation(frames, low, start, stop)
        rows = np.empty((stop - start + 1, HOP_LENGTH), np.float32)
        tail: Float32 | float = 0.0
        for at in range(start, stop, BLOCK_FRAMES):
            end, first = min(at + BLOCK_FRAMES, stop), at - start
            spectra = _shape(
                excitation[:, first : end - start + 1], frames.between(at - low, end - low), work
            )
            if self._mark is not None:
                self._mark.apply(spectra, at)
            output = _sound(spectra, work)
            np.add(output[0, :HOP_LENGTH], tail, out=rows[first])
            np.add(output[1:, :HOP_LENGTH], output[:-1, HOP_LENGTH:], out=rows[first + 1 : end - start])
            tail = output[-1, HOP_LENGTH:].copy()
        rows[-1] = tail
        return rows

    def render(self, frames: Frames) -> Float32:
        """(T * 512,) sound of a whole phrase, near [-1, 1]."""
        return OverlapAdd(self.n_frames).add(self.rows(frames, 0, 0, self.n_frames, Workspace()))

    def _excitation(self, frames: Frames, low: int, start: int, stop: int) -> Float32:
        """(2, stop - start + 1, 512) pulses and noise with their gains, a hop per row."""
        first, size = start * HOP_LENGTH - LEAD, (stop - start + 1) * HOP_LENGTH
        excitation = self._gains(frames.gains, low, start, stop)
        excitation[0] *= self._pulses_at(first, size)
        excitation[1] *= noise_at(first, size)
        excitation[:, : max(-first, 0)] = (
            0.0  # the windows at both ends reach out of the phrase, into silence
        )
        excitation[:, max(self.n_frames * HOP_LENGTH - first, 0) :] = 0.0
        return excitation.reshape(2, -1, HOP_LENGTH)

    def _pulses_at(self, first: int, size: int) -> Float32:
        if self._pulses is None:
            return render_pulses(self._positions, self._amplitudes, first, size)
        return self._pulses[first + LEAD : first + LEAD + size]

    def _gains(self, log_gains: Float32, low: int, start: int, stop: int) -> Float32:
        """(2, (stop - start + 1) * 512) gains, linear between centres 4 ms apart, held at both ends."""
        wanted = np.clip(np.arange(start - 1, stop + 1), 0, self.n_frames - 1)
        centres = np.exp(log_gains[wanted - low])  # (n + 2, 2 * SUBFRAMES)
        if start == 0:
            centres[0] = centres[0].reshape(2, SUBFRAMES)[:, :1].repeat(SUBFRAMES)
        if stop == self.n_frames:
            centres[-1] = centres[-1].reshape(2, SUBFRAMES)[:, -1:].repeat(SUBFRAMES)
        centres = centres.reshape(-1, 2, SUBFRAMES).transpose(1, 0, 2).reshape(2, -1)
        gains = np.diff(centres)[:, :, None] * _RAMP
        gains += centres[:, :-1, None]
        size = (stop - start + 1) * HOP_LENGTH
        flat: Float32 = gains.reshape(2, -1)[:, _GAIN_OFFSET : _GAIN_OFFSET + size]
        return flat


class OverlapAdd:
    """Joins the rows of successive stretches; together they give T * 512 samples."""

    def __init__(self, n_frames: int) -> None:
        self._left = n_frames
        self._tail: Float32 | None = None

    @property
    def complete(self) -> bool:
        """Whether all frames are there."""
        return self._left == 0

    def add(self, rows: Float32) -> Float32:
        """All samples of a stretch but the last half window, which waits for its other half."""
        self._left -= len(rows) - 1
        skipped = LEAD if self._tail is None else 0  # the first half window sticks out of the phrase
        if self._tail is not None:
            rows[0] += self._tail
        self._tail = rows[-1]
        kept = rows if self._left == 0 else rows[:-1]
        return kept.ravel()[skipped : kept.size - (LEAD if self._left == 0 else 0)]


def _shape(excitation: Float32, frames: Frames, work: Workspace) -> NDArray[np.complex64]:
    """(n, N_BINS) spectra of the output frames from (2, n + 1, 512) excitation; in the workspace."""
    n, window = len(frames.noise), frame_window()
    windowed, spectra = work.frames[:, :n], work.spectra[:, :n]
    np.multiply(excitation[:, :-1], window[:HOP_LENGTH], out=windowed[:, :, :HOP_LENGTH])
    np.multiply(excitation[:, 1:], window[HOP_LENGTH:], out=windowed[:, :, HOP_LENGTH:])
    # "ortho" because its float32 factor selects the float32 transform; else NumPy passes the integer 1
    # and computes in float64: 1.8 µs instead of 2.9 µs a frame.
    np.fft.rfft(windowed[0], norm="ortho", out=spectra[0])
    np.fft.rfft(windowed[1], norm="ortho", out=spectra[1])
    magnitude, angle, shape = work.magnitude[:n], work.angle[:n], work.shape[:n]
    log_magnitude, phase = frames.harmonic[:, :N_BINS], frames.harmonic[:, N_BINS:]
    np.exp(log_magnitude, out=magnitude)
    np.multiply(np.cos(phase, out=angle), magnitude, out=shape.real)
    np.multiply(np.sin(phase, out=angle), magnitude, out=shape.imag)
    np.multiply(spectra[0], shape, out=spectra[0])
    np.multiply(spectra[1], np.exp(frames.noise, out=magnitude), out=spectra[1])
    output: NDArray[np.complex64] = np.add(spectra[0], spectra[1], out=spectra[0])
    return output


def _sound(spectra: NDArray[np.complex64], work: Workspace) -> Float32:
    """(n, N_FFT) windowed output frames of their spectra; in the workspace."""
    windowed = work.frames[:1, : len(spectra)]
    np.fft.irfft(spectra, norm="ortho", out=windowed[0])
    output: Float32 = windowed[0]
    output *= frame_window()
    return output


def noise_at(first: int, n: int) -> Float32:
    """(n,) noise from sample ``first`` of the phrase on."""
    table, start = noise_table(), first % NOISE_SAMPLES
    if start + n <= NOISE_SAMPLES:
        return table[start : start + n]
    rounds = (start + n) // NOISE_SAMPLES
    return np.concatenate([table[start:], *[table] * rounds])[:n]
