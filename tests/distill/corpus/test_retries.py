"""A teacher that errs: tried again, reviewed, killed, shared out, with the same corpus each time."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from distill.corpus.render import make_corpus
from distill.gate import GateConfig
from distill.teachers import LineRequest
from edge.text import FrontEnd

from ..conftest import environment
from .stumbling import CONFIG, GATE, fault_of, make

pytestmark = pytest.mark.espeak

FILES = ("manifest.jsonl", "rejections.jsonl", "corpus.json")


def command(folder: Path, devices: int = 1) -> list[str]:
    return [sys.executable, "-m", "tests.distill.corpus.stumbling", str(folder), str(devices)]


def run(arguments: list[str]) -> None:
    done = subprocess.run(arguments, env=environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def rows(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def content(folder: Path) -> dict[str, bytes]:
    names = [*FILES, *(f"audio/{path.name}" for path in (folder / "audio").iterdir())]
    return {name: (folder / name).read_bytes() for name in sorted(names)}


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the command leaves behind when nobody disturbs it."""
    folder = tmp_path_factory.mktemp("corpora") / "stumbling"
    run(command(folder))
    return folder


def test_faulty_attempts_are_replaced_by_another_seed(corpus: Path) -> None:
    front_end = FrontEnd()
    kept = rows(corpus / "manifest.jsonl")
    asked = []
    for row in kept:
        reading = front_end.read(row["text"], "zh")
        asked.append((LineRequest(row["text"], reading, "zh", "noah", seed=row["seed"]), row))
    faulty = [row for request, row in asked if fault_of(request) and len(request.reading.words) > 1]
    assert not faulty
    again = [row for row in kept if row["attempt"]]
    assert len(again) >= 5
    assert all(row["seed"] == 20240229 + 100_000 * row["attempt"] for row in again)
    assert all(row["audio"] == f"audio/{row['id']}-{row['attempt']}.flac" for row in again)


def test_every_rejection_is_listed_and_counted(corpus: Path) -> None:
    listed = rows(corpus / "rejections.jsonl")
    summary = json.loads((corpus / "corpus.json").read_text("utf-8"))["gate"]
    assert sum(summary["rejections"].values()) == len(listed)
    assert {"limit", "clipping", "loop", "words"} <= set(summary["rejections"])
    lines = {row["id"] for row in listed}
    assert summary["recovered"] + summary["lost"] == len(lines)
    for row in listed:
        assert row["text"] and row["character"] == "noah" and row["detail"]
        if row["reason"] != "limit":
            assert row["measured"] != row["threshold"]


def test_clean_lines_pass(corpus: Path) -> None:
    lost = [row for row in rows(corpus / "rejections.jsonl") if row["lost"]]
    assert len(lost) <= 1, lost


def test_a_second_run_renders_and_reviews_nothing(corpus: Path) -> None:
    before, log = content(corpus), (corpus / "progress.jsonl").read_bytes()
    make_corpus(CONFIG, corpus, 1, GATE, make)
    assert content(corpus) == before
    assert (corpus / "progress.jsonl").read_bytes() == log


def test_a_run_killed_twice_goes_on_to_the_same_corpus(corpus: Path, tmp_path: Path) -> None:
    killed_after(tmp_path, n_rows=10)  # while lines are rendered
    n_lines = len((corpus / "progress.jsonl").read_bytes().splitlines()) // 2
    killed_after(tmp_path, n_rows=n_lines + 5)  # while they are reviewed
    run(command(tmp_path))
    assert content(tmp_path) == content(corpus)


def killed_after(folder: Path, n_rows: int) -> None:
    """Start the command, kill it once it has done so much, and see its workers leave."""
    process = subprocess.Popen(command(folder), env=environment(), stderr=subprocess.DEVNULL)
    progress, deadline = folder / "progress.jsonl", time.monotonic() + 120
    while not progress.exists() or progress.read_bytes().count(b"\n") < n_rows:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    workers = psutil.Process(process.pid).children(recursive=True)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert not psutil.wait_procs(workers, timeout=60)[1]
    assert not (folder / "manifest.jsonl").exists()


@pytest.mark.torch
def test_two_devices_make_the_same_corpus(corpus: Path, tmp_path: Path) -> None:
    run(command(tmp_path, devices=2))
    assert (tmp_path / "ranks" / "1" / "progress.jsonl").stat().st_size
    assert content(tmp_path) == content(corpus)


def test_other_limits_judge_what_is_there_again(corpus: Path, tmp_path: Path) -> None:
    shutil.copytree(corpus, tmp_path, dirs_exist_ok=True)
    strict = GateConfig(attempts=1, review=False, longest_pause_s=0.2)
    summary = make_corpus(CONFIG, tmp_path, 1, strict, make)
    assert summary is not None and summary["gate"]["rejections"]["pause"] >= 3
