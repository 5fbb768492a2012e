"""Reference spectrogram, frame by frame in NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from models.gpt_sovits.spectrogram import HOP_LENGTH, N_BINS, N_FFT, reference_spectrogram


def clip(n: int, peak: float = 0.8) -> torch.Tensor:
    rng = np.random.default_rng(5)
    sound = np.sin(np.arange(n) * 0.05) + 0.1 * rng.standard_normal(n)
    return torch.from_numpy((peak * sound / np.abs(sound).max()).astype(np.float32))[None]


@pytest.mark.parametrize("n", [6400, 7000, 7039])
def test_frame_by_frame(n: int) -> None:
    waveform = clip(n)
    found = reference_spectrogram(waveform)
    assert found.shape == (1, N_BINS, n // HOP_LENGTH)
    padded = np.pad(waveform[0].double().numpy(), (N_FFT - HOP_LENGTH) // 2, mode="reflect")
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(N_FFT) / N_FFT)
    for frame in range(found.shape[2]):
        spectrum = np.fft.rfft(padded[frame * HOP_LENGTH :][:N_FFT] * window)
        expected = np.sqrt(np.abs(spectrum) ** 2 + 1e-8)
        np.testing.assert_allclose(found[0, :, frame].numpy(), expected, atol=2e-4)


@pytest.mark.parametrize(("peak", "divisor"), [(0.9, 1.0), (1.6, 1.6), (5.0, 2.0)])
def test_a_peak_above_one_is_scaled_down_by_at_most_two(peak: float, divisor: float) -> None:
    waveform = clip(3200, peak)
    quiet = reference_spectrogram(waveform / divisor * 0.1)
    torch.testing.assert_close(reference_spectrogram(waveform), quiet * 10.0, atol=2e-3, rtol=1e-4)


def test_silence_has_a_floor_and_a_click_is_too_short() -> None:
    assert float(reference_spectrogram(torch.zeros(1, 3200)).max()) == pytest.approx(1e-4)
    with pytest.raises(ValueError, match="704 samples; more than 704 are needed"):
        reference_spectrogram(torch.zeros(1, 704))
