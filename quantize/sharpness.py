"""Sharpness of a voice: what training flattens of its envelopes, a factor brings back.

Losses on spectra are least for the mean of all ways to say something, and a mean of envelopes has lower peaks
and shallower valleys than each of them; what the harmonics then lack, the noise makes up for. Factors and
level are folded into the last layer of the decoder when it is exported: they cost nothing. The checkpoint
stays as it was trained, so that training can go on from it.
"""

from __future__ import annotations

from typing import NamedTuple


class Sharpness(NamedTuple):
    """Arguments of ``Decoder.sharpen``."""

    harmonic: float
    """Factor on the mel-cepstral coefficients of the harmonic part above level and tilt."""
    noise: float
    """The same for the noise."""
    noise_db: float
    """By which the noise becomes louder."""


USUAL = Sharpness(1.1, 1.1, -2.0)
"""Chosen on training lines of the built-in voice by ``python -m distill.evaluation.sharpness``."""
UNCHANGED = Sharpness(1.0, 1.0, 0.0)
