"""Notes of what was heard: kept for each listener, and asked for once."""

from __future__ import annotations

from pathlib import Path

import pytest

from distill.config import DistillError
from distill.evaluation.notes import FILE, Notes


def test_what_one_listener_heard_is_kept_for_it_alone(tmp_path: Path) -> None:
    assert Notes[str](tmp_path, "one").of("line", lambda: "你好") == "你好"
    assert Notes[float](tmp_path, "other").of("line", lambda: 4.5) == 4.5
    assert Notes[str](tmp_path, "one").of("line", pytest.fail) == "你好"
    assert Notes[float](tmp_path, "other").of("line", pytest.fail) == 4.5


def test_damaged_notes_are_named(tmp_path: Path) -> None:
    (tmp_path / FILE).write_text('{"ear": "one", "id"', "utf-8")
    with pytest.raises(DistillError, match=FILE):
        Notes[str](tmp_path, "one")
