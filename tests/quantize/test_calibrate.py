"""Ranges: the histogram counts right while it grows, and each method clips where it should."""

from __future__ import annotations

import warnings

import numpy as np
import onnx
import pytest

from quantize.calibrate import LEVELS, Histogram, Method, record
from quantize.lines import Line
from quantize.qdq import products

RNG = np.random.default_rng(3)


def histogram_of(*arrays: np.ndarray) -> Histogram:
    histogram = Histogram()
    for array in arrays:
        histogram.add(array)
    return histogram


def test_growing_keeps_every_count() -> None:
    small, large = RNG.uniform(0, 1, (1, 50, 20)), RNG.uniform(0, 9, (1, 50, 20))
    grown, at_once = histogram_of(small, large), histogram_of(large, small)
    assert grown.counts.sum() == at_once.counts.sum() == 2000
    assert grown.maximum == at_once.maximum
    assert grown.limit("percentile") == pytest.approx(at_once.limit("percentile"), rel=0.01)


def test_max_is_the_largest_magnitude() -> None:
    assert histogram_of(np.array([[[-3.0, 2.0]]])).limit("max") == 3.0


def test_percentile_ignores_one_value_in_a_million() -> None:
    values = RNG.standard_normal((1, 1000, 300))
    values[0, 0, 0] = 100.0
    assert histogram_of(values).limit("max") == 100.0
    assert histogram_of(values).limit("percentile") < 6.0


def test_least_error_beats_every_other_limit() -> None:
    values = RNG.laplace(size=(1, 1000, 100))
    histogram = histogram_of(values)

    def error(limit: float) -> float:
        step = limit / 127
        return float(np.mean((np.clip(np.rint(values / step), -127, 127) * step - values) ** 2))

    best = histogram.limit("mse")
    assert best < histogram.limit("max")
    assert error(best) <= min(error(limit) for limit in (best * 0.8, best * 1.25, histogram.maximum))


@pytest.mark.parametrize("method", ["max", "percentile", "mse"])
@pytest.mark.parametrize("values", [[], [0.0], [5e-324], [1e-30], [1e-6], [-1e-5]])
def test_a_tensor_with_next_to_nothing_in_it_still_has_a_range(method: Method, values: list[float]) -> None:
    histogram = histogram_of(*(np.full((1, 4, 4), value) for value in values))
    with warnings.catch_warnings(), np.errstate(all="warn", under="ignore"):
        warnings.simplefilter("error")
        limit = histogram.limit(method)
    assert limit >= 1e-6 and limit / LEVELS > 0
    assert limit <= 2e-5


def test_recording_sees_each_line_and_tells_vectors_from_sequences(
    float_networks: object, lines: list[Line]
) -> None:
    model = onnx.load(f"{float_networks}/encoder.onnx")
    nodes = products(model)
    histograms = record(model, [node.input[0] for node in nodes], [line.inputs.feeds() for line in lines])
    per_step = {node.name: histograms[node.input[0]].per_step for node in nodes}
    assert not per_step["/encoder/condition/MatMul"]  # character and emotion: one row however long the line
    assert per_step["/encoder/text.0/expand/MatMul"]
    n_phonemes = sum(len(line.phonemes) for line in lines)
    counted = histograms[next(n for n in nodes if n.name == "/encoder/text.0/expand/MatMul").input[0]].counts
    assert counted.sum() == n_phonemes * 64
