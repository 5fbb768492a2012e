"""Manner of one emotion of a voice: its pace, how clearly, with what timbre."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .config import GateConfig
from .fault import Fault
from .first_look import Heard
from .robust import centre_and_spread, fit_plane

Vector = NDArray[np.float32]

LEAST_LENGTH_SPREAD = 0.04  # of the logarithm: a regular teacher says all lines alike
LEAST_FIT_SPREAD = 1.0  # nats per frame
LEAST_DISTANCE_SPREAD = 0.15  # of a standard deviation
SHORT = 12  # phonemes; a shorter line may deviate more, as the root of its length


@dataclass(frozen=True)
class Sample:
    """What is measured of one line with its voice at hand."""

    line: Heard
    usual_s: float
    """What its phonemes take on average in this voice, seconds."""
    fit: float
    """Nats per frame when said as written."""
    timbre: Vector
    """(dim,) from the teacher, or of the spectrum."""


@dataclass(frozen=True)
class Manner:
    """What is usual in one emotion."""

    ends_s: float
    pace: float
    """``ends_s``, ``pace``: seconds of speech are ``ends_s + pace * usual_s`` at rate 1."""
    length_spread: float
    """Of the logarithm of measured by expected length."""
    fit: float
    fit_spread: float
    """``fit``, ``fit_spread``: nats per frame."""
    timbre: tuple[float, ...]
    timbre_spread: tuple[float, ...]
    """``timbre``, ``timbre_spread``: (dim,) centre, and standard deviation of each dimension."""
    distance: float
    distance_spread: float
    """``distance``, ``distance_spread``: of a line from that timbre, in standard deviations of a dimension.
    """

    def to_dict(self) -> dict[str, Any]:
        """Give plain values, for JSON."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Manner:
        """Read what ``to_dict`` gave."""
        vectors = {key: tuple(values[key]) for key in ("timbre", "timbre_spread")}
        return cls(**{**values, **vectors})

    def judge(self, config: GateConfig, sample: Sample) -> Fault | None:
        """Find what is unusual about a line: its length, what it says, its timbre."""
        slack = max(1.0, float(np.sqrt(SHORT / max(1, sample.line.n_sounded))))
        ratio = spoken_s(sample) / expected_s(self.ends_s, self.pace, sample)
        most = slack * config.length_deviations * self.length_spread
        if abs(np.log(ratio)) > most:
            detail = f"{ratio:.2f} times as long as its {sample.line.n_sounded} phonemes usually are"
            return Fault("length", ratio, float(np.exp(most if ratio > 1 else -most)), detail)
        least = self.fit - slack * config.fit_deviations * self.fit_spread
        if sample.fit < least:
            return Fault(
                "unlike", sample.fit, least, f"does not sound as written: {sample.fit:.1f} nats a frame"
            )
        distance = _distance(sample.timbre, np.array(self.timbre), np.array(self.timbre_spread))
        most = self.distance + slack * config.timbre_deviations * self.distance_spread
        if distance > most:
            return Fault("timbre", distance, most, f"{distance:.1f} deviations from the voice's timbre")
        return None


def learn_manner(samples: Sequence[Sample]) -> Manner:
    """Learn from the lines of one emotion; a few bad ones do no harm."""
    usual = np.array([max(0.05, sample.usual_s) for sample in samples])
    seconds = np.array([max(0.05, spoken_s(sample) * sample.line.rate) for sample in samples])
    # Divided by the length, so that errors count in proportion: long lines do not outweigh the short.
    ends, pace = fit_plane((1 / usual, np.ones(len(usual))), seconds / usual)
    ratios = [np.log(spoken_s(sample) / expected_s(float(ends), float(pace), sample)) for sample in samples]
    timbres = np.stack([sample.timbre for sample in samples]).astype(np.float64)
    centre = np.median(timbres, axis=0)
    spread = np.maximum(1.4826 * np.median(np.abs(timbres - centre), axis=0), 1e-3 * np.abs(centre) + 1e-6)
    fit, fit_spread = centre_and_spread([sample.fit for sample in samples], LEAST_FIT_SPREAD)
    distance = centre_and_spread([_distance(t, centre, spread) for t in timbres], LEAST_DISTANCE_SPREAD)
    length_spread = centre_and_spread(ratios, LEAST_LENGTH_SPREAD)[1]
    vectors = tuple(centre.tolist()), tuple(spread.tolist())
    return Manner(float(ends), float(pace), length_spread, fit, fit_spread, *vectors, *distance)


def spoken_s(sample: Sample) -> float:
    """Seconds of a line without its silences."""
    return max(sample.line.pauses.speech_s, 0.01)


def expected_s(ends_s: float, pace: float, sample: Sample) -> float:
    """Seconds that the phonemes of a line usually take in this manner."""
    return max(0.05, ends_s + pace * sample.usual_s) / sample.line.rate


def _distance(timbre: NDArray[Any], centre: NDArray[Any], spread: NDArray[Any]) -> float:
    return float(np.sqrt(np.mean(((timbre - centre) / spread) ** 2)))
