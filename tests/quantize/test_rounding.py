"""Rounding of weights: errors cancel in what lines bring, and steps stay what they are."""

from __future__ import annotations

import numpy as np
import pytest

from quantize.equalize import channel_peaks, smooth
from quantize.qdq import quantize_weight
from quantize.rounding import grams, round_all, round_weight

from .test_equalize import FEEDS, layers, run

RNG = np.random.default_rng(8)


def activations(n: int, width: int) -> np.ndarray:
    """Channels that go together, as those of a network do."""
    causes = RNG.standard_normal((n, width // 4))
    found: np.ndarray = causes @ RNG.standard_normal((width // 4, width)) + 0.3 * RNG.standard_normal(
        (n, width)
    )
    return found


def error(inputs: np.ndarray, weight: np.ndarray, rounded: tuple[np.ndarray, np.ndarray]) -> float:
    """Mean square of what rounding changes in the results."""
    return float(np.square(inputs @ (weight - rounded[0] * rounded[1])).mean())


@pytest.mark.parametrize("bits", [7, 8])
def test_errors_cancel_in_lines_that_were_not_seen(bits: int) -> None:
    everything = activations(6000, 64)
    seen, unseen = everything[:4000], everything[4000:]
    weight = RNG.standard_normal((64, 70))
    ours = round_weight(weight, seen.T @ seen, bits)
    assert error(unseen, weight, ours) < 0.5 * error(unseen, weight, quantize_weight(weight, bits))


@pytest.mark.parametrize("bits", [7, 8])
def test_steps_and_limits_are_those_of_plain_rounding(bits: int) -> None:
    inputs, weight = activations(500, 64), RNG.standard_normal((64, 70)) * np.geomspace(0.01, 10.0, 70)
    values, scale = round_weight(weight, inputs.T @ inputs, bits)
    assert values.dtype == np.int8 and np.abs(values.astype(int)).max() <= 2 ** (bits - 1) - 1
    assert np.array_equal(scale, quantize_weight(weight, bits)[1])


def test_channels_that_do_not_go_together_are_rounded_to_the_nearest() -> None:
    weight = RNG.standard_normal((64, 70))
    values, _ = round_weight(weight, np.eye(64) * 1000.0, 7)
    assert np.array_equal(values, quantize_weight(weight)[0])


def test_copies_of_a_channel_share_its_weight() -> None:
    """The sum of three copies has steps of a third: what one is rounded down by, another is rounded up by."""
    channel, other = RNG.standard_normal((2, 1000))
    inputs = np.stack([channel, channel, channel, other], axis=1)
    weight = np.repeat(RNG.uniform(-1.0, 1.0, (1, 500)), 4, axis=0)
    weight[3] = 1.0  # says how large a step is
    values, scale = round_weight(weight, inputs.T @ inputs, 4)
    plain, _ = quantize_weight(weight, 4)
    ours, nearest = (np.abs((rows * scale - weight)[:3].sum(axis=0)).mean() for rows in (values, plain))
    assert ours < 0.5 * nearest


@pytest.mark.parametrize("gram", [np.zeros((8, 8)), np.ones((8, 8))], ids=["silent", "alike"])
def test_channels_without_a_difference_are_rounded_too(gram: np.ndarray) -> None:
    weight = RNG.standard_normal((8, 6))
    values, scale = round_weight(weight, gram, 7)
    assert np.abs(values * scale - weight).max() < 8 * scale.max()


def test_grams_are_those_of_all_lines() -> None:
    model = layers()
    rows = run(model, "b")
    assert np.allclose(grams(model, FEEDS)["b"], rows.T @ rows, rtol=1e-4)


def test_every_product_is_rounded() -> None:
    model = smooth(layers(), channel_peaks(layers(), FEEDS))
    assert set(round_all(model, FEEDS, 7)) == {"affine", "first", "second"}
