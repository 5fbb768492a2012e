"""Log-mel against a plain NumPy transform."""

import numpy as np
import torch

from models.mel import LogMel, mel_filterbank


def test_agrees_with_numpy() -> None:
    rng = np.random.default_rng(0)
    waveform = rng.standard_normal(4096).astype(np.float32)
    ours = LogMel(20, 512, 128, 32_000)(torch.from_numpy(waveform)[None])[0].numpy()
    padded = np.pad(waveform, 256, mode="reflect")
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(512) / 512)
    frames = np.stack([padded[i : i + 512] * window for i in range(0, len(padded) - 511, 128)])
    bands = np.abs(np.fft.rfft(frames)) @ mel_filterbank(20, 512, 32_000).numpy()
    np.testing.assert_allclose(ours, np.log(np.maximum(bands, 1e-3)), atol=1e-3)


def test_a_tone_lights_the_band_around_it() -> None:
    mel = LogMel(40, 1024, 256, 32_000)
    time = torch.arange(8192) / 32_000
    centre = 2595 * np.log10(1 + 1000 / 700) / (2595 * np.log10(1 + 16_000 / 700)) * 41 - 1
    band = int(mel(torch.sin(2 * torch.pi * 1000 * time)[None])[0, 10].argmax())
    assert abs(band - centre) <= 1


def test_silence_is_the_floor() -> None:
    assert torch.all(
        LogMel(10, 512, 128, 32_000, floor=1e-3)(torch.zeros(1, 2048)) == np.float32(np.log(1e-3))
    )
