"""Channels made alike: the float graph says the same, and int8 loses less."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import ModelProto, TensorProto, helper, numpy_helper

from edge.distance import snr_db
from quantize.calibrate import record
from quantize.equalize import channel_peaks, smooth, split
from quantize.export import export
from quantize.network import open_session, with_outputs
from quantize.qdq import insert, products

RNG = np.random.default_rng(5)
STUDENT = Path(__file__).parents[2] / "distill" / "students" / "builtin"
WIDTH, INNER, OUTER = 64, 70, 66
LARGE = 40.0
FEEDS = [{"x": RNG.standard_normal((1, n, WIDTH), dtype=np.float32)} for n in (50, 80)]
"""What a student's last layers look like: a normalisation, an affine layer, and products of its parts."""


def layers(reader: str = "") -> ModelProto:
    """Normalisation, affine layer, two parts with a product each; something else may read the first part."""
    gains, columns = np.geomspace(0.05, 3.0, WIDTH), np.ones(INNER + OUTER)
    columns[0] = LARGE  # the level of an envelope beside its shape
    constants = {
        "gain": gains,
        "offset": np.linspace(-0.1, 0.1, WIDTH),
        "weight": RNG.standard_normal((WIDTH, INNER + OUTER))
        / 8.0
        * columns
        / gains[:, None],  # each matters alike
        "bias": RNG.standard_normal(INNER + OUTER),
        "first": RNG.standard_normal((INNER, 90)),
        "second": RNG.standard_normal((OUTER, 90)),
    }
    tensors = [numpy_helper.from_array(value.astype(np.float32), name) for name, value in constants.items()]
    tensors.append(numpy_helper.from_array(np.array([INNER, OUTER]), "sizes"))
    nodes = [
        helper.make_node("LayerNormalization", ["x", "gain", "offset"], ["normal"]),
        helper.make_node("MatMul", ["normal", "weight"], ["product"], name="affine"),
        helper.make_node("Add", ["product", "bias"], ["sum"]),
        helper.make_node("Split", ["sum", "sizes"], ["a", "b"], axis=-1),
        helper.make_node("MatMul", ["a", "first"], ["y"], name="first"),
        helper.make_node("MatMul", ["b", "second"], ["z"], name="second"),
    ]
    outputs = ["y", "z"]
    if reader:
        nodes.append(helper.make_node("Neg", [reader], ["more"]))
        outputs.append("more")
    info = [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1, "T", WIDTH])]
    found = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, "T", None]) for name in outputs]
    graph = helper.make_graph(nodes, "layers", info, found, tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def run(model: ModelProto, *outputs: str) -> np.ndarray:
    session = open_session(with_outputs(model, outputs))
    return np.concatenate([session.run(list(outputs), feeds)[0][0] for feeds in FEEDS])


def quantized(model: ModelProto, *names: str) -> ModelProto:
    tensors = [node.input[0] for node in products(model)]
    limits = {name: found.limit("max") for name, found in record(model, tensors, FEEDS).items()}
    return insert(model, limits, names)


def spread(peaks: np.ndarray) -> float:
    return float(peaks.max() / np.median(peaks))


def test_smoothing_changes_sizes_and_no_result() -> None:
    model = layers()
    before = channel_peaks(model, FEEDS)
    equal = smooth(model, before)
    assert spread(channel_peaks(equal, FEEDS)["normal"]) < 0.7 * spread(before["normal"])
    for name in ("y", "z"):
        assert snr_db(run(model, name), run(equal, name)) > 110


def test_smoothing_makes_int8_better() -> None:
    model = layers()
    equal = smooth(model, channel_peaks(model, FEEDS))
    plain, better = (snr_db(run(model, "z"), run(quantized(one, "affine"), "z")) for one in (model, equal))
    assert better > plain + 2.0


def test_splitting_changes_widths_and_no_result() -> None:
    model = layers()
    peaks = channel_peaks(model, FEEDS)
    wide = split(model, "first", peaks)
    assert wide is not None
    found = channel_peaks(wide, FEEDS)
    assert len(found["a"]) == 84 and len(found["b"]) == OUTER  # a sixth more, in fours
    assert spread(found["a"]) < 0.2 * spread(peaks["a"])
    for name in ("y", "z"):
        assert snr_db(run(model, name), run(wide, name)) > 110


def test_splitting_makes_int8_better_and_leaves_the_other_part() -> None:
    model = layers()
    wide = split(model, "first", channel_peaks(model, FEEDS))
    assert wide is not None
    plain, better = (snr_db(run(model, "y"), run(quantized(one, "first"), "y")) for one in (model, wide))
    assert better > plain + 10.0
    assert np.array_equal(run(quantized(model, "second"), "z"), run(quantized(wide, "second"), "z"))


def test_copies_of_a_channel_round_to_finer_steps_than_one() -> None:
    """Hermite's identity: the sum of n copies, a nth of a step apart, has steps of a nth."""
    model = layers()
    wide = split(model, "first", channel_peaks(model, FEEDS))
    assert wide is not None
    same = sum(np.array_equal(row, rows(wide)[0]) for row in rows(wide))
    assert same > 5  # the large channel is made so many times
    step = record(wide, ["a"], FEEDS)["a"].limit("max") / 127
    copies = run(wide, "a")[:, :same].astype(np.float64)
    rounded = (np.rint(copies / step) * step).sum(axis=1)
    assert np.abs(rounded - copies.sum(axis=1)).max() < 0.55 * step  # n copies alike: n / 2 steps


def rows(model: ModelProto) -> np.ndarray:
    return next(numpy_helper.to_array(one) for one in model.graph.initializer if one.name == "first")


@pytest.mark.parametrize("reader", ["a", "sum"])
def test_a_channel_that_something_else_reads_is_not_split(reader: str) -> None:
    model = layers(reader)
    assert split(model, "first", channel_peaks(model, FEEDS)) is None


def test_a_normalisation_that_something_else_reads_is_not_smoothed() -> None:
    model = layers("normal")
    equal = smooth(model, channel_peaks(model, FEEDS))
    assert np.array_equal(run(model, "normal"), run(equal, "normal"))


def test_what_no_affine_layer_makes_is_not_split() -> None:
    model = layers()
    assert split(model, "affine", channel_peaks(model, FEEDS)) is None


@pytest.mark.slow
@pytest.mark.parametrize("file", ["encoder.onnx", "decoder.onnx"])
def test_the_built_in_student_stays_what_it_is(file: str, tmp_path: Path) -> None:
    export(STUDENT, tmp_path)
    model = onnx.load(tmp_path / file)
    rng = np.random.default_rng(3)
    feeds = {}
    for value in model.graph.input:
        shape = [dim.dim_value or 40 for dim in value.type.tensor_type.shape.dim]
        whole = value.type.tensor_type.elem_type == TensorProto.INT64
        feeds[value.name] = rng.integers(0, 2, shape) if whole else rng.random(shape, dtype=np.float32)
    peaks = channel_peaks(model, [feeds])
    equal = smooth(model, peaks)
    changed = [split(equal, node.name, peaks) for node in products(equal)]
    assert any(changed) == (file == "decoder.onnx")
    expected = open_session(model).run(None, feeds)
    for one in (equal, *(wide for wide in changed if wide is not None)):
        for theirs, ours in zip(expected, open_session(one).run(None, feeds), strict=True):
            assert snr_db(theirs, ours) > 90
