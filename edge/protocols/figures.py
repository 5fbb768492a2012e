"""Histogram of durations, as Prometheus counts them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

LATENCY_BOUNDS_S = (0.005, 0.01, 0.02, 0.03, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


@dataclass
class Histogram:
    """Counts of values by upper bound; the last count is of those beyond every bound."""

    bounds: Sequence[float] = LATENCY_BOUNDS_S
    counts: list[int] = field(default_factory=list)
    total: float = 0.0
    """Sum of the values."""

    def __post_init__(self) -> None:
        self.counts = self.counts or [0] * (len(self.bounds) + 1)

    def add(self, value: float) -> None:
        """Count a value."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.total += value

    def copy(self) -> Histogram:
        """Return what stays as it is now."""
        return replace(self, counts=list(self.counts))

    def cumulative(self) -> list[tuple[str, int]]:
        """Return upper bound and number of values that do not exceed it, ``+Inf`` last."""
        labels = [*(str(bound) for bound in self.bounds), "+Inf"]
        sums = [sum(self.counts[: index + 1]) for index in range(len(self.counts))]
        return list(zip(labels, sums, strict=True))
