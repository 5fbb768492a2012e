from __future__ import annotations

import ast
from pathlib import Path

import pytest

from distill.config import DistillError
from distill.files import UNFINISHED, read_json, read_rows, replacing, write_json, write_rows

ROOT = Path(__file__).parent.parent.parent


def test_a_file_is_there_whole_or_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "new" / "state.bin"
    with replacing(path) as unfinished:
        unfinished.write_bytes(b"first")
        assert not path.exists() and unfinished.parent == path.parent
    with pytest.raises(RuntimeError), replacing(path) as unfinished:
        unfinished.write_bytes(b"sec")
        raise RuntimeError
    assert path.read_bytes() == b"first"
    assert [file.name for file in path.parent.iterdir()] == ["state.bin"]


def test_several_writers_do_not_share_what_is_unfinished(tmp_path: Path) -> None:
    path = tmp_path / "line.flac"
    with replacing(path, writer="1") as one, replacing(path, writer="2") as other:
        one.write_bytes(b"one")
        other.write_bytes(b"other")
        assert one != other and {one.suffix, other.suffix} == {UNFINISHED}
    assert path.read_bytes() == b"one"  # the last to finish


def test_values_and_rows_come_back(tmp_path: Path) -> None:
    value = {"text": "你好", "numbers": [1, 2.5, None]}
    write_json(tmp_path / "value.json", value)
    write_rows(tmp_path / "rows.jsonl", [value, {}])
    assert read_json(tmp_path / "value.json") == value
    assert read_rows(tmp_path / "rows.jsonl") == [value, {}]
    assert "你好" in (tmp_path / "value.json").read_text("utf-8")


@pytest.mark.parametrize("content", [b"{", b"", b"\xff\xfe", b'{"a": }'])
def test_a_file_that_is_not_json_is_named(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "value.json"
    path.write_bytes(content)
    with pytest.raises(DistillError, match=r"value\.json is not JSON"):
        read_json(path)
    path.write_bytes(b"{}\n\n" + (content or b"}"))
    with pytest.raises(DistillError, match=r"value\.json, line 3, is not JSON"):
        read_rows(path)


def test_nothing_else_in_the_training_side_moves_a_file_into_place() -> None:
    found = []
    for path in (ROOT / "distill").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            moves = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
            if (
                moves
                and node.func.attr in ("rename", "replace")
                and len(node.args) == 1
                and not node.keywords
            ):
                found.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert [place.split(":")[0] for place in found] == ["distill/files.py"], found
