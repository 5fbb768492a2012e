"""Discriminator of training: is this log-mel spectrogram the teacher's or the student's?

It sees envelopes at several resolutions, not phases: what a pulse-and-noise head can do something about.
Source: patches of spectrograms at several resolutions, arXiv:2106.07889; least squares, arXiv:1611.04076.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from .mel import LogMel


@dataclass(frozen=True)
class View:
    """One resolution, in samples."""

    n_fft: int
    hop_length: int
    n_mels: int


VIEWS = (View(512, 128, 48), View(1024, 256, 80), View(2048, 512, 128))
_CENTRE, _SCALE = -2.0, 2.0  # bring log-mel values of speech near zero mean, unit spread
_SLOPE = 0.2


class SpectrogramJudge(nn.Module):
    """Convolutions over time and frequency of one view; a score for each patch."""

    def __init__(self, view: View, sample_rate: int, floor: float, width: int) -> None:
        super().__init__()
        self.mel = LogMel(view.n_mels, view.n_fft, view.hop_length, sample_rate, floor)
        sizes = [1, width, 2 * width, 2 * width, 2 * width]
        self.layers = nn.ModuleList(
            weight_norm(nn.Conv2d(a, b, (3, 5), (1, 2), (2**k, 2), (2**k, 1)))
            for k, (a, b) in enumerate(itertools.pairwise(sizes))
        )
        self.score = weight_norm(nn.Conv2d(sizes[-1], 1, 3, padding=1))

    def forward(self, waveform: Tensor) -> list[Tensor]:
        """Return what each layer makes of (B, N), and the scores (B, 1, T, M) last."""
        x = ((self.mel(waveform) - _CENTRE) / _SCALE).unsqueeze(1)
        found = []
        for layer in self.layers:
            x = nn.functional.leaky_relu(layer(x), _SLOPE)
            found.append(x)
        return [*found, self.score(x)]


class Discriminator(nn.Module):
    """A judge for each view."""

    def __init__(self, sample_rate: int, floor: float, width: int = 16) -> None:
        super().__init__()
        self.judges = nn.ModuleList(SpectrogramJudge(view, sample_rate, floor, width) for view in VIEWS)

    def forward(self, waveform: Tensor) -> list[list[Tensor]]:
        """Return, for each view of (B, N), the layers' outputs with the scores last."""
        return [judge(waveform) for judge in self.judges]


def judged_real(views: list[list[Tensor]]) -> Tensor:
    """Mean squared distance of the scores from 1, the teacher's."""
    return torch.stack([(layers[-1] - 1.0).square().mean() for layers in views]).mean()


def judged_made(views: list[list[Tensor]]) -> Tensor:
    """Mean squared distance of the scores from 0, the student's."""
    return torch.stack([layers[-1].square().mean() for layers in views]).mean()
