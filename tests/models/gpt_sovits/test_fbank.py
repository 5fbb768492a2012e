"""Kaldi's log-mel energies, against the same written out sample by sample in NumPy."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from models.gpt_sovits.fbank import FLOOR, fbank

TOLERANCE = 1e-3


def mel(hz: float) -> float:
    return 1127.0 * math.log(1.0 + hz / 700.0)


def kaldi(sound: np.ndarray) -> np.ndarray:
    """Frame by frame and band by band, with a discrete Fourier transform as a matrix."""
    sound = sound.astype(np.float64)
    bins = np.arange(256)  # the 257th, half the rate, belongs to no band
    turns = np.exp(-2j * np.pi * np.outer(bins, np.arange(400)) / 512)
    window = np.array([(0.5 - 0.5 * math.cos(2 * math.pi * n / 399)) ** 0.85 for n in range(400)])
    step = (mel(8000.0) - mel(20.0)) / 81
    rows = []
    for start in range(0, len(sound) - 399, 160):
        frame = sound[start : start + 400] - np.mean(sound[start : start + 400])
        emphasized = np.empty(400)
        emphasized[0] = frame[0] - 0.97 * frame[0]
        for n in range(1, 400):
            emphasized[n] = frame[n] - 0.97 * frame[n - 1]
        power = np.abs(turns @ (emphasized * window)) ** 2
        row = []
        for band in range(80):
            left, centre, right = (mel(20.0) + (band + k) * step for k in range(3))
            energy = 0.0
            for k in bins:
                place = mel(k * 16000 / 512)
                if left < place <= centre:
                    energy += power[k] * (place - left) / step
                elif centre < place < right:
                    energy += power[k] * (right - place) / step
            row.append(math.log(max(energy, 1.1920929e-07)))
        rows.append(row)
    return np.array(rows)


@pytest.fixture(scope="module")
def sound() -> np.ndarray:
    """A rising tone with a constant on it, in noise: 0.1 s."""
    time = np.arange(1600) / 16000
    tone = 0.4 * np.sin(2 * np.pi * (300 + 9000 * time) * time) + 0.1
    return (tone + 0.01 * np.random.default_rng(5).standard_normal(1600)).astype(np.float32)


def test_agrees_with_the_definition(sound: np.ndarray) -> None:
    found = fbank(torch.from_numpy(sound)[None])
    assert found.shape == (1, 8, 80)
    np.testing.assert_allclose(found[0].numpy(), kaldi(sound), atol=TOLERANCE, rtol=0)


def test_only_whole_frames_count(sound: np.ndarray) -> None:
    waveform = torch.from_numpy(sound)[None]
    assert fbank(waveform[:, :400]).shape == (1, 1, 80)
    assert fbank(waveform[:, :559]).shape == (1, 1, 80)
    assert fbank(waveform[:, :560]).shape == (1, 2, 80)
    with pytest.raises(ValueError, match="399 samples are less than the 400 of a frame"):
        fbank(waveform[:, :399])


def test_a_constant_is_silence() -> None:
    assert torch.equal(fbank(torch.full((2, 800), 0.25)), torch.full((2, 3, 80), math.log(FLOOR)))


def test_a_tone_is_loudest_in_its_band() -> None:
    tone = torch.sin(2 * math.pi * 1000 * torch.arange(4000) / 16000)[None]
    step = (mel(8000.0) - mel(20.0)) / 81
    band = round((mel(1000.0) - mel(20.0)) / step) - 1
    assert (fbank(tone)[0].argmax(-1) == band).all()
