"""The soak tells a leak from caches that fill and from two voices during a reload."""

from __future__ import annotations

import random

import pytest

from benchmarks.soak import CACHES, Ledger, Sample, summarize

MINUTES = 60


def run(leak_mib_per_hour: float) -> list[Sample]:
    """An hour: caches fill for ten minutes, every third sample falls into a reload, memory is noisy."""
    choose = random.Random(5)
    samples = []
    for t_s in range(0, MINUTES * 60 + 1, 10):
        filled = min(t_s / 600, 1.0)
        reloading = t_s % 30 == 0
        daemon = 90 + 20 * filled + leak_mib_per_hour * t_s / 3600 + choose.gauss(0, 1.5)
        children = 230 + 40 * filled + 110 * reloading + choose.gauss(0, 4)
        cache_mb = CACHES["max_mb"] * filled
        samples.append(Sample(t_s, daemon + children, daemon, 3 + reloading, cache_mb, 40, 20))
    return samples


@pytest.mark.parametrize("leak", [0.0, 12.0])
def test_an_hour_tells_a_leak_from_caches(leak: float) -> None:
    found = summarize(run(leak), Ledger())["resident_mib"]
    daemon, everything = found["slope_of_the_daemon"], found["slope"]
    assert daemon["per_hour"] == pytest.approx(leak, abs=3 * daemon["error"]) and daemon["error"] < 1.0
    assert everything["per_hour"] == pytest.approx(leak, abs=3 * everything["error"])
    assert everything["error"] < 3.0
    assert found["samples_of_the_slope"] == pytest.approx(160, abs=2), "two thirds, without the reloads"
    assert found["cache_full_after_s"] == pytest.approx(540, abs=10)


def test_a_run_of_a_minute_has_no_slope() -> None:
    assert summarize(run(0.0)[:7], Ledger())["resident_mib"]["slope"] == {}
