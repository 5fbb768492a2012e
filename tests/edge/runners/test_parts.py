"""Graphs in parts give what whole graphs give."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from onnx import TensorProto, helper

from edge.bundle.bundle import BUILTIN_VOICE, DECODER_FILE, ENCODER_FILE, Bundle
from edge.runners.base import DECODER_INPUTS, ENCODER_INPUTS, ENCODER_OUTPUTS
from edge.runners.ort import CONDITION, CONDITIONS_KEPT, OnnxRuntimeRunner, session_options
from edge.runners.parts import FRAME_PARTS, part_condition, part_frames

from .test_ort import encoder_inputs

TINY = Path(__file__).parents[2] / "data" / "tiny_voice"
VOICES = (TINY, BUILTIN_VOICE)


def session(content: bytes) -> onnxruntime.InferenceSession:
    return onnxruntime.InferenceSession(content, session_options(), providers=["CPUExecutionProvider"])


def graph(kind: str, outputs: Sequence[str], n_inputs: int = 3) -> bytes:
    """One operator on float vectors called a, b, c ..."""
    names = "abcdef"[:n_inputs]
    infos = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4]) for name in names]
    found = [helper.make_tensor_value_info(name, TensorProto.FLOAT, None) for name in outputs]
    attributes = {"axis": -1} if kind == "Concat" else {}
    node = helper.make_node(kind, list(names), list(outputs), **attributes)
    made = helper.make_graph([node], "test", infos, found)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    content: bytes = model.SerializeToString()
    return content


@pytest.mark.parametrize("path", VOICES, ids=["tiny", "builtin"])
def test_the_encoder_in_two_parts_gives_the_same_bits(path: Path) -> None:
    content = Bundle.load(path).read(ENCODER_FILE)
    whole, parts = session(content), part_condition(content, CONDITION)
    assert parts is not None
    condition, rest = session(parts.condition), session(parts.rest)
    assert {value.name for value in condition.get_inputs()} == set(CONDITION)
    assert {value.name for value in rest.get_inputs()} == {*ENCODER_INPUTS, *parts.between} - {*CONDITION}
    for n in (1, 40):
        feeds = encoder_inputs(n).feeds()
        expected = whole.run(ENCODER_OUTPUTS, feeds)
        given = condition.run(parts.between, {name: feeds.pop(name) for name in CONDITION})
        found = rest.run(ENCODER_OUTPUTS, feeds | dict(zip(parts.between, given, strict=True)))
        assert all(np.array_equal(*pair) for pair in zip(expected, found, strict=True))


@pytest.mark.parametrize("path", VOICES, ids=["tiny", "builtin"])
def test_the_decoder_without_its_join_gives_the_same_bits(path: Path) -> None:
    content = Bundle.load(path).read(DECODER_FILE)
    whole, parts = session(content), session(part_frames(content))
    assert [value.name for value in parts.get_outputs()] == list(FRAME_PARTS)
    rng = np.random.default_rng(0)
    widths = [value.shape[2] for value in whole.get_inputs()]
    shapes = zip(DECODER_INPUTS, widths, strict=True)
    feeds = {name: rng.standard_normal((1, 30, width), dtype=np.float32) for name, width in shapes}
    assert np.array_equal(whole.run(None, feeds)[0], np.concatenate(parts.run(None, feeds), axis=-1))


def test_a_condition_is_computed_once_and_never_mixed_up() -> None:
    """More conditions than are kept, back and forth: each gives what it gave at first."""
    with OnnxRuntimeRunner(Bundle.load(TINY), 1) as runner:
        inputs = encoder_inputs(6)
        strengths = [
            np.array([strength], np.float32) for strength in np.linspace(0.0, 1.5, CONDITIONS_KEPT + 9)
        ]

        def hidden(strength: np.ndarray, character: int) -> np.ndarray:
            changed = {"emotion_strength": strength, "character_id": np.array([character])}
            return runner.encode(type(inputs)(**{**inputs.feeds(), **changed})).hidden

        first = [hidden(strength, character) for character in (0, 1) for strength in strengths]
        again = [hidden(strength, character) for character in (0, 1) for strength in strengths]
    assert all(np.array_equal(*pair) for pair in zip(first, again, strict=True))
    assert len({each.tobytes() for each in first}) == len(first)


def test_a_graph_without_a_condition_stays_whole() -> None:
    assert part_condition(graph("Sum", ["y"]), ("z",)) is None


def test_a_graph_that_is_all_condition_stays_whole() -> None:
    assert part_condition(graph("Sum", ["y"]), ("a", "b", "c")) is None


@pytest.mark.parametrize("content", [graph("Sum", ["y"]), graph("Concat", ["y"], 2)], ids=["sum", "two"])
def test_a_decoder_that_joins_no_three_parts_stays_as_it_is(content: bytes) -> None:
    assert part_frames(content) == content
