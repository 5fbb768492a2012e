"""The graph of Kokoro-82M, cut in three, so that what it predicts can be read and changed on the way.

Unchanged values give the samples of the whole graph, bit by bit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .base import TeacherError

if TYPE_CHECKING:
    import onnx

TOKENS, STYLE, SPEED, AUDIO = "tokens", "style", "speed", "audio"
UNROUNDED = "/encoder/Div_output_0"  # frames of 25 ms of each token
DURATIONS = "/encoder/Gather_output_0"  # int64, the same in whole frames
SPREAD_TEXT = "/encoder/predictor/text_encoder/Concat_4_output_0"
TEXT = "/encoder/text_encoder/Transpose_2_output_0"
F0 = "/encoder/Reshape_output_0"  # Hz, every 12.5 ms
ENERGY = "/encoder/Reshape_1_output_0"  # likewise
ALIGNED_TEXT = "/encoder/MatMul_1_output_0"


@dataclass(frozen=True)
class Part:
    """A piece of the graph between two sets of tensors."""

    name: str
    inputs: tuple[str, ...]
    outputs: tuple[str, ...]


PARTS = (
    Part("durations", (TOKENS, STYLE, SPEED), (DURATIONS, SPREAD_TEXT, TEXT)),
    Part("prosody", (DURATIONS, SPREAD_TEXT, TEXT, STYLE), (F0, ENERGY, ALIGNED_TEXT)),
    Part("sound", (ALIGNED_TEXT, F0, ENERGY, STYLE), (AUDIO,)),
)
_INTEGERS = (TOKENS, DURATIONS)


def cut(model: onnx.ModelProto, part: Part) -> onnx.ModelProto:
    """Take a part out of the graph.

    Raises:
        TeacherError: the graph is not one of Kokoro-82M v1.0, or needs more than the part is given.
    """
    from onnx import helper

    nodes = _between(model.graph.node, part)
    made = {name for node in nodes for name in node.output}
    used = {name for node in nodes for name in node.input if name}
    weights = [tensor for tensor in model.graph.initializer if tensor.name in used]
    missing = used - made - {tensor.name for tensor in weights} - set(part.inputs)
    missing |= set(part.outputs) - made
    if missing:
        raise TeacherError(
            f"the graph lacks {sorted(missing)[0]}, which Kokoro-82M v1.0 has; assemble the model again "
            "with: sovits-distill kokoro FOLDER"
        )
    graph = helper.make_graph(
        nodes,
        part.name,
        [_value(name) for name in part.inputs if name in used],
        [_value(name) for name in part.outputs],
        weights,
    )
    return helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)


def with_output(model: bytes, name: str) -> bytes:
    """Let a part of the graph give one of its inner tensors besides."""
    import onnx

    part = onnx.load_model_from_string(model)
    part.graph.output.append(_value(name))
    return part.SerializeToString()


def _between(nodes: Sequence[onnx.NodeProto], part: Part) -> list[onnx.NodeProto]:
    """Give the nodes that lead to the outputs, back to the inputs."""
    needed, kept = set(part.outputs), []
    for node in reversed(nodes):
        if any(name in needed and name not in part.inputs for name in node.output):
            kept.append(node)
            needed.update(name for name in node.input if name)
    return kept[::-1]


def _value(name: str) -> onnx.ValueInfoProto:
    from onnx import TensorProto, helper

    kind = TensorProto.INT64 if name in _INTEGERS else TensorProto.FLOAT
    return helper.make_tensor_value_info(name, kind, None)
