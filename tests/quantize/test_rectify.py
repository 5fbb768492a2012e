"""Rounding stands in for ReLU: the same function, finer steps, and a way back."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from edge.distance import snr_db
from quantize.network import open_session
from quantize.qdq import dequantize, insert

RNG = np.random.default_rng(2)
X = RNG.standard_normal((1, 40, 64), dtype=np.float32)


def perceptron(shared: bool = False) -> ModelProto:
    """Product, bias, ReLU, product, bias; ``shared``: something else reads the ReLU too."""
    constants = {
        "w1": RNG.standard_normal((64, 128), dtype=np.float32) / 8,
        "b1": RNG.standard_normal(128, dtype=np.float32),
        "w2": RNG.standard_normal((128, 64), dtype=np.float32) / 11,
        "b2": RNG.standard_normal(64, dtype=np.float32),
    }
    nodes = [
        helper.make_node("MatMul", ["x", "w1"], ["m1"], name="expand"),
        helper.make_node("Add", ["b1", "m1"], ["a1"]),
        helper.make_node("Relu", ["a1"], ["r"]),
        helper.make_node("MatMul", ["r", "w2"], ["m2"], name="project"),
        helper.make_node("Add", ["m2", "b2"], ["y"]),
    ]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1, None, 64])]
    if shared:
        nodes.append(helper.make_node("Neg", ["r"], ["z"]))
        outputs.append(helper.make_tensor_value_info("z", TensorProto.FLOAT, [1, None, 128]))
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, None, 64])]
    tensors = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    graph = helper.make_graph(nodes, "perceptron", inputs, outputs, tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def run(model: ModelProto) -> np.ndarray:
    y: np.ndarray = open_session(model).run(["y"], {"x": X})[0]
    return y


def operators(model: ModelProto) -> list[str]:
    return [node.op_type for node in model.graph.node]


def test_relu_goes_away_and_the_function_stays() -> None:
    model = perceptron()
    quantized = insert(model, {"r": 6.0}, ["project"])
    assert "Relu" not in operators(quantized)
    assert snr_db(run(model), run(quantized)) > 38.0


def test_steps_are_half_as_large_as_without() -> None:
    model = perceptron()
    largest = 6.0
    shifted = insert(model, {"r": largest}, ["project"])
    plain = insert(perceptron(shared=True), {"r": largest}, ["project"])
    steps = [
        float(numpy_helper.to_array(next(t for t in m.graph.initializer if t.name == "r_scale")))
        for m in (shifted, plain)
    ]
    assert steps == pytest.approx([largest / 255, largest / 127])


def test_a_relu_that_others_read_stays() -> None:
    quantized = insert(perceptron(shared=True), {"r": 6.0}, ["project"])
    assert "Relu" in operators(quantized)


def test_a_float_product_keeps_its_relu() -> None:
    assert "Relu" in operators(insert(perceptron(), {"x": 4.0}, ["expand"]))


def test_the_way_back_to_float_brings_the_relu_back() -> None:
    model = perceptron()
    restored = dequantize(insert(model, {"x": 4.0, "r": 6.0}, ["expand", "project"]))
    assert "Max" in operators(restored)
    assert snr_db(run(model), run(restored)) > 38.0


def test_every_block_of_the_student_is_rectified(float_networks: Path) -> None:
    from quantize.qdq import products

    decoder = onnx.load(float_networks / "decoder.onnx")
    names = [node.name for node in products(decoder) if "project" in node.name]
    quantized = insert(decoder, {node.input[0]: 3.0 for node in products(decoder)}, names)
    assert operators(decoder).count("Relu") == len(names) > 0
    assert "Relu" not in operators(quantized)
