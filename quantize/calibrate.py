"""Ranges of activations, recorded while the float graphs speak lines of the corpus."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from onnx import ModelProto

from .network import Arrays, activations
from .rectify import RECTIFIED_LEVELS

Method = Literal["max", "percentile", "mse"]

N_BINS = 4096
PERCENTILE = 99.995
LEVELS = 127  # symmetric int8
SMALLEST_LIMIT = 1e-6  # of a tensor that is always zero, or that no line reached
_CANDIDATES = np.linspace(0.3, 1.0, 71)  # clipping points tried by ``mse``, as parts of the maximum


@dataclass
class Histogram:
    """Distribution of the magnitudes of one tensor; the range doubles when a larger value comes."""

    top: float = 0.0
    """Upper end of the last bin."""
    counts: np.ndarray = field(default_factory=lambda: np.zeros(N_BINS))
    """(N_BINS,)."""
    maximum: float = 0.0
    """Largest magnitude seen."""
    levels: int = RECTIFIED_LEVELS
    """Steps between 0 and the limit; more behind a ReLU (see :mod:`quantize.rectify`)."""
    per_step: bool = False
    """False if the tensor was one row however long the line: a product with so few operations gains nothing
    from int8."""

    def add(self, values: np.ndarray) -> None:
        """Count the magnitudes of an array (1, steps, width)."""
        self.per_step = self.per_step or values.shape[1] > 1
        if values.min() < 0:
            self.levels = LEVELS
        magnitudes = np.abs(values).ravel()
        peak = float(magnitudes.max())
        self.maximum = max(self.maximum, peak)
        if self.top == 0.0:
            self.top = max(peak, SMALLEST_LIMIT)
        while peak > self.top:
            self.counts = np.concatenate([self.counts.reshape(-1, 2).sum(1), np.zeros(N_BINS // 2)])
            self.top *= 2
        self.counts += np.histogram(magnitudes, N_BINS, (0.0, self.top))[0]

    def limit(self, method: Method) -> float:
        """Largest magnitude to represent; what lies above is clipped."""
        if self.maximum <= SMALLEST_LIMIT:  # nothing to weigh: every method would divide by zero
            return SMALLEST_LIMIT
        return max(_LIMITS[method](self), SMALLEST_LIMIT)


def _percentile(histogram: Histogram) -> float:
    share = np.cumsum(histogram.counts) / histogram.counts.sum()
    edge = (int(np.searchsorted(share, PERCENTILE / 100)) + 1) / N_BINS * histogram.top
    return min(edge, histogram.maximum)


def _least_error(histogram: Histogram) -> float:
    """The limit with the least mean square error of rounding and clipping together."""
    centres = (np.arange(N_BINS) + 0.5) / N_BINS * histogram.top
    limits = _CANDIDATES * histogram.maximum
    steps = limits[:, None] / histogram.levels
    rounded = np.minimum(np.rint(centres / steps), histogram.levels) * steps
    errors = ((rounded - centres) ** 2 * histogram.counts).sum(axis=1)
    return float(limits[errors.argmin()])


_LIMITS: Mapping[Method, Callable[[Histogram], float]] = {
    "max": lambda histogram: histogram.maximum,
    "percentile": _percentile,
    "mse": _least_error,
}


def record(model: ModelProto, tensors: Iterable[str], feeds: Iterable[Arrays]) -> dict[str, Histogram]:
    """Run a graph and collect the magnitudes of inner tensors.

    Args:
        model: float graph.
        tensors: names in the graph.
        feeds: one set of inputs per line.
    """
    names = sorted(set(tensors))
    histograms = {name: Histogram() for name in names}
    for name, values in activations(model, names, feeds):
        histograms[name].add(values)
    return histograms
