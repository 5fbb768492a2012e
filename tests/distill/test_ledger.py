"""What a run remembers of its steps."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from distill.ledger import Ledger, digest_of, fingerprint, spoken_time


def test_a_finished_step_is_known_by_its_digest(tmp_path: Path) -> None:
    with Ledger(tmp_path / "cost.json").work("train", "a"):
        pass
    again = Ledger(tmp_path / "cost.json")
    assert again.is_done("train", "a")
    assert not again.is_done("train", "b") and not again.is_done("pack", "a")
    content = json.loads((tmp_path / "cost.json").read_text("utf-8"))
    assert content["steps"]["train"]["finished"].endswith("+00:00")
    assert content["device"]["cores"] >= 1 and {"torch", "python", "sovits-tiny"} <= set(content["versions"])


def test_a_failed_step_is_not_done_but_its_time_counts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = iter([0.0, 5.0, 100.0, 102.0, 200.0, 201.0])
    monkeypatch.setattr("distill.ledger.time.monotonic", lambda: next(clock))
    with pytest.raises(ValueError), Ledger(tmp_path / "cost.json").work("train", "a"):
        raise ValueError
    ledger = Ledger(tmp_path / "cost.json")
    assert not ledger.is_done("train", "a") and ledger.seconds("train") == 5.0
    with ledger.work("train", "a"):
        pass
    assert ledger.is_done("train", "a") and ledger.seconds("train") == 7.0
    with ledger.work("train", "b"):  # another voice: what the old one took is not its cost
        pass
    assert ledger.seconds("train") == 1.0 and ledger.seconds("report") == 0.0


def test_a_digest_changes_with_any_part() -> None:
    assert digest_of("train", {"a": 1, "b": 2}) == digest_of("train", {"b": 2, "a": 1})
    assert len({digest_of("train", 1), digest_of("train", 2), digest_of("pack", 1), digest_of("train")}) == 4


def test_a_fingerprint_changes_with_any_file(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    file = tmp_path / "deep" / "a.ckpt"
    file.write_bytes(b"1")
    before = fingerprint(tmp_path)
    assert fingerprint(tmp_path) == before and fingerprint(file) == before
    os.utime(file, ns=(1, 1))
    assert fingerprint(tmp_path) != before


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.04, "0.0 s"), (59.94, "59.9 s"), (60, "1 min 00 s"), (3599, "59 min 59 s"), (7620, "2 h 07 min")],
)
def test_time_is_written_for_people(seconds: float, text: str) -> None:
    assert spoken_time(seconds) == text
