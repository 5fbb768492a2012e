"""Magnitude spectrogram of a reference clip."""

from __future__ import annotations

import torch
from torch import Tensor

SAMPLE_RATE = 32000  # Hz
N_FFT = 2048
HOP_LENGTH = 640  # samples, 20 ms
N_BINS = N_FFT // 2 + 1


def reference_spectrogram(waveform: Tensor) -> Tensor:
    """Turn a clip (1, N) at 32 kHz into magnitudes (1, 1025, N // 640).

    A peak above 1 is scaled down, by at most 2, as in the original. Frames are not centred: the clip is
    reflected by (window - hop) / 2 at either end.

    Raises:
        ValueError: the clip is too short to be reflected.
    """
    padding = (N_FFT - HOP_LENGTH) // 2
    if waveform.shape[-1] <= padding:
        raise ValueError(f"a reference of {waveform.shape[-1]} samples; more than {padding} are needed")
    peak = float(waveform.abs().max())
    if peak > 1.0:
        waveform = waveform / min(2.0, peak)
    padded = torch.nn.functional.pad(waveform.unsqueeze(1), (padding, padding), mode="reflect").squeeze(1)
    window = torch.hann_window(N_FFT, device=waveform.device)
    spectrum = torch.stft(padded, N_FFT, HOP_LENGTH, window=window, center=False, return_complex=True)
    return (spectrum.real.square() + spectrum.imag.square() + 1e-8).sqrt()
