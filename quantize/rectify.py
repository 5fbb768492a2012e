"""ReLU for nothing: where a ReLU feeds an int8 product, rounding to int8 does its work.

Symmetric int8 spends half of its 256 steps on negative values, which a ReLU never gives. So the values are
shifted down by 128 steps before rounding: zero becomes -128, and everything that the ReLU would have cut
saturates there too. The shift goes into the biases in front of and behind the product, the ReLU goes away,
and the steps are half as large.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from onnx import NodeProto

from .graph import Graph

RECTIFIED_LEVELS = 255
RECTIFYING = "_rectifying"  # ends the name of a QuantizeLinear that stands for a ReLU
_ZERO_STEP = 128


@dataclass(frozen=True)
class Rectified:
    """A ReLU between two additions of a bias, with a product behind it."""

    relu: NodeProto
    """The node that goes away."""
    before: NodeProto
    """Adds the bias in front of the ReLU."""
    after: NodeProto
    """Adds the bias behind the product."""


def find(graph: Graph, product: NodeProto) -> Rectified | None:
    """The ReLU that feeds a product, if nothing else reads it and both have biases; else None."""
    relu = graph.producer(product.input[0])
    if relu is None or relu.op_type != "Relu" or len(graph.consumers(product.input[0])) != 1:
        return None
    before, behind = graph.producer(relu.input[0]), graph.consumers(product.output[0])
    if before is None or len(behind) != 1 or len(graph.consumers(relu.input[0])) != 1:
        return None
    if _bias(graph, before) is None or _bias(graph, behind[0]) is None:
        return None
    return Rectified(relu, before, behind[0])


def shift(graph: Graph, found: Rectified, limit: float, weight: np.ndarray) -> float:
    """Move the shift into both biases and take the ReLU out.

    Args:
        graph: changed.
        found: from ``find``.
        limit: largest value to represent behind the ReLU.
        weight: (K, N) of the product, as its int8 values stand for.

    Returns:
        Size of a step.
    """
    step = limit / RECTIFIED_LEVELS
    _add_to_bias(graph, found.before, np.array(-_ZERO_STEP * step))
    _add_to_bias(graph, found.after, _ZERO_STEP * step * weight.astype(np.float64).sum(axis=0))
    graph.nodes.remove(found.relu)
    return step


def lowest(step: float) -> float:
    """What a shifted value is where the ReLU gave zero."""
    return -_ZERO_STEP * step


def _bias(graph: Graph, node: NodeProto) -> str | None:
    names = [name for name in node.input if name in graph.constants]
    return names[0] if node.op_type == "Add" and len(names) == 1 else None


def _add_to_bias(graph: Graph, node: NodeProto, amount: np.ndarray) -> None:
    bias = _bias(graph, node)
    assert bias is not None
    shifted = graph.set_constant(f"{bias}_shifted", (graph.array(bias) + amount).astype(np.float32))
    node.input[:] = [shifted if name == bias else name for name in node.input]
