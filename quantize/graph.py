"""Rewrites of an exported graph that change its speed and not its result."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import numpy as np
import onnx
from onnx import GraphProto, ModelProto, NodeProto, TensorProto, helper, numpy_helper


class Graph:
    """A model with look-ups that rewrites need; ``nodes`` is kept in topological order."""

    def __init__(self, model: ModelProto) -> None:
        self.model = model
        self.graph: GraphProto = model.graph
        self.constants: dict[str, TensorProto] = {tensor.name: tensor for tensor in model.graph.initializer}
        self.nodes: list[NodeProto] = list(model.graph.node)

    @classmethod
    def read(cls, path: Path) -> Graph:
        """Open a file."""
        return cls(onnx.load(path))

    @classmethod
    def copied(cls, model: ModelProto) -> Graph:
        """A copy of a model, to rewrite."""
        copy = ModelProto()
        copy.CopyFrom(model)
        return cls(copy)

    def array(self, name: str) -> np.ndarray:
        """Value of a constant."""
        return numpy_helper.to_array(self.constants[name])

    def set_constant(self, name: str, value: np.ndarray) -> str:
        """Add or replace a constant."""
        self.constants[name] = numpy_helper.from_array(value, name)
        return name

    def producer(self, tensor: str) -> NodeProto | None:
        """The node that computes a tensor; None for inputs and constants."""
        return next((node for node in self.nodes if tensor in node.output), None)

    def consumers(self, tensor: str) -> list[NodeProto]:
        """Nodes that read a tensor."""
        return [node for node in self.nodes if tensor in node.input]

    def insert_before(self, anchor: NodeProto, added: Iterable[NodeProto]) -> None:
        """Put nodes in front of another."""
        at = self._index(anchor)
        self.nodes[at:at] = list(added)

    def insert_after(self, anchor: NodeProto, added: Iterable[NodeProto]) -> None:
        """Put nodes behind another."""
        at = self._index(anchor) + 1
        self.nodes[at:at] = list(added)

    def _index(self, anchor: NodeProto) -> int:
        return next(index for index, node in enumerate(self.nodes) if node is anchor)

    def finish(self) -> ModelProto:
        """Write nodes and used constants back, and check the model.

        Raises:
            onnx.checker.ValidationError: a rewrite broke the graph.
        """
        used = {name for node in self.nodes for name in node.input}
        del self.graph.node[:], self.graph.initializer[:], self.graph.value_info[:]
        self.graph.node.extend(self.nodes)
        self.graph.initializer.extend(tensor for name, tensor in self.constants.items() if name in used)
        onnx.checker.check_model(self.model)
        return self.model


def resolve_identities(graph: Graph) -> None:
    """Make constants of Constant and Identity nodes and let readers of an Identity read its source."""
    for node in list(graph.nodes):
        if node.op_type == "Constant" and node.attribute[0].name == "value":
            tensor = node.attribute[0].t
            graph.set_constant(node.output[0], numpy_helper.to_array(tensor))
        elif node.op_type == "Identity":
            _rename(graph, node.output[0], node.input[0])
        else:
            continue
        graph.nodes.remove(node)


def _rename(graph: Graph, old: str, new: str) -> None:
    for node in graph.nodes:
        for index, name in enumerate(node.input):
            if name == old:
                node.input[index] = new


def lift_convolutions(graph: Graph) -> int:
    """Turn depthwise convolutions over time into two-dimensional ones of height 1.

    ONNX Runtime has a blocked depthwise kernel for two dimensions only: with its transposes a convolution of
    112 frames takes 23 µs instead of 65 µs. TensorRT and OpenVINO take either form.

    Returns:
        How many were rewritten.
    """
    convolutions = [n for n in graph.nodes if n.op_type == "Conv" and graph.array(n.input[1]).ndim == 3]
    axis = graph.set_constant("lift_axis", np.array([1], np.int64)) if convolutions else ""
    for node in convolutions:
        before, after = graph.producer(node.input[0]), graph.consumers(node.output[0])[0]
        if before is None or before.op_type != "Transpose" or after.op_type != "Transpose":
            raise ValueError(
                f"{node.name} does not stand between two transposes; the student's blocks changed"
            )
        graph.set_constant(node.input[1], graph.array(node.input[1])[:, :, None, :])
        _lift_attributes(node)
        before.attribute[0].ints[:] = [0, 3, 1, 2]  # (1, 1, T, D) to (1, D, 1, T)
        after.attribute[0].ints[:] = [0, 2, 3, 1]
        lifted, lowered = f"{node.name}_lifted", f"{node.name}_result"
        graph.insert_before(before, [helper.make_node("Unsqueeze", [before.input[0], axis], [lifted])])
        graph.insert_after(after, [helper.make_node("Squeeze", [lowered, axis], [after.output[0]])])
        before.input[0], after.output[0] = lifted, lowered
    return len(convolutions)


def _lift_attributes(node: NodeProto) -> None:
    for attribute in node.attribute:
        values = list(attribute.ints)
        if attribute.name == "kernel_shape" or attribute.name in ("strides", "dilations"):
            attribute.ints[:] = [1, *values]
        elif attribute.name == "pads":
            attribute.ints[:] = [0, values[0], 0, values[1]]
