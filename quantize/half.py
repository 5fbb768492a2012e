"""Float16 where a GPU gains by it: casts around chosen layers, so that a strongly typed network has them.

TensorRT takes precision from the graph alone. The bundle keeps one graph, which ONNX Runtime computes in
float32 and int8; the casts are put in when an engine is built, on the device, without onnx. A layer here is a
matrix product or a convolution with a name. Its input is rounded to float16, its weight is kept in it, its
result comes in it and goes back to float32; a product between Q/DQ stays int8 inside and only its scales and
its result are float16.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from edge.runners.onnx_subset import read_model

FLOAT, HALF = 1, 10  # TensorProto.DataType
_INT = 2  # AttributeProto.AttributeType
_OPSET = 19  # the first in which scales may be float16
_KINDS = ("MatMul", "Conv")
_LARGEST, _SMALLEST = 65_504.0, 2.0**-24  # of float16


def half_layers(model: bytes) -> tuple[str, ...]:
    """Names of the layers that can be float16, in the order of the graph."""
    return tuple(node.name for node in read_model(model).graph.node if _fits(node))


def cast_half(model: bytes, layers: Collection[str]) -> bytes:
    """Put casts around layers.

    Args:
        model: ONNX file of opset 17 or newer, constants as raw data.
        layers: names; those that the graph lacks are of another graph of the voice.

    Returns:
        ONNX file; the same bytes if it holds none of the layers.

    Raises:
        ValueError: a weight is too large for float16.
    """
    parsed = read_model(model)
    writer = _Writer(parsed.graph)
    if not writer.cast(layers):
        return model
    for opset in parsed.opset_import:
        if not opset.domain:
            opset.version = max(opset.version, _OPSET)
    written: bytes = parsed.SerializeToString()
    return written


def _fits(node: Any) -> bool:
    return node.op_type in _KINDS and bool(node.name)


class _Writer:
    def __init__(self, graph: Any) -> None:
        self._graph = graph
        self._constants = {tensor.name: tensor for tensor in graph.initializer}
        self._producers = {name: node for node in graph.node for name in node.output}

    def cast(self, layers: Collection[str]) -> int:
        """Rewrite the layers; gives their number."""
        nodes = list(self._graph.node)
        del self._graph.node[:]
        done = 0
        for node in nodes:
            if node.name in layers and _fits(node):
                node.input[:] = [self._half(name, node.name) for name in node.input]
                (result,) = node.output
                node.output[:] = [f"{result}_half"]
                self._graph.node.append(node)
                self._add("Cast", [f"{result}_half"], result, FLOAT)
                done += 1
            else:
                self._graph.node.append(node)
        self._drop_unread()
        return done

    def _half(self, name: str, layer: str) -> str:
        """A tensor as float16: a constant, what is dequantized, or any other by a cast."""
        if name in self._constants:
            return self._half_constant(name)
        source = self._producers.get(name)
        half = f"{name}_half_of_{layer}"
        if source is not None and source.op_type == "DequantizeLinear":
            quantized, scale, *zero = source.input
            copy = self._graph.node.add()
            copy.CopyFrom(source)
            copy.name = half
            copy.input[:] = [quantized, self._half_constant(scale, is_scale=True), *zero]
            copy.output[:] = [half]
        else:
            self._add("Cast", [name], half, HALF)
        return half

    def _half_constant(self, name: str, is_scale: bool = False) -> str:
        """A constant as float16; a scale, of a channel without weights, stays above zero as TensorRT asks."""
        half = f"{name}_half"
        if half not in self._constants:
            values = np.frombuffer(self._constants[name].raw_data, "<f4")
            if np.abs(values).max(initial=0.0) > _LARGEST:
                raise ValueError(f"{name}: {np.abs(values).max():g} is too large for float16")
            tensor = self._graph.initializer.add(name=half, data_type=HALF)
            tensor.dims.extend(self._constants[name].dims)
            rounded = values.astype("<f2")
            if is_scale:
                rounded[rounded == 0] = _SMALLEST
            tensor.raw_data = rounded.tobytes()
            self._constants[half] = tensor
        return half

    def _add(self, kind: str, inputs: list[str], output: str, to: int) -> None:
        node = self._graph.node.add(op_type=kind, name=f"{output}_{kind.lower()}")
        node.input.extend(inputs)
        node.output.append(output)
        node.attribute.add(name="to", i=to, type=_INT)

    def _drop_unread(self) -> None:
        """Take out what only the float layers read."""
        read = {name for node in self._graph.node for name in node.input}
        read |= {value.name for value in self._graph.output}
        kept = [node for node in self._graph.node if any(name in read for name in node.output)]
        del self._graph.node[:]
        self._graph.node.extend(kept)
        read = {name for node in kept for name in node.input}
        tensors = [tensor for tensor in self._graph.initializer if tensor.name in read]
        del self._graph.initializer[:]
        self._graph.initializer.extend(tensors)
