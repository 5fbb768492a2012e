"""Source-filter head in torch: pulses and noise, shaped by the decoder's envelopes, to a waveform.

The device runs the NumPy twin of this file; a test holds the two together.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

SINC_TAPS = 32  # samples of one band-limited pulse


def pulse_kernel(fraction: Tensor) -> Tensor:
    """Return (n, SINC_TAPS): a Hann-windowed sinc whose centre lies ``fraction`` samples after tap 15."""
    t = torch.arange(SINC_TAPS, dtype=fraction.dtype, device=fraction.device) - (SINC_TAPS // 2 - 1)
    t = t[None, :] - fraction[:, None]
    return torch.sinc(t) * (0.5 + 0.5 * torch.cos(torch.pi * t / (SINC_TAPS // 2))) * (t.abs() < SINC_TAPS // 2)


def pulse_train(f0_edges: Tensor, start_phase: Tensor, hop_length: int, sample_rate: int) -> Tensor:
    """Place band-limited pulses of unit power at every period.

    Args:
        f0_edges: (B, T + 1) Hz at frame edges, linear in between.
        start_phase: (B,) cycles in [0, 1) at the first sample.
        hop_length, sample_rate: samples, Hz.

    Returns:
        (B, T * hop_length).
    """
    f0 = f0_edges.double()
    batch, n_frames = f0.shape[0], f0.shape[1] - 1
    per_frame = 0.5 * (f0[:, :-1] + f0[:, 1:]) * hop_length / sample_rate
    starts = start_phase.double()[:, None] + torch.cumsum(per_frame, dim=1) - per_frame  # (B, T) cycles
    n = torch.arange(hop_length + 1, dtype=torch.float64, device=f0.device)
    slope = (f0[:, 1:] - f0[:, :-1]) / (2.0 * hop_length)
    cycles = starts[..., None] + (f0[:, :-1, None] * n + slope[..., None] * n * n) / sample_rate
    before, after = cycles[..., :-1], cycles[..., 1:]  # (B, T, hop)
    hits = (torch.floor(after) > torch.floor(before)).nonzero()
    b, t, i = hits.unbind(1)
    step = after[b, t, i] - before[b, t, i]
    fraction = (torch.floor(after[b, t, i]) - before[b, t, i]) / step
    kernel = pulse_kernel(fraction.float()) * torch.rsqrt(step)[:, None].float()
    length = n_frames * hop_length
    out = torch.zeros(batch, length + 2 * SINC_TAPS, device=f0.device)
    first = b * out.shape[1] + t * hop_length + i + SINC_TAPS - (SINC_TAPS // 2 - 1)
    positions = first[:, None] + torch.arange(SINC_TAPS, device=f0.device)
    out.view(-1).index_add_(0, positions.reshape(-1), kernel.reshape(-1))
    return out[:, SINC_TAPS : SINC_TAPS + length]


class SourceFilterHead(nn.Module):
    """Shape two excitations by two envelopes and overlap-add the frames."""

    window: Tensor

    def __init__(self, n_fft: int = 1024, hop_length: int = 512, subframes: int = 4) -> None:
        super().__init__()
        if n_fft != 2 * hop_length:
            raise ValueError(f"n_fft must be twice the hop for perfect overlap-add, got {n_fft} and {hop_length}")
        self.n_fft, self.hop_length, self.subframes = n_fft, hop_length, subframes
        window = torch.hann_window(n_fft, periodic=True).sqrt()
        self.register_buffer("window", window, persistent=False)

    def forward(self, frames: Tensor, pulses: Tensor, noise: Tensor) -> Tensor:
        """Synthesise (B, T * hop) from decoder frames (B, T, F) and two excitations (B, T * hop)."""
        n_bins = self.n_fft // 2 + 1
        harmonic, phase, noise_log, gains = frames.split([n_bins] * 3 + [2 * self.subframes], dim=-1)
        gain_h, gain_n = gains.split(self.subframes, dim=-1)
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
        first, second = y.split(self.hop_length, dim=-1)  # each (B, T, hop)
        out = nn.functional.pad(first, (0, 0, 0, 1)) + nn.functional.pad(second, (0, 0, 1, 0))
        return out.reshape(batch, (n_frames + 1) * self.hop_length)[:, half : half + n_frames * self.hop_length]
