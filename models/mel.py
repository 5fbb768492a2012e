"""Log-mel spectrogram."""

from __future__ import annotations

import torch
from torch import Tensor, nn


def mel_filterbank(n_mels: int, n_fft: int, sample_rate: int, f_min: float = 0.0) -> Tensor:
    """Return (n_fft // 2 + 1, n_mels) triangles of unit height on the HTK mel scale."""
    top = 2595.0 * torch.log10(torch.tensor(1.0 + sample_rate / 2 / 700.0, dtype=torch.float64))
    bottom = 2595.0 * torch.log10(torch.tensor(1.0 + f_min / 700.0, dtype=torch.float64))
    mels = torch.linspace(float(bottom), float(top), n_mels + 2, dtype=torch.float64)
    edges = 700.0 * (10.0 ** (mels / 2595.0) - 1.0)
    bins = torch.linspace(0.0, sample_rate / 2, n_fft // 2 + 1, dtype=torch.float64)[:, None]
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    return torch.minimum(rising, falling).clamp_min(0.0).float()


class LogMel(nn.Module):
    """Natural log of mel-band magnitudes, floored."""

    window: Tensor
    filters: Tensor

    def __init__(
        self, n_mels: int, n_fft: int, hop_length: int, sample_rate: int, floor: float = 1e-3
    ) -> None:
        super().__init__()
        self.n_fft, self.hop_length, self.floor = n_fft, hop_length, floor
        self.register_buffer("window", torch.hann_window(n_fft), persistent=False)
        self.register_buffer("filters", mel_filterbank(n_mels, n_fft, sample_rate), persistent=False)

    def forward(self, waveform: Tensor) -> Tensor:
        """Turn (B, N) into (B, n_frames, n_mels); frames are centred on multiples of the hop."""
        spectrum = torch.stft(waveform, self.n_fft, self.hop_length, window=self.window, return_complex=True)
        return torch.log((spectrum.abs().transpose(1, 2) @ self.filters).clamp_min(self.floor))
