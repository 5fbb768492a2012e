"""A graph with the inputs, outputs and inner tensors of Kokoro-82M, small enough to be made in a test.

Each token lasts 8, 16 or 24 frames of 25 ms at speed 1. The sound is a tone at the F0 that goes into the last
part, silent under edges and punctuation, so that what an edit does can be heard.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from distill.teachers.kokoro_files import PROVENANCE, VOICE_SHAPE
from distill.teachers.kokoro_graph import (
    ALIGNED_TEXT,
    AUDIO,
    DURATIONS,
    ENERGY,
    F0,
    PARTS,
    SPEED,
    SPREAD_TEXT,
    STYLE,
    TEXT,
    TOKENS,
    UNROUNDED,
    cut,
)

LAST_MARK = 16  # ids up to this one are edges, punctuation and spaces
LEVEL = 0.3
VOICES = {"am_michael": 0.0, "zm_yunxi": 10.0, "jf_alpha": 100.0}  # Hz above the common F0


def graph() -> onnx.ModelProto:
    """Make the whole graph."""
    integers = {"zero": [0], "one": [1], "two": [2], "three": [3], "eight": [8], "flat": [-1], "row": [1, -1]}
    integers |= {"hop": [1, 1, 300], "deep": [1, -1, 1]}
    scalars = {"scalar_zero": 0, "scalar_one": 1, "last_mark": LAST_MARK, "axis": 1}
    reals = {"base": 150.0, "depth": 20.0, "slow": 0.2, "rate": 24000.0, "turn": 2 * np.pi, "level": LEVEL}
    reals |= {"nil": 0.0, "silent_energy": 0.1}
    constants = {name: np.array(value, np.int64) for name, value in (integers | scalars).items()}
    constants |= {name: np.array(value, np.float32) for name, value in reals.items()}
    nodes = [*_durations(), *_prosody(), *_sound()]
    weights = [numpy_helper.from_array(value, name) for name, value in constants.items()]
    inputs = [
        helper.make_tensor_value_info(TOKENS, TensorProto.INT64, [1, "t"]),
        helper.make_tensor_value_info(STYLE, TensorProto.FLOAT, [1, 256]),
        helper.make_tensor_value_info(SPEED, TensorProto.FLOAT, [1]),
    ]
    outputs = [helper.make_tensor_value_info(AUDIO, TensorProto.FLOAT, ["n"])]
    made = helper.make_graph(nodes, "kokoro", inputs, outputs, weights)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)


def _durations() -> list[onnx.NodeProto]:
    node = helper.make_node
    return [
        node("Reshape", [TOKENS, "flat"], ["ids"]),
        node("Mod", ["ids", "three"], ["spread"]),
        node("Add", ["spread", "one"], ["eighths"]),
        node("Mul", ["eighths", "eight"], ["whole"]),
        node("Cast", ["whole"], ["whole_f"], to=TensorProto.FLOAT),
        node("Div", ["whole_f", SPEED], [UNROUNDED]),
        node("Round", [UNROUNDED], ["rounded"]),
        node("Cast", ["rounded"], ["cast"], to=TensorProto.INT64),
        node("Max", ["cast", "one"], [DURATIONS]),
        node("Greater", ["ids", "last_mark"], ["sounds"]),
        node("Cast", ["sounds"], ["sounds_f"], to=TensorProto.FLOAT),
        node("Reshape", ["sounds_f", "row"], [SPREAD_TEXT]),
        node("Identity", [SPREAD_TEXT], [TEXT]),
    ]


def _prosody() -> list[onnx.NodeProto]:
    node = helper.make_node
    return [
        node("CumSum", [DURATIONS, "scalar_zero"], ["ends"]),
        node("Sub", ["ends", DURATIONS], ["starts"]),
        node("ReduceSum", [DURATIONS, "zero"], ["total"], keepdims=0),
        node("Range", ["scalar_zero", "total", "scalar_one"], ["frames"]),
        node("Unsqueeze", ["ends", "one"], ["ends_column"]),
        node("Unsqueeze", ["starts", "one"], ["starts_column"]),
        node("Less", ["frames", "ends_column"], ["before"]),
        node("GreaterOrEqual", ["frames", "starts_column"], ["after"]),
        node("And", ["before", "after"], ["inside"]),
        node("Cast", ["inside"], ["alignment"], to=TensorProto.FLOAT),
        node("Mul", [SPREAD_TEXT, TEXT], ["heard"]),
        node("MatMul", ["heard", "alignment"], [ALIGNED_TEXT]),
        node("Mul", ["total", "two"], ["steps"]),
        node("Squeeze", ["steps"], ["steps_scalar"]),
        node("Range", ["scalar_zero", "steps_scalar", "scalar_one"], ["grid"]),
        node("Cast", ["grid"], ["grid_f"], to=TensorProto.FLOAT),
        node("Mul", ["grid_f", "slow"], ["phase"]),
        node("Sin", ["phase"], ["wave"]),
        node("Mul", ["wave", "depth"], ["swing"]),
        node("ReduceMax", [STYLE], ["shift"], keepdims=0),
        node("Add", ["swing", "base"], ["raised"]),
        node("Add", ["raised", "shift"], ["contour"]),
        node("Reshape", ["contour", "row"], [F0]),
        node("Mul", [F0, "silent_energy"], [ENERGY]),
    ]


def _sound() -> list[onnx.NodeProto]:
    node = helper.make_node
    return [
        node("Reshape", [F0, "deep"], ["f0_deep"]),
        node("Expand", ["f0_deep", "hop"], ["f0_wide"]),
        node("Reshape", ["f0_wide", "row"], ["f0_long"]),
        node("Div", ["f0_long", "rate"], ["turns"]),
        node("CumSum", ["turns", "axis"], ["turned"]),
        node("Mul", ["turned", "turn"], ["angle"]),
        node("Sin", ["angle"], ["tone"]),
        node("Concat", [ALIGNED_TEXT, ALIGNED_TEXT], ["pair"], axis=0),
        node("Transpose", ["pair"], ["pairs"], perm=[1, 0]),
        node("Reshape", ["pairs", "deep"], ["mask_deep"]),
        node("Expand", ["mask_deep", "hop"], ["mask_wide"]),
        node("Reshape", ["mask_wide", "row"], ["mask"]),
        node("Mul", ["tone", "mask"], ["speech"]),
        node("Mul", ["speech", "level"], ["leveled"]),
        node("ReduceMean", [ENERGY], ["loud"], keepdims=0),
        node("Mul", ["loud", "nil"], ["nothing"]),
        node("Add", ["leveled", "nothing"], ["quiet"]),
        node("ReduceMax", [STYLE], ["style_max"], keepdims=0),
        node("Mul", ["style_max", "nil"], ["none"]),
        node("Add", ["quiet", "none"], ["audio_row"]),
        node("Reshape", ["audio_row", "flat"], [AUDIO]),
    ]


def write_model(folder: Path, voices: Mapping[str, float] = VOICES) -> None:
    """Write an assembled model."""
    whole, digests = graph(), {}
    (folder / "voices").mkdir(parents=True)
    files = {f"{part.name}.onnx": cut(whole, part).SerializeToString() for part in PARTS}
    files |= {f"voices/{name}.bin": voice(shift) for name, shift in voices.items()}
    for name, data in files.items():
        (folder / name).write_bytes(data)
        digests[name] = hashlib.sha256(data).hexdigest()
    origin = {
        "name": "Kokoro",
        "author": "nobody",
        "licence": "Apache-2.0",
        "source": "a test",
        "not_known": "-",
    }
    (folder / PROVENANCE).write_text(json.dumps({**origin, "graph_sha256": "0" * 64, "sha256": digests}))


def voice(shift: float) -> bytes:
    """Give a voice that speaks so many Hz above the common F0, whatever the number of tokens."""
    style = np.zeros(VOICE_SHAPE, np.float32)
    style[:, 7] = shift
    return style.tobytes()
