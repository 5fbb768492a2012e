"""Commands for the device: a case in which INT8 loses, and errors of one line."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner
from onnxruntime.quantization import quantize_dynamic

from edge.bundle.bundle import MANIFEST_FILE
from edge.runners.engines import FILES
from quantize.cli import cli
from quantize.pack import write_float_bundle
from tests.conftest import BUILTIN_VOICE

pytestmark = pytest.mark.slow


def run(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(cli, arguments)
    return result.exit_code, result.output + (str(result.exception) if result.exception else "")


@pytest.mark.voice
def test_int8_of_the_built_in_voice_is_measured_and_kept(tmp_path: Path) -> None:
    write_float_bundle(BUILTIN_VOICE, tmp_path / "float")
    code, told = run("verdict", "--float", str(tmp_path / "float"), "--state-dir", str(tmp_path))
    assert code == 0 and "INT8 " in told and "worst line" in told
    held = json.loads((tmp_path / "int8-verdicts" / "builtin.json").read_text("utf-8"))
    assert 0 < held["evidence"]["log_mel_db"] < 1 and held["evidence"]["speedup"] > 0


@pytest.mark.voice
def test_int8_that_is_held_to_more_than_it_gives_is_rejected(tmp_path: Path) -> None:
    write_float_bundle(BUILTIN_VOICE, tmp_path / "float")
    code, told = run("verdict", "--float", str(tmp_path / "float"), "--max-log-mel-db", "0.001")
    assert code == 0 and "INT8 rejected: log-mel distance" in told and "use the float bundle" in told


@pytest.mark.voice
@pytest.mark.filterwarnings("ignore")
def test_int8_that_rounds_convolutions_as_it_goes_is_rejected(tmp_path: Path) -> None:
    """The usual recipe, dynamic quantization of everything, loses on this student by its sound."""
    write_float_bundle(BUILTIN_VOICE, tmp_path / "float")
    shutil.copytree(tmp_path / "float", tmp_path / "dynamic")
    path = tmp_path / "dynamic" / MANIFEST_FILE
    manifest = json.loads(path.read_text("utf-8"))
    for name in FILES:
        graph = tmp_path / "dynamic" / name
        quantize_dynamic(tmp_path / "float" / name, graph, op_types_to_quantize=["Conv", "MatMul"])
        content = graph.read_bytes()
        manifest["files"][name] = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
    path.write_text(json.dumps(manifest), encoding="utf-8")
    code, told = run("verdict", "--bundle", str(path.parent), "--float", str(tmp_path / "float"))
    assert code == 0 and "INT8 rejected: log-mel distance" in told, told


def test_building_without_tensorrt_or_gpu_is_one_line(tmp_path: Path) -> None:
    code, told = run("build", "--state-dir", str(tmp_path))
    assert code != 0 and ("cannot be built here" in told or "no usable NVIDIA GPU" in told)


def test_rolling_back_with_nothing_there(tmp_path: Path) -> None:
    code, told = run("build", "--state-dir", str(tmp_path), "--roll-back")
    assert code != 0 and "no previous engines" in told
