"""Float16 around chosen layers: the graph stays valid, says nearly the same, and TensorRT builds it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, numpy_helper

from edge.bundle.bundle import Bundle
from edge.runners.engines import FILES, buckets
from edge.runners.vendor import Gpu, load_tensorrt
from quantize.build import BuildOptions, EngineBuilder
from quantize.half import cast_half, half_layers
from quantize.lines import Line
from quantize.network import keep_casts, open_session
from quantize.placement import choose_half, jobs, quantize, with_half
from quantize.sensitivity import measure, table
from tests.conftest import BUILTIN_VOICE, TINY_VOICE

pytestmark = pytest.mark.slow

VOICES = [TINY_VOICE, pytest.param(BUILTIN_VOICE, marks=pytest.mark.voice)]


def feeds(session: object, length: int) -> dict[str, np.ndarray]:
    generator, made = np.random.default_rng(7), {}
    for tensor in session.get_inputs():  # type: ignore[attr-defined]
        shape = [size if isinstance(size, int) else length for size in tensor.shape]
        is_id = "int64" in tensor.type
        made[tensor.name] = (
            generator.integers(0, 2, shape)
            if is_id
            else (generator.standard_normal(shape) * 0.5).astype(np.float32)
        )
    return made


def types(content: bytes) -> dict[str, int]:
    model = onnx.shape_inference.infer_shapes(onnx.load_from_string(content), strict_mode=True)
    return {value.name: value.type.tensor_type.elem_type for value in model.graph.value_info}


@pytest.mark.parametrize("voice", VOICES, ids=lambda path: path.name)
@pytest.mark.parametrize("graph", FILES)
def test_every_layer_can_be_half(voice: Path, graph: str) -> None:
    content = Bundle.load(voice).read(graph)
    layers = half_layers(content)
    cast = cast_half(content, layers)
    onnx.checker.check_model(onnx.load_from_string(cast), full_check=True)
    before, after = open_session(onnx.load_from_string(content)), open_session(onnx.load_from_string(cast))
    assert [(one.name, one.type) for one in before.get_outputs()] == [
        (one.name, one.type) for one in after.get_outputs()
    ]
    values = feeds(before, 30)
    for ours, theirs in zip(before.run(None, values), after.run(None, values), strict=True):
        assert 10 * np.log10((ours**2).sum() / ((ours - theirs) ** 2).sum()) > 25
    found = types(cast)
    for node in onnx.load_from_string(cast).graph.node:
        if node.name in layers:
            assert found[node.output[0]] == TensorProto.FLOAT16


@pytest.mark.parametrize("graph", FILES)
def test_scales_stay_above_zero(graph: str) -> None:
    """A column without weights has a scale that float16 rounds to zero, which TensorRT refuses."""
    content = Bundle.load(BUILTIN_VOICE).read(graph)
    model = onnx.load_from_string(cast_half(content, half_layers(content))).graph
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.initializer}
    scales = [constants[node.input[1]] for node in model.node if node.op_type == "DequantizeLinear"]
    assert scales and all((scale > 0).all() for scale in scales)


def test_int8_stays_int8_inside() -> None:
    content = Bundle.load(BUILTIN_VOICE).read("decoder.onnx")
    (name, *_) = [one for one in half_layers(content) if "expand" in one]
    model = onnx.load_from_string(cast_half(content, [name]))
    node = next(node for node in model.graph.node if node.name == name)
    producers = {output: node for node in model.graph.node for output in node.output}
    constants = {tensor.name: numpy_helper.to_array(tensor) for tensor in model.graph.initializer}
    for source in (producers[read] for read in node.input):
        assert source.op_type == "DequantizeLinear"
        assert constants[source.input[1]].dtype == np.float16
    assert constants[producers[node.input[1]].input[0]].dtype == np.int8
    plain = onnx.load_from_string(content)
    assert len(model.graph.node) == len(plain.graph.node) + 1, "one cast, and what is unread is gone"


def test_what_is_measured_rounds(float_networks: Path) -> None:
    """A layer with a weight of ones and an input just above one: float16 does not know the difference."""
    model = onnx.load(float_networks / "decoder.onnx")
    layer = next(node for node in model.graph.node if node.op_type == "MatMul")
    tensor = next(one for one in model.graph.initializer if one.name == layer.input[1])
    tensor.CopyFrom(numpy_helper.from_array(np.ones_like(numpy_helper.to_array(tensor)), tensor.name))
    session = open_session(model)
    fine = {
        one.name: np.full([size if isinstance(size, int) else 5 for size in one.shape], 1 + 1e-4, np.float32)
        for one in session.get_inputs()
    }
    coarse = {name: values.astype(np.float16).astype(np.float32) for name, values in fine.items()}
    cast = keep_casts(onnx.load_from_string(cast_half(model.SerializeToString(), [layer.name])))
    rounded = {**fine, layer.input[0]: coarse[layer.input[0]]}
    assert np.allclose(open_session(cast).run(None, fine)[0], session.run(None, rounded)[0], atol=1e-3)
    assert not np.array_equal(open_session(cast).run(None, fine)[0], session.run(None, fine)[0])


def test_nothing_chosen_changes_no_byte() -> None:
    content = Bundle.load(TINY_VOICE).read("decoder.onnx")
    assert cast_half(content, ()) == content == cast_half(content, ["/encoder/of/another/graph"])


def test_a_weight_that_float16_cannot_hold_is_refused() -> None:
    model = onnx.load_from_string(Bundle.load(TINY_VOICE).read("decoder.onnx"))
    layer = next(node for node in model.graph.node if node.op_type == "MatMul")
    tensor = next(one for one in model.graph.initializer if one.name == layer.input[1])
    values = numpy_helper.to_array(tensor).copy()
    values[0, 0] = 1e5
    tensor.CopyFrom(numpy_helper.from_array(values, tensor.name))
    with pytest.raises(ValueError, match="100000 is too large for float16"):
        cast_half(model.SerializeToString(), [layer.name])


def test_the_placement_names_half_layers_within_the_budget(
    float_networks: Path, lines: list[Line], tmp_path: Path
) -> None:
    placements = quantize(float_networks, lines, tmp_path, half=True)
    for file, (harm, _) in jobs(float_networks, lines).items():
        content = (tmp_path / file).read_bytes()
        half = placements[file].half
        assert half and set(half) <= set(half_layers(content))
        assert with_half(content, half, harm) <= 1.0
        assert b"_half" not in content, "the graph that the processor runs stays as it was"
        assert choose_half(onnx.load_from_string(content), harm, 0.0) == ()


def test_layers_are_measured_one_at_a_time(float_networks: Path, lines: list[Line]) -> None:
    found = measure(float_networks, lines[:3], rounds=3)
    for file, layers in found.items():
        assert [one.name for one in layers] == list(half_layers((float_networks / file).read_bytes()))
        products = [one for one in layers if one.int8_harm is not None]
        assert products and all(one.operations and one.int8_saves_us is not None for one in products)
        assert all(1e-12 < one.half_harm < 0.1 for one in layers)
        assert max(one.int8_harm or 0 for one in products) > max(one.half_harm for one in products)
    assert "int8 harm" in table(found)


@pytest.mark.tensorrt
def test_engines_have_the_layers_that_the_voice_names(tmp_path: Path) -> None:
    library, bundle = load_tensorrt(), Bundle.load(BUILTIN_VOICE)
    quantization = bundle.manifest.quantization.model_copy(
        update={"half_layers": ("/decoder/blocks.0/expand/MatMul",)}
    )
    bundle = replace(bundle, manifest=bundle.manifest.model_copy(update={"quantization": quantization}))
    keys = {
        half: EngineBuilder(library, Gpu("", 89), tmp_path, BuildOptions(half=half)).key(bundle)
        for half in ("none", "voice", "all")
    }
    assert len({key.digest for key in keys.values()}) == 3
    assert keys["voice"].flags["half"] == ["/decoder/blocks.0/expand/MatMul"]
    builder = EngineBuilder(library, Gpu("", 89), tmp_path, BuildOptions(half="all"))
    content = bundle.read("decoder.onnx")
    lengths = buckets(bundle.manifest)["decoder.onnx"][:1]
    plan = builder.plan(cast_half(content, half_layers(content)), lengths, "decoder")
    assert plan[:4] == b"vtrt"
    built = builder.build(Bundle.load(TINY_VOICE))
    assert len(built.key.flags["half"]) > 10
