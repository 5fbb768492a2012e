"""Alignment for the gate: which frame of a line is which phoneme, if it is said as written."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .first_look import Heard
from .phonetics import SILENCE, STATES, Phonetics
from .spectrum import N_CEPSTRA, Frames, static_cepstra
from .trellis import Trellis, best_path, build


@dataclass(frozen=True)
class Alignment:
    """A line said as written, as far as it goes."""

    trellis: Trellis
    scores: Frames
    """(n_frames, S) log-likelihoods of frames under the states of the trellis."""
    total: float
    """Log-likelihood of the best way, nats."""
    path: NDArray[np.int64]
    """(n_frames,) its states."""

    @property
    def fit(self) -> float:
        """Nats per frame."""
        return self.total / len(self.path)


def align(phonetics: Phonetics, line: Heard) -> Alignment | None:
    """Align a line; None if it has fewer frames than states."""
    if len(line.cepstra) < max(1, STATES * line.n_sounded):
        return None
    trellis = build(phonetics, line.reading.phonemes, line.reading.words)
    scores = phonetics.log_likelihood(line.cepstra, trellis.states)
    return Alignment(trellis, scores, *best_path(scores, trellis))


def spectral_timbre(phonetics: Phonetics, line: Heard, alignment: Alignment) -> NDArray[np.float32]:
    """Give (N_CEPSTRA - 1,): the mean spectrum of a line less that of what it says, without its level.

    Taking away what is said makes a line of five words as telling as one of twenty.
    """
    states = np.array(alignment.trellis.states)[alignment.path]
    spoken = states != SILENCE
    if not spoken.any():
        return np.zeros(N_CEPSTRA - 1, np.float32)
    said = phonetics.means[states[spoken], :N_CEPSTRA]
    found: NDArray[np.float32] = (static_cepstra(line.mel[spoken]) - said).mean(axis=0)[1:]
    return found
