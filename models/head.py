"""Source-filter head in torch: pulses and noise, shaped by the decoder's envelopes, to a waveform.

The device runs the NumPy twin of this file, which also makes the pulses; a test holds the two together.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class SourceFilterHead(nn.Module):
    """Shape two excitations by two envelopes and overlap-add the frames."""

    window: Tensor

    def __init__(self, n_fft: int = 1024, hop_length: int = 512, subframes: int = 4) -> None:
        super().__init__()
        if n_fft != 2 * hop_length:
            raise ValueError(
                f"n_fft must be twice the hop to overlap-add evenly, got {n_fft} and {hop_length}"
            )
        self.n_fft, self.hop_length, self.subframes = n_fft, hop_length, subframes
        window = torch.hann_window(n_fft, periodic=True).sqrt()
        self.register_buffer("window", window, persistent=False)

    def forward(self, frames: Tensor, pulses: Tensor, noise: Tensor) -> Tensor:
        """Synthesise (B, T * hop) from decoder frames (B, T, F) and two excitations (B, T * hop)."""
        n_bins = self.n_fft // 2 + 1
        sizes = [n_bins] * 3 + [2 * self.subframes]
        harmonic, phase, noise_log, gains = frames.split_with_sizes(sizes, dim=-1)
        gain_h, gain_n = gains.chunk(2, dim=-1)
        spectrum = self._analyse(pulses * self._gain_curve(gain_h)) * torch.polar(torch.exp(harmonic), phase)
        spectrum = spectrum + self._analyse(noise * self._gain_curve(gain_n)) * torch.exp(noise_log)
        return self._overlap_add(torch.fft.irfft(spectrum, n=self.n_fft) * self.window)

    def _gain_curve(self, log_gain: Tensor) -> Tensor:
        """Interpolate (B, T, J) log gains at sub-frame centres to (B, T * hop) gains."""
        gain = torch.exp(log_gain).flatten(1)  # (B, T * J)
        step = self.hop_length // self.subframes
        size = gain.shape[1] * step
        return nn.functional.interpolate(gain.unsqueeze(1), size=size, mode="linear").squeeze(1)

    def _analyse(self, x: Tensor) -> Tensor:
        """Return the spectrum (B, T, n_bins) of windows centred on the frames."""
        half = self.hop_length // 2
        padded = nn.functional.pad(x, (half, half))
        return torch.fft.rfft(padded.unfold(1, self.n_fft, self.hop_length) * self.window)

    def _overlap_add(self, y: Tensor) -> Tensor:
        """Add windows (B, T, n_fft) a hop apart and cut what sticks out on either side."""
        batch, n_frames, _ = y.shape
        half = self.hop_length // 2
        first, second = y.chunk(2, dim=-1)  # each (B, T, hop)
        out = nn.functional.pad(first, (0, 0, 0, 1)) + nn.functional.pad(second, (0, 0, 1, 0))
        out = out.reshape(batch, -1)  # (B, (T + 1) * hop)
        return out[:, half : half + n_frames * self.hop_length]
