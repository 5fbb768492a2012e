"""The second graph for ONNX Runtime: fewer operators, the same result to the bit."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from edge.bundle.bundle import DECODER_FILE, ENCODER_FILE, Bundle
from edge.errors import RunnerError
from edge.runners.base import ENCODER_INPUTS, ENCODER_OUTPUTS, EncoderInputs
from edge.runners.fused import OPERATOR, fuse_products
from edge.runners.ort import OnnxRuntimeRunner, session_options

TINY = Path(__file__).parents[2] / "data" / "tiny_voice"
WIDTH = 64


def run(model: bytes, feeds: dict[str, np.ndarray]) -> list[np.ndarray]:
    session = onnxruntime.InferenceSession(model, session_options(), providers=["CPUExecutionProvider"])
    outputs: list[np.ndarray] = session.run(None, feeds)
    return outputs


def kinds(model: bytes) -> Counter[str]:
    return Counter(node.op_type for node in onnx.load_model_from_string(model).graph.node)


def feeds(file: str, bundle: Bundle) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(3)
    if file == ENCODER_FILE:
        ids = [rng.integers(0, high, (1, 37)) for high in (732, 3, 2)]
        inputs = EncoderInputs(*ids, np.array([1]), np.array([1]), np.array([0.7], np.float32))
        return {name: np.asarray(value) for name, value in inputs.feeds().items()}
    hidden = rng.standard_normal((1, 90, _width(bundle)), dtype=np.float32)
    return {"hidden": hidden, "features": rng.random((1, 90, 6), dtype=np.float32)}


def _width(bundle: Bundle) -> int:
    graph = onnx.load_model_from_string(bundle.read(DECODER_FILE)).graph
    return int(graph.input[0].type.tensor_type.shape.dim[2].dim_value)


@pytest.mark.parametrize("file", [ENCODER_FILE, DECODER_FILE])
def test_a_voice_gives_the_same_to_the_bit(file: str) -> None:
    bundle = Bundle.load()
    model = bundle.read(file)
    fused = fuse_products(model, unsigned=True)
    before, after = kinds(model), kinds(fused)
    assert after["DequantizeLinear"] == 0 < after[OPERATOR]
    assert after[OPERATOR] + after["MatMul"] == before["MatMul"]
    assert after["Add"] < before["Add"]
    for old, new in zip(run(model, feeds(file, bundle)), run(fused, feeds(file, bundle)), strict=True):
        assert np.array_equal(old, new)


def test_signed_activations_give_the_same_as_unsigned_ones() -> None:
    bundle = Bundle.load()
    model = bundle.read(DECODER_FILE)
    given = feeds(DECODER_FILE, bundle)
    signed, unsigned = (run(fuse_products(model, unsigned=kind), given)[0] for kind in (False, True))
    assert np.abs(signed - unsigned).max() < 1e-4


def quantized(*extra: onnx.NodeProto, bias: bool = True, outputs: tuple[str, ...] = ("y",)) -> ModelProto:
    """y = x · W + b between Q/DQ, and whatever else reads its tensors."""
    rng = np.random.default_rng(1)
    constants = {
        "scale": np.array(0.02, np.float32),
        "zero": np.array(0, np.int8),
        "w": rng.integers(-127, 128, (WIDTH, WIDTH)).astype(np.int8),
        "w_scale": rng.random(WIDTH).astype(np.float32) * 0.01,
        "w_zero": np.zeros(WIDTH, np.int8),
        "b": rng.standard_normal(WIDTH).astype(np.float32),
        "again": rng.integers(-127, 128, (WIDTH, WIDTH)).astype(np.int8),
    }
    nodes = [
        helper.make_node("QuantizeLinear", ["x", "scale", "zero"], ["x_q"]),
        helper.make_node("DequantizeLinear", ["x_q", "scale", "zero"], ["x_d"]),
        helper.make_node("DequantizeLinear", ["w", "w_scale", "w_zero"], ["w_d"], axis=1),
        helper.make_node("MatMul", ["x_d", "w_d"], ["p" if bias else "y"]),
        *([helper.make_node("Add", ["p", "b"], ["y"])] if bias else []),
        *extra,
    ]
    shape = [1, 7, WIDTH]
    graph = helper.make_graph(
        nodes,
        "product",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, shape) for name in outputs],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.checker.check_model(model)
    return model


def _neg(tensor: str) -> onnx.NodeProto:
    return helper.make_node("Neg", [tensor], ["z"])


AGAIN = (
    helper.make_node("DequantizeLinear", ["again", "w_scale", "w_zero"], ["again_d"], axis=1),
    helper.make_node("MatMul", ["x_d", "again_d"], ["z"]),
)


@pytest.mark.parametrize(
    ("model", "fused", "left"),
    [
        (quantized(), 1, []),
        (quantized(bias=False), 1, []),
        (quantized(*AGAIN, outputs=("y", "z")), 2, []),
        (quantized(outputs=("y", "p")), 1, ["Add"]),
        (quantized(_neg("p"), outputs=("y", "z")), 1, ["Add", "Neg"]),
        (quantized(_neg("x_d"), outputs=("y", "z")), 1, ["DequantizeLinear", "Neg"]),
        (quantized(outputs=("y", "x_d")), 1, ["DequantizeLinear"]),
    ],
    ids=["bias", "no bias", "two products", "product read", "product negated", "x read", "x given out"],
)  # fmt: skip
def test_what_else_reads_a_tensor_still_finds_it(model: ModelProto, fused: int, left: list[str]) -> None:
    given = {"x": np.random.default_rng(2).standard_normal((1, 7, WIDTH), dtype=np.float32)}
    written = fuse_products(model.SerializeToString(), unsigned=True)
    found = kinds(written)
    assert found.pop("QuantizeLinear") == 1 and found.pop(OPERATOR) == fused
    assert sorted(found.elements()) == left
    for old, new in zip(run(model.SerializeToString(), given), run(written, given), strict=True):
        assert np.allclose(old, new, atol=1e-5)


@pytest.mark.parametrize(("value", "kept"), [(0, ""), (3, "w_zero")])
def test_a_weight_that_is_symmetric_needs_no_zero(value: int, kept: str) -> None:
    model = quantized()
    zero = next(tensor for tensor in model.graph.initializer if tensor.name == "w_zero")
    zero.CopyFrom(numpy_helper.from_array(np.full(WIDTH, value, np.int8), "w_zero"))
    given = {"x": np.random.default_rng(2).standard_normal((1, 7, WIDTH), dtype=np.float32)}
    written = fuse_products(model.SerializeToString(), unsigned=True)
    product = next(n for n in onnx.load_model_from_string(written).graph.node if n.op_type == OPERATOR)
    assert product.input[5] == kept
    for old, new in zip(run(model.SerializeToString(), given), run(written, given), strict=True):
        assert np.allclose(old, new, atol=1e-5)


def test_a_float_graph_stays_as_it_is() -> None:
    node = helper.make_node("MatMul", ["x", "x"], ["y"])
    square = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [2, 2]) for name in ("x", "y")]
    model = helper.make_model(helper.make_graph([node], "float", square[:1], square[1:])).SerializeToString()
    assert fuse_products(model, unsigned=True) == model


def test_what_is_no_graph_is_a_runner_error() -> None:
    whole = Bundle.load(TINY)
    broken = _Broken(whole.path, whole.manifest, whole.manifest_sha256, whole._store)
    with pytest.raises(RunnerError, match=r"refuses encoder\.onnx"):
        OnnxRuntimeRunner(broken, threads=1)


class _Broken(Bundle):
    def read(self, name: str) -> bytes:
        return super().read(name)[:-5000]


def test_names_are_those_of_the_contract() -> None:
    graph = onnx.load_model_from_string(fuse_products(Bundle.load().read(ENCODER_FILE), True)).graph
    assert {value.name for value in graph.input} == set(ENCODER_INPUTS)
    assert {value.name for value in graph.output} == set(ENCODER_OUTPUTS)
