"""Warm-up, repeats in turn, percentiles: how every figure here is taken."""

from __future__ import annotations

import gc
import json
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

Variant = Mapping[str, Any]


@dataclass(frozen=True)
class Measure:
    """One figure of one variant."""

    name: str
    """What was measured, such as ``rtf``."""
    unit: str
    """``ms``, ``MiB`` or ``1`` for a ratio."""
    variant: dict[str, Any] = field(default_factory=dict)
    """What tells it from its neighbours, such as ``{"precision": "int8", "threads": 2}``."""
    n: int = 0
    """Number of samples after warm-up."""
    low: float = 0.0
    p50: float = 0.0
    p95: float = 0.0
    p99: float = 0.0
    high: float = 0.0
    """``low``, ``p50``, ``p95``, ``p99``, ``high``: of the samples; percentiles are samples, never
    interpolated."""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def percentile(samples: Sequence[float], percent: float) -> float:
    """Smallest sample that at least ``percent`` % of the samples do not exceed (nearest rank).

    >>> percentile([4.0, 1.0, 3.0, 2.0], 50)
    2.0
    """
    if not samples:
        raise ValueError("no samples; measure at least once")
    return float(np.percentile(samples, percent, method="inverted_cdf"))


def summarize(name: str, unit: str, variant: Variant, samples: Sequence[float]) -> Measure:
    """Reduce samples to a measure with four significant digits."""
    figures = (min(samples), *(percentile(samples, percent) for percent in (50, 95, 99)), max(samples))
    return Measure(name, unit, dict(variant), len(samples), *(float(f"{figure:.4g}") for figure in figures))


def write_result(path: Path, result: Mapping[str, Any]) -> None:
    """Write a result file; its folder is made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def interleave(
    variants: Sequence[tuple[Variant, Callable[[], float]]],
    repeats: int,
    warm_up: int = 2,
    seed: int = 0,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> list[tuple[Variant, list[float]]]:
    """Sample all variants in turn, in another order each time.

    A machine that is slower for a while is then slower for all of them: ratios stay right.

    Args:
        variants: what to measure; each call gives one sample.
        repeats: samples per variant.
        warm_up: calls per variant that do not count.
        seed: of the order.
        progress: told the rounds done and their total.
    """
    samples: list[list[float]] = [[] for _ in variants]
    order = list(range(len(variants)))
    shuffle = random.Random(seed).shuffle
    gc.freeze()  # what is there already need not be gone through before every sample
    try:
        for turn in range(warm_up + repeats):
            progress(turn, warm_up + repeats)
            shuffle(order)
            for index in order:
                sample = _undisturbed(variants[index][1])
                if turn >= warm_up:
                    samples[index].append(sample)
    finally:
        gc.unfreeze()
    return [(variant, taken) for (variant, _), taken in zip(variants, samples, strict=True)]


def _undisturbed(take: Callable[[], float]) -> float:
    """Take a sample while nothing is collected."""
    gc.collect()
    gc.disable()
    try:
        return take()
    finally:
        gc.enable()
