"""Export: the graphs compute what the student computes, in the form that the runners expect."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import onnx
import pytest
from click.testing import CliRunner

from quantize.cli import cli
from quantize.export import export, load_student, parity
from quantize.sharpness import UNCHANGED, USUAL

pytestmark = pytest.mark.torch


@pytest.mark.parametrize("n", [1, 2, 33, 200])
def test_graphs_agree_with_the_student_at_any_length(checkpoint: Path, float_networks: Path, n: int) -> None:
    student, _ = load_student(checkpoint)
    student.decoder.sharpen(*USUAL)
    assert parity(student, float_networks, n) < 1e-4


def test_the_graphs_are_as_sharp_as_asked_for_and_the_student_tells(
    checkpoint: Path, float_networks: Path, tmp_path: Path
) -> None:
    student, _ = load_student(checkpoint)
    arguments = ["export", "--checkpoint", str(checkpoint), "--output", str(tmp_path)]
    assert CliRunner().invoke(cli, [*arguments, "--sharpness", "1", "1", "0"]).exit_code == 0
    assert parity(student, tmp_path, 33) < 1e-4 < parity(student, float_networks, 33)
    told = [json.loads((folder / "student.json").read_text()) for folder in (tmp_path, float_networks)]
    assert [one["sharpness"] for one in told] == [UNCHANGED._asdict(), USUAL._asdict()]


@pytest.mark.parametrize("file", ["encoder.onnx", "decoder.onnx"])
def test_graphs_are_clean(float_networks: Path, file: str) -> None:
    model = onnx.load(float_networks / file)
    onnx.checker.check_model(model, full_check=True)
    operators = Counter(node.op_type for node in model.graph.node)
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", 17)]
    assert not {"Identity", "Constant", "If", "Loop", "Scan", "ConvTranspose"} & set(operators)
    assert operators["LayerNormalization"] > 0


def test_lengths_are_dynamic_and_the_batch_is_one(float_networks: Path) -> None:
    graph = onnx.load(float_networks / "decoder.onnx").graph
    for value in (*graph.input, *graph.output):
        batch, length = value.type.tensor_type.shape.dim[:2]
        assert batch.dim_value == 1
        assert length.dim_param == "T"


def test_convolutions_are_two_dimensional(float_networks: Path) -> None:
    graph = onnx.load(float_networks / "decoder.onnx").graph
    weights = {tensor.name: tensor.dims for tensor in graph.initializer}
    convolutions = [node for node in graph.node if node.op_type == "Conv"]
    assert convolutions
    assert all(len(weights[node.input[1]]) == 4 for node in convolutions)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        (lambda d: d.update(symbols_sha256="0" * 64), "phoneme table"),
        (lambda d: d["config"].update(n_fft=2048), "n_fft"),
        (lambda d: d["config"].update(zero_length_ids=[]), "zero_length_ids"),
    ],
)
def test_a_student_that_does_not_fit_is_refused(
    checkpoint: Path, tmp_path: Path, change: Callable[[dict[str, Any]], None], word: str
) -> None:
    folder = Path(shutil.copytree(checkpoint, tmp_path / "student"))
    description = json.loads((folder / "student.json").read_text(encoding="utf-8"))
    change(description)
    (folder / "student.json").write_text(json.dumps(description), encoding="utf-8")
    with pytest.raises(ValueError, match=word):
        export(folder, tmp_path / "out")
