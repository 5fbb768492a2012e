"""Weights rounded to int8 so that their errors cancel in what lines bring, instead of each to the nearest.

Row after row of a weight is rounded, and what that loses is made up for by the rows that are still to come,
as far as the activations that they meet go together (GPTQ: Frantar et al., arXiv:2210.17323). Steps, integers
and time on a device are those of plain rounding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from onnx import ModelProto

from .graph import Graph
from .network import Arrays, activations
from .qdq import Weight, products, quantize_weight

DAMPING = 0.01  # of the mean square of a channel, for channels that go together to the bit


def grams(model: ModelProto, feeds: Sequence[Arrays]) -> dict[str, np.ndarray]:
    """Sums of products of each two channels, (K, K), of every activation that enters a product."""
    names = sorted({node.input[0] for node in products(model)})
    sums: dict[str, np.ndarray] = {}
    for name, values in activations(model, names, feeds):
        rows = values.reshape(-1, values.shape[-1])
        sums[name] = sums.get(name, 0.0) + (rows.T @ rows).astype(np.float64)
    return sums


def round_weight(weight: np.ndarray, gram: np.ndarray, bits: int) -> Weight:
    """Round a weight (K, N) to int8 for activations with these sums of products (K, K).

    Returns:
        Values (K, N) and a scale (N,) for each output channel, that of ``quantize_weight``.
    """
    nearest, scale = quantize_weight(weight, bits)
    most = 2 ** (bits - 1) - 1
    damped = gram + DAMPING * max(float(np.diag(gram).mean()), 1e-12) * np.eye(len(gram))
    passed_on = np.linalg.cholesky(np.linalg.inv(damped)).T  # upper: from each row to those behind it
    left, values = weight.astype(np.float64), np.empty_like(nearest)
    for row in range(len(left)):
        values[row] = np.clip(np.rint(left[row] / scale), -most, most)
        lost = (left[row] - values[row] * scale.astype(np.float64)) / passed_on[row, row]
        left[row + 1 :] -= np.outer(passed_on[row, row + 1 :], lost)
    return values, scale


def round_all(model: ModelProto, feeds: Sequence[Arrays], bits: int) -> Mapping[str, Weight]:
    """Round the weight of every product, by name of the product."""
    graph, sums = Graph(model), grams(model, feeds)
    return {
        node.name: round_weight(graph.array(node.input[1]), sums[node.input[0]], bits)
        for node in products(model)
    }
