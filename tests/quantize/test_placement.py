"""Placement: harmless layers become int8, harmful ones stay float, and the budget is kept."""

from __future__ import annotations

from pathlib import Path

import onnx
import pytest
from onnx import numpy_helper

from quantize.export import export
from quantize.lines import Line
from quantize.network import FolderRunner, expand
from quantize.placement import decoder_harm, encoder_harm, place, quantize, ranges
from tests.data.make_tiny_bundle import write_checkpoint

pytestmark = pytest.mark.slow

OUTLIER = "/encoder/text.1/expand/MatMul"


def test_both_graphs_keep_the_budget(float_networks: Path, lines: list[Line], tmp_path: Path) -> None:
    placements = quantize(float_networks, lines, tmp_path)
    for file, placement in placements.items():
        assert placement.harm <= 1.0
        assert any(layer.int8 for layer in placement.layers)
        n_quantized = sum(node.op_type == "MatMul" and "_dequantized" in node.input[1]
                          for node in onnx.load(tmp_path / file).graph.node)  # fmt: skip
        assert n_quantized == sum(layer.int8 for layer in placement.layers)


def test_no_budget_keeps_everything_float(float_networks: Path, lines: list[Line], tmp_path: Path) -> None:
    for placement in quantize(float_networks, lines, tmp_path, budget=0.0).values():
        assert len(placement.float_layers()) == len(placement.layers) > 0


def test_the_product_for_character_and_emotion_is_no_candidate(
    float_networks: Path, lines: list[Line], tmp_path: Path
) -> None:
    layers = quantize(float_networks, lines, tmp_path)["encoder.onnx"].layers
    assert layers
    assert not any("condition" in layer.name for layer in layers)


def with_an_outlier(model: onnx.ModelProto) -> onnx.ModelProto:
    """The same encoder, but one channel takes the whole range of a product and the rest rounds to zero."""
    gain = next(t for t in model.graph.initializer if t.name.endswith("text.1.norm.weight"))
    values = numpy_helper.to_array(gain).copy()
    values[5] = 3000.0
    gain.CopyFrom(numpy_helper.from_array(values, gain.name))
    weight = next(node.input[1] for node in model.graph.node if node.name == OUTLIER)
    tensor = next(t for t in model.graph.initializer if t.name == weight)
    matrix = numpy_helper.to_array(tensor).copy()
    matrix[5] /= 3000.0
    tensor.CopyFrom(numpy_helper.from_array(matrix, tensor.name))
    return model


def test_a_layer_with_an_outlier_becomes_int8_all_the_same(
    float_networks: Path, lines: list[Line], tmp_path: Path
) -> None:
    spoiled = with_an_outlier(onnx.load(float_networks / "encoder.onnx"))
    onnx.save(spoiled, tmp_path / "encoder.onnx")
    onnx.save(onnx.load(float_networks / "decoder.onnx"), tmp_path / "decoder.onnx")
    runner = FolderRunner(tmp_path)
    harm = encoder_harm(lines, [runner.encode(line.inputs) for line in lines])
    feeds = [line.inputs.feeds() for line in lines]
    plain = ranges(spoiled, feeds, harm)
    assert plain is not None and harm(plain.quantized([OUTLIER])) > 1.0
    placement, _ = place(spoiled, feeds, harm, budget=1.0)
    assert next(layer for layer in placement.layers if layer.name == OUTLIER).harm < 0.1
    assert placement.float_layers() == ()


def test_what_does_most_harm_for_its_size_stays_float(
    float_networks: Path, lines: list[Line], tmp_path: Path
) -> None:
    whole = quantize(float_networks, lines, tmp_path / "whole")["decoder.onnx"]
    placement = quantize(float_networks, lines, tmp_path / "half", whole.harm / 2)["decoder.onnx"]
    assert placement.harm <= whole.harm / 2
    left = set(placement.float_layers())
    by_harm = sorted(placement.layers, key=lambda layer: layer.harm / layer.operations)
    assert left and {layer.name for layer in by_harm[-len(left) :]} == left


def test_the_float_graph_does_itself_no_harm(float_networks: Path, lines: list[Line]) -> None:
    runner = FolderRunner(float_networks)
    spoken = [runner.encode(line.inputs) for line in lines]
    phrases = [expand(line, said, said.hidden) for line, said in zip(lines, spoken, strict=True)]
    harms = {
        "encoder.onnx": encoder_harm(lines, spoken),
        "decoder.onnx": decoder_harm(phrases, runner),
    }
    for file, harm in harms.items():
        assert harm(onnx.load(float_networks / file)) == pytest.approx(0, abs=1e-9)


def test_a_student_too_narrow_for_int8_stays_as_it_is(lines: list[Line], tmp_path: Path) -> None:
    write_checkpoint(tmp_path / "student")  # the tiniest, with 8 and 12 channels
    export(tmp_path / "student", tmp_path / "float")
    placements = quantize(tmp_path / "float", lines, tmp_path / "int8")
    for file, placement in placements.items():
        assert placement.layers == () and placement.harm == 0.0
        assert onnx.load(tmp_path / "int8" / file) == onnx.load(tmp_path / "float" / file)
