"""Losses: what the student is asked to match."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from edge.spec import SAMPLE_RATE
from models.mel import LogMel

RESOLUTIONS = (512, 1024, 2048)  # samples: 16, 32 and 64 ms at 32 kHz
FLOOR = 3e-3  # of a magnitude at n_fft 1024; speech at usual level lies 50-60 dB above


class SpectralLoss(nn.Module):
    """Distance of magnitudes at several resolutions and of log-mel spectra; phase is free.

    Source: multi-resolution STFT loss, arXiv:1910.11480.
    """

    def __init__(self) -> None:
        super().__init__()
        for size in RESOLUTIONS:
            self.register_buffer(f"window_{size}", torch.hann_window(size), persistent=False)
        self.mel = LogMel(80, 1024, 256, SAMPLE_RATE, floor=FLOOR)

    def forward(self, output: Tensor, target: Tensor) -> dict[str, Tensor]:
        """Compare two batches of waveforms (B, N); return one scalar per term."""
        pairs = [self._resolution(output, target, size) for size in RESOLUTIONS]
        return {
            "log_stft": torch.stack([log for log, _ in pairs]).mean(),
            "convergence": torch.stack([rel for _, rel in pairs]).mean(),
            "mel": nn.functional.l1_loss(self.mel(output), self.mel(target)),
        }

    def _resolution(self, output: Tensor, target: Tensor, size: int) -> tuple[Tensor, Tensor]:
        window = getattr(self, f"window_{size}")
        floor = FLOOR * (size / 1024) ** 0.5
        both = torch.stft(torch.cat([output, target]), size, size // 2, window=window, return_complex=True)
        ours, theirs = torch.sqrt(both.real**2 + both.imag**2 + floor**2).chunk(2)
        log = nn.functional.l1_loss(torch.log(ours), torch.log(theirs))
        return log, (theirs - ours).norm() / theirs.norm().clamp_min(1e-3)


UNVOICED_PITCH = 0.1  # weight of a pitch that is only a line drawn from one voiced stretch to the next


@dataclass(frozen=True)
class ProsodyMasks:
    """Where a prosody is one to learn from."""

    sounding: Tensor
    """(B, P) 1 for phonemes that take time; length, energy: (B, P) likewise, where these are known too."""
    length: Tensor
    energy: Tensor
    voicing: Tensor
    """(B, P, K) 1 where the teacher's pitch was heard, 0 where it was interpolated."""


def prosody_loss(
    predicted: tuple[Tensor, Tensor, Tensor], target: tuple[Tensor, Tensor, Tensor], masks: ProsodyMasks
) -> dict[str, Tensor]:
    """Compare durations (log scale), log F0 and energy where they are known.

    Args:
        predicted: durations (B, P) in frames, f0 (B, P, K) natural log of Hz, energy (B, P).
        target: the same of the teacher.
        masks: what is known of it.
    """
    heard = masks.sounding.unsqueeze(-1) * (UNVOICED_PITCH + (1.0 - UNVOICED_PITCH) * masks.voicing)
    logs = [torch.log(d.clamp_min(0.05)) for d in (predicted[0], target[0])]
    off = predicted[1] - target[1]  # (B, P, K)
    return {
        "duration": _mean((logs[0] - logs[1]).abs(), masks.length),
        "f0": _mean(off.abs(), heard),
        "f0_squared": _mean(off.square(), heard),
        "energy": _mean((predicted[2] - target[2]).abs(), masks.energy),
    }


def _mean(values: Tensor, weights: Tensor) -> Tensor:
    return (values * weights).sum() / weights.sum().clamp_min(1.0)
