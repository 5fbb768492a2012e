"""Finding the parts of a report, and saying which is missing."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the report is made where training is")

from distill.config import DistillError
from distill.report.files import Cost, read
from distill.report.sources import Sources


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    for name in ("corpus", "voice", "voice-float", "train"):
        (tmp_path / name).mkdir()
    (tmp_path / "quality.json").write_text("{}", "utf-8")
    return tmp_path


def test_a_run_holds_everything(finished: Path) -> None:
    found = Sources.gather(finished, {"bundle": None})
    assert found == Sources(
        finished / "corpus", finished / "voice", finished / "train", finished / "voice-float",
        finished / "quality.json",
    )  # fmt: skip


def test_what_is_named_counts_more(finished: Path) -> None:
    (other := finished / "other").mkdir()
    found = Sources.gather(finished, {"bundle": other})
    assert found.bundle == other and found.corpus == finished / "corpus"


def test_the_folder_of_a_training_will_do(finished: Path) -> None:
    train = finished / "train"
    (train / "log.jsonl").write_text("", "utf-8")
    found = Sources.gather(train, {"corpus": finished / "corpus"})
    assert found == Sources(finished / "corpus", train=train)


def test_an_unfinished_run_is_named(finished: Path) -> None:
    (finished / "voice").rmdir()
    with pytest.raises(DistillError, match=r"no finished run: voice/ is missing"):
        Sources.gather(finished, {})


def test_a_report_needs_lines_to_listen_to() -> None:
    with pytest.raises(DistillError, match=r"--run .* or --corpus"):
        Sources.gather(None, {})


def test_what_is_named_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(DistillError, match=r"quality\.json does not exist"):
        Sources.gather(None, {"corpus": tmp_path, "quality": tmp_path / "quality.json"})


@pytest.mark.parametrize(
    ("text", "message"),
    [("{", "is not JSON"), ("{}", "steps: Field required"), ('{"steps": {"a": {}}}', "steps.a.seconds")],
)
def test_a_damaged_file_is_named_with_the_place(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "cost.json").write_text(text, "utf-8")
    with pytest.raises(DistillError, match=rf"cost\.json.*{message}"):
        read(tmp_path / "cost.json", Cost)
