"""Q/DQ insertion: right scales, integer kernels, small error, and the way back to float."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import ModelProto, numpy_helper

from edge.bundle.bundle import BUILTIN_VOICE
from edge.distance import snr_db
from quantize.calibrate import record
from quantize.compare import kernels, unfused
from quantize.network import open_session
from quantize.qdq import dequantize, insert, products, quantize_weight

RNG = np.random.default_rng(11)
FEEDS = {
    "hidden": RNG.standard_normal((1, 70, 64), dtype=np.float32),
    "features": RNG.standard_normal((1, 70, 6), dtype=np.float32),
}


@pytest.fixture(scope="module")
def decoder(float_networks: Path) -> ModelProto:
    return onnx.load(float_networks / "decoder.onnx")


@pytest.fixture(scope="module")
def limits(decoder: ModelProto) -> dict[str, float]:
    tensors = [node.input[0] for node in products(decoder)]
    return {name: histogram.limit("max") for name, histogram in record(decoder, tensors, [FEEDS]).items()}


def names(decoder: ModelProto) -> list[str]:
    return [node.name for node in products(decoder) if "blocks" in node.name]


def run(model: ModelProto) -> np.ndarray:
    frames: np.ndarray = open_session(model).run(None, FEEDS)[0]
    return frames


@pytest.mark.parametrize("bits", [7, 8])
def test_weights_keep_each_channel_within_half_a_step(bits: int) -> None:
    weight = RNG.standard_normal((50, 30)).astype(np.float32) * np.geomspace(0.01, 10, 30, dtype=np.float32)
    values, scale = quantize_weight(weight, bits)
    assert values.dtype == np.int8
    assert values.min() >= 1 - 2 ** (bits - 1)  # symmetric: TensorRT and x86 have no use for -128
    assert (np.abs(values * scale - weight) <= scale * 0.5001).all()


def test_no_pair_of_products_saturates_in_16_bits(decoder: ModelProto, limits: dict[str, float]) -> None:
    quantized = insert(decoder, limits, names(decoder))
    constants = map(numpy_helper.to_array, quantized.graph.initializer)
    weights = [array for array in constants if array.dtype == np.int8 and array.ndim == 2]
    assert weights
    for values in weights:
        pairs = np.abs(values.astype(int))
        assert 255 * 2 * pairs.max() <= np.iinfo(np.int16).max


@pytest.mark.parametrize("file", ["encoder.onnx", "decoder.onnx"])
def test_the_built_in_voice_saturates_nowhere(file: str) -> None:
    graph = onnx.load(BUILTIN_VOICE / file).graph
    weights = [numpy_helper.to_array(one) for one in graph.initializer if one.name.endswith("_quantized")]
    assert len(weights) > 10
    assert max(int(np.abs(values.astype(int)).max()) for values in weights) <= 63


def test_a_channel_of_zeros_stays_zero() -> None:
    values, scale = quantize_weight(np.zeros((4, 2), np.float32))
    assert not values.any()
    assert (scale > 0).all()


def test_int8_is_close_to_float(decoder: ModelProto, limits: dict[str, float]) -> None:
    quantized = insert(decoder, limits, names(decoder))
    assert snr_db(run(decoder), run(quantized)) > 30.0


def test_every_quantized_product_runs_as_an_integer_kernel(
    decoder: ModelProto, limits: dict[str, float], tmp_path: Path
) -> None:
    chosen = names(decoder)
    onnx.save(insert(decoder, limits, chosen), tmp_path / "int8.onnx")
    assert unfused(tmp_path / "int8.onnx") == 0
    found = kernels(tmp_path / "int8.onnx")
    assert found["MatMulIntegerToFloat"] == len(chosen)
    assert "DequantizeLinear" not in found


def test_it_is_explicit_symmetric_and_per_channel(decoder: ModelProto, limits: dict[str, float]) -> None:
    quantized = insert(decoder, limits, names(decoder))
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in quantized.graph.initializer}
    for node in quantized.graph.node:
        if node.op_type in ("QuantizeLinear", "DequantizeLinear"):
            assert constants[node.input[2]].dtype == np.int8
            assert not constants[node.input[2]].any()
            if node.input[0] in constants:
                assert node.attribute[0].i == 1
                assert constants[node.input[1]].shape == constants[node.input[0]].shape[1:]


def test_what_two_products_share_is_quantized_once(float_networks: Path) -> None:
    encoder = onnx.load(float_networks / "encoder.onnx")
    chosen = products(encoder)
    shared = [name for name, n in Counter(node.input[0] for node in chosen).items() if n > 1]
    quantized = insert(encoder, {node.input[0]: 1.0 for node in chosen}, [node.name for node in chosen])
    pairs = Counter(n.input[0] for n in quantized.graph.node if n.op_type == "QuantizeLinear")
    assert max(pairs.values()) == 1
    assert all(pairs[name] == 1 for name in shared)


def test_the_float_graph_is_not_touched(decoder: ModelProto, limits: dict[str, float]) -> None:
    before = decoder.SerializeToString()
    insert(decoder, limits, names(decoder))
    assert decoder.SerializeToString() == before


def test_no_layers_means_the_same_graph(decoder: ModelProto, limits: dict[str, float]) -> None:
    assert np.array_equal(run(insert(decoder, limits, [])), run(decoder))


def test_weights_shrink_to_a_quarter(decoder: ModelProto, limits: dict[str, float]) -> None:
    def weight_bytes(model: ModelProto) -> int:
        return sum(numpy_helper.to_array(t).nbytes for t in model.graph.initializer if "MatMul" in t.name)

    quantized = insert(decoder, limits, names(decoder))
    assert weight_bytes(quantized) < 0.45 * weight_bytes(decoder)


def test_dequantizing_gives_a_float_graph_near_the_original(
    decoder: ModelProto, limits: dict[str, float]
) -> None:
    restored = dequantize(insert(decoder, limits, names(decoder)))
    operators = {node.op_type for node in restored.graph.node}
    assert not {"QuantizeLinear", "DequantizeLinear"} & operators
    assert snr_db(run(decoder), run(restored)) > 40.0
