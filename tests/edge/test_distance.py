"""Distances between sounds behave as their units say."""

from __future__ import annotations

import numpy as np
import pytest

from edge.distance import log_mel_distance, mel_filters, snr_db

RNG = np.random.default_rng(0)
NOISE = RNG.standard_normal(32_000).astype(np.float32)


def test_a_sound_is_no_distance_from_itself() -> None:
    assert log_mel_distance(NOISE, NOISE) == 0.0
    assert snr_db(NOISE, NOISE) > 200


@pytest.mark.parametrize("gain_db", [-6.0, -1.0, 3.0])
def test_a_gain_is_its_own_distance(gain_db: float) -> None:
    assert log_mel_distance(NOISE, NOISE * 10 ** (gain_db / 20)) == pytest.approx(abs(gain_db), abs=0.05)


@pytest.mark.parametrize("level_db", [10.0, 30.0])
def test_snr_of_added_noise(level_db: float) -> None:
    added = RNG.standard_normal(len(NOISE)) * 10 ** (-level_db / 20)
    assert snr_db(NOISE, NOISE + added) == pytest.approx(level_db, abs=0.2)


def test_what_is_far_below_the_loudest_does_not_count() -> None:
    tone = np.sin(np.arange(32_000) * 0.2).astype(np.float32)
    assert log_mel_distance(tone, tone + 1e-7 * NOISE) < 0.01


def test_filters_cover_the_band_evenly() -> None:
    filters = mel_filters()
    assert filters.shape == (80, 513)
    assert (filters.sum(axis=1) > 0).all()
    inside = filters.sum(axis=0)[8:480]
    assert np.allclose(inside, 1.0, atol=0.01)
