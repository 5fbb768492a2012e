"""Channels of an activation made alike in the float graph, so that one int8 step suits them all.

An activation has one step, and its largest channel says how large that is: what varies least is rounded
coarsest. Two rewrites move sizes between neighbouring layers; the graph computes the same as before.

- A channel is divided where it is made and multiplied in the weights that read it
  (SmoothQuant, arXiv:2211.10438; cross-layer equalization, arXiv:1906.04721).
- A channel that is still too large is made several times, each copy a part of it
  (outlier channel splitting, arXiv:1901.09504). The copies lie a fraction of a step apart, so that their
  rounded sum has finer steps than each of them (Hermite's identity).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from onnx import ModelProto, NodeProto

from .calibrate import LEVELS, SMALLEST_LIMIT
from .graph import Graph
from .network import Arrays, activations
from .qdq import products

Peaks = Mapping[str, np.ndarray]
"""Largest magnitude of each channel, (K,), by tensor."""
INTO_WEIGHTS = 2 / 3  # of what channels differ by: errors of weights are made up for (rounding.py)
COPIES_SHARE = 6  # one more channel for every so many
COPIES_MULTIPLE = 4  # int8 kernels take four channels at once


def channel_peaks(model: ModelProto, feeds: Sequence[Arrays]) -> dict[str, np.ndarray]:
    """Largest magnitudes of every activation that enters a product, while lines are spoken."""
    names = sorted({node.input[0] for node in products(model)})
    peaks: dict[str, np.ndarray] = {}
    for name, values in activations(model, names, feeds):
        largest = np.abs(values).max(axis=(0, 1))
        peaks[name] = np.maximum(peaks.get(name, largest), largest)
    return peaks


def smooth(model: ModelProto, peaks: Peaks) -> ModelProto:
    """Make channels behind every normalisation alike that only products read.

    Args:
        model: float graph; not changed.
        peaks: from ``channel_peaks``.
    """
    graph = Graph.copied(model)
    readers: dict[str, list[NodeProto]] = {}
    for node in products(graph.model):
        readers.setdefault(node.input[0], []).append(node)
    for tensor, nodes in readers.items():
        source = graph.producer(tensor)
        if source is None or source.op_type != "LayerNormalization":
            continue
        if len(graph.consumers(tensor)) == len(nodes):
            factors = _factors(peaks[tensor], [graph.array(node.input[1]) for node in nodes])
            for name in source.input[1:]:
                graph.set_constant(name, (graph.array(name) / factors).astype(np.float32))
            for node in nodes:
                _scale_rows(graph, node, np.arange(len(factors)), factors)
    return graph.finish()


def split(model: ModelProto, product: str, peaks: Peaks) -> ModelProto | None:
    """Make the largest channels that enter a product several times, and all of them alike.

    Args:
        model: float graph; not changed.
        product: its name.
        peaks: from ``channel_peaks``.

    Returns:
        The changed graph; None where no affine layer makes the channels, or something else reads them.
    """
    graph = Graph.copied(model)
    node = next(node for node in graph.nodes if node.name == product)
    found = _find_affine(graph, node)
    if found is None:
        return None
    peak = np.maximum(peaks[node.input[0]], SMALLEST_LIMIT)
    copies = _copies(peak, len(peak) // COPIES_SHARE)
    sources = np.repeat(np.arange(len(peak)), copies)
    peak = (peak / copies)[sources]
    factors = _factors(peak, [graph.array(node.input[1])[sources]])
    step = (peak / factors).max() / LEVELS
    apart = np.concatenate([(np.arange(n) - (n - 1) / 2) / n for n in copies])
    found.widen(graph, sources, copies[sources] * factors, apart * step)
    _scale_rows(graph, node, sources, factors)
    return graph.finish()


@dataclass(frozen=True)
class _Affine:
    """A product and a bias whose result, or a part of it, is an activation."""

    product: NodeProto
    bias: str
    parts: NodeProto | None
    """The ``Split`` behind it."""
    which: int
    """Part of it that is the activation."""

    def widen(self, graph: Graph, sources: np.ndarray, divisors: np.ndarray, shifts: np.ndarray) -> None:
        """Let the activation have these channels of its own, divided and then shifted."""
        weight, bias = graph.array(self.product.input[1]), graph.array(self.bias)
        sizes = (
            [weight.shape[1]] if self.parts is None else [int(n) for n in graph.array(self.parts.input[1])]
        )
        first = sum(sizes[: self.which])
        last = first + sizes[self.which]
        columns = weight[:, first:last][:, sources] / divisors
        wide = np.concatenate([weight[:, :first], columns, weight[:, last:]], axis=1)
        shifted = bias[first:last][sources] / divisors + shifts
        graph.set_constant(self.product.input[1], wide.astype(np.float32))
        wide_bias = np.concatenate([bias[:first], shifted, bias[last:]])
        graph.set_constant(self.bias, wide_bias.astype(np.float32))
        if self.parts is not None:
            sizes[self.which] = len(sources)
            name = f"{self.parts.output[self.which]}_sizes"
            self.parts.input[1] = graph.set_constant(name, np.array(sizes, np.int64))


def _find_affine(graph: Graph, node: NodeProto) -> _Affine | None:
    """What makes the activation that a product reads, if it is that product's alone."""
    tensor = node.input[0]
    source = graph.producer(tensor)
    if source is None or len(graph.consumers(tensor)) != 1:
        return None
    parts, which = None, 0
    if source.op_type == "Split":
        parts, which = source, list(source.output).index(tensor)
        tensor = source.input[0]
        source = graph.producer(tensor)
    if source is None or source.op_type != "Add" or len(graph.consumers(tensor)) != 1:
        return None
    biases = [name for name in source.input if name in graph.constants]
    before = [graph.producer(name) for name in source.input if name not in graph.constants]
    if len(biases) != 1 or before[0] is None or before[0] not in products(graph.model):
        return None
    return _Affine(before[0], biases[0], parts, which)


def _factors(peaks: np.ndarray, weights: Sequence[np.ndarray]) -> np.ndarray:
    """Divisors of an activation's channels."""
    rows = np.max([np.abs(weight).max(axis=1) for weight in weights], axis=0)
    logs = [np.log(np.maximum(sizes, SMALLEST_LIMIT)) for sizes in (peaks, rows)]
    factors = INTO_WEIGHTS * logs[0] - (1.0 - INTO_WEIGHTS) * logs[1]
    divisors: np.ndarray = np.exp(factors - factors.mean())
    return divisors


def _copies(peaks: np.ndarray, more: int) -> np.ndarray:
    """How many times each channel is made: one more of whichever is largest, again and again."""
    copies = np.ones(len(peaks), np.int64)
    total = -(-(len(peaks) + more) // COPIES_MULTIPLE) * COPIES_MULTIPLE
    while copies.sum() < total:
        copies[np.argmax(peaks / copies)] += 1
    return copies


def _scale_rows(graph: Graph, node: NodeProto, sources: np.ndarray, factors: np.ndarray) -> None:
    weight = graph.array(node.input[1])[sources] * factors[:, None]
    graph.set_constant(node.input[1], weight.astype(np.float32))
