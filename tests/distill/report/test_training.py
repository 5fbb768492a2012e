"""The log of a run as curves."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the report is made where training is")

from distill.config import DistillError
from distill.report.figures import draw_losses
from distill.report.training import read_log

from .conftest import write_log


def test_what_a_kill_made_double_counts_once(tmp_path: Path) -> None:
    write_log(tmp_path / "log.jsonl")
    log = read_log(tmp_path / "log.jsonl")
    steps, losses = log.train["mel"]
    assert steps.tolist() == list(range(50, 1001, 50)) and losses[0] > losses[-1]
    assert log.terms == ["loss", "mel", "f0"] and log.last_step == 1000
    assert log.in_words.startswith("Validation, first to last: loss 3 to 0.5, mel 1.2 to 0.2")


def test_a_run_that_has_just_begun_has_no_picture(tmp_path: Path) -> None:
    (tmp_path / "log.jsonl").write_text("", "utf-8")
    assert draw_losses(read_log(tmp_path / "log.jsonl")) is None


@pytest.mark.parametrize("text", ["{", '{"kind": "train"}', '{"kind": "test", "step": 1, "time": 1}'])
def test_another_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "log.jsonl").write_text(text, "utf-8")
    with pytest.raises(DistillError, match=r"log\.jsonl, line 1"):
        read_log(tmp_path / "log.jsonl")
