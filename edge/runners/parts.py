"""Graphs for ONNX Runtime in parts: what need not be done for every phrase, or not at all.

The encoder turns character, emotion and strength into biases first, which are the same for all lines that are
said like that; the decoder joins its outputs in the end, which reads and writes all of them once more. Both
are cut off when a graph is loaded; what is computed stays the same to the bit. What is gained:
docs/engine.md.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, NamedTuple

from .onnx_subset import read_model

FRAME_PARTS = ("harmonic", "noise", "gains")
"""Outputs of a decoder that does not join them, in the order of ``Frames``."""
_FLOAT = 1  # TensorProto.DataType


class Conditioned(NamedTuple):
    """A graph in two."""

    condition: bytes
    """ONNX file of all that depends on the condition alone."""
    rest: bytes
    """ONNX file of the rest; takes the outputs of the other as further inputs."""
    between: tuple[str, ...]
    """Names of those."""


def part_condition(model: bytes, condition: Collection[str]) -> Conditioned | None:
    """Cut a graph behind all that depends on some of its inputs alone.

    Args:
        model: ONNX file.
        condition: names of those inputs.

    Returns:
        Both parts; None where nothing depends on them alone. What goes between is float32.
    """
    known, first, second = set(condition), [], []
    parsed, rest = read_model(model), read_model(model)
    constants = {tensor.name for tensor in parsed.graph.initializer}
    for node in parsed.graph.node:
        computed = [name for name in node.input if name and name not in constants]
        if computed and known.issuperset(computed):
            known.update(node.output)
            first.append(node)
        else:
            second.append(node)
    wanted = {name for node in second for name in node.input}
    between = tuple(name for node in first for name in node.output if name in wanted)
    if not between:
        return None
    _keep(rest.graph, second)
    _replace(rest.graph.input, [value for value in rest.graph.input if value.name not in condition])
    for name in between:
        rest.graph.input.add(name=name).type.tensor.elem_type = _FLOAT
    _keep(parsed.graph, first)
    _replace(parsed.graph.input, [value for value in parsed.graph.input if value.name in condition])
    del parsed.graph.output[:]
    for name in between:
        parsed.graph.output.add(name=name)
    return Conditioned(parsed.SerializeToString(), rest.SerializeToString(), between)


def part_frames(model: bytes) -> bytes:
    """Let a decoder give the parts of its frames instead of joining them.

    Args:
        model: ONNX file with one output.

    Returns:
        ONNX file with the outputs ``FRAME_PARTS``; the same bytes if its output is not three joined parts.
    """
    parsed = read_model(model)
    graph = parsed.graph
    join = next((node for node in graph.node if graph.output[0].name in node.output), None)
    if join is None or join.op_type != "Concat" or len(join.input) != len(FRAME_PARTS):
        return model
    names = dict(zip(join.input, FRAME_PARTS, strict=True))
    _replace(graph.node, [node for node in graph.node if node is not join])
    for node in graph.node:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]
    del graph.output[:]
    for name in FRAME_PARTS:
        graph.output.add(name=name)
    written: bytes = parsed.SerializeToString()
    return written


def _keep(graph: Any, nodes: list[Any]) -> None:
    """Leave these nodes and the constants that they read."""
    _replace(graph.node, nodes)
    used = {name for node in graph.node for name in node.input}
    _replace(graph.initializer, [tensor for tensor in graph.initializer if tensor.name in used])


def _replace(field: Any, kept: list[Any]) -> None:
    copies = [type(each).FromString(each.SerializeToString()) for each in kept]
    del field[:]
    field.extend(copies)
