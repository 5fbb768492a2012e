"""Students on disk: whole, halved, and damaged in every way that a person meets."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from distill.config import DistillError
from distill.training.checkpoint import StudentInfo, load_student, save_student, weights_sha256
from models.sovits_tiny import SovitsTiny

from ..conftest import environment
from ..tone_corpus import SMALL


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    torch.manual_seed(3)
    info = StudentInfo(
        SMALL, {"tone": 0}, {"neutral": 0}, 5, {"lines": {}}, {"name": "builtin", "sha256": "1"}
    )
    save_student(tmp_path / "student", SovitsTiny(SMALL).state_dict(), info)
    return tmp_path / "student"


def test_a_student_comes_back_as_it_was(folder: Path) -> None:
    student, info = load_student(folder)
    torch.manual_seed(3)
    for key, value in SovitsTiny(SMALL).state_dict().items():
        assert torch.equal(student.state_dict()[key], value)
    assert info.config == SMALL and not student.training
    assert (info.characters, info.step, info.started_from["name"]) == ({"tone": 0}, 5, "builtin")


def test_a_halved_student_takes_half_the_room_and_speaks_the_same(folder: Path, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "distill.training.checkpoint", str(folder), str(tmp_path / "half")]
    done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True)
    assert "within" in done.stdout

    whole, info = load_student(folder)
    half, same = load_student(tmp_path / "half")
    assert info == same
    for (name, one), other in zip(whole.named_parameters(), half.parameters(), strict=True):
        assert other.dtype == torch.float32
        torch.testing.assert_close(one, other, atol=1e-6, rtol=2**-11, msg=name)
    for (name, one), other in zip(whole.named_buffers(), half.buffers(), strict=True):
        assert torch.equal(one, other), name
    n_constants = sum(buffer.numel() for buffer in whole.buffers())
    size = (tmp_path / "half" / "student.safetensors").stat().st_size
    assert size < 2 * sum(p.numel() for p in whole.parameters()) + 4 * n_constants + 16_000
    assert weights_sha256(folder) != weights_sha256(tmp_path / "half")


def test_another_symbol_table_is_refused(folder: Path) -> None:
    description = json.loads((folder / "student.json").read_text("utf-8"))
    (folder / "student.json").write_text(json.dumps({**description, "symbols_sha256": "0" * 64}), "utf-8")
    with pytest.raises(DistillError, match="another symbol table; train it again"):
        load_student(folder)


@pytest.mark.parametrize(
    ("file", "content", "expected"),
    [
        ("student.json", None, "holds no student"),
        ("student.json", b"{", "does not describe a student"),
        ("student.json", b"{}", "does not describe a student"),
        ("student.safetensors", None, "cannot read"),
        ("student.safetensors", b"12345678", "cannot read"),
    ],
)
def test_damage_is_named(folder: Path, file: str, content: bytes | None, expected: str) -> None:
    if content is None:
        (folder / file).unlink()
    else:
        (folder / file).write_bytes(content)
    with pytest.raises(DistillError, match=expected):
        load_student(folder)


def test_weights_of_another_student_are_refused(folder: Path) -> None:
    description = json.loads((folder / "student.json").read_text("utf-8"))
    description["config"]["n_characters"] = 2
    (folder / "student.json").write_text(json.dumps(description), "utf-8")
    with pytest.raises(DistillError, match=r"not of the sizes.*conditioning.*both files of one student"):
        load_student(folder)
