"""Progress: a bar for people who watch, few lines for a file."""

from __future__ import annotations

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
from pathlib import Path

import pytest

from distill.progress_bar import ProgressBar, tracked

from .conftest import environment
from .tone_corpus import write_tone_corpus


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 50.0

    def __call__(self) -> float:
        return self.now


def test_a_file_gets_a_line_a_minute_and_the_last(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with ProgressBar("train", 1000, done=400, clock=clock) as bar:
        for piece in range(600):
            clock.now += 0.25
            bar.advance(loss=f"{piece}")
    assert capsys.readouterr().err.splitlines() == [
        "train: 640 of 1000, 1 min 00 s, 1 min 30 s left, loss 239",
        "train: 880 of 1000, 2 min 00 s, 30.0 s left, loss 479",
        "train: 1000 of 1000, 2 min 30 s, loss 599",
    ]


def test_a_slow_piece_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    clock = Clock()
    with ProgressBar("learn", 2, clock=clock) as bar:
        for _ in range(2):
            clock.now += 3600
            bar.advance()
    assert capsys.readouterr().err == (
        "learn: 1 of 2, 1 h 00 min, 1 h 00 min left\nlearn: 2 of 2, 2 h 00 min\n"
    )


def test_work_that_fails_has_told_how_far_it_came(capsys: pytest.CaptureFixture[str]) -> None:
    def work() -> None:
        for piece in tracked(range(9), "cut", 9):
            if piece == 4:
                raise RuntimeError("broken")

    with pytest.raises(RuntimeError):
        work()
    assert capsys.readouterr().err.startswith("cut: 4 of 9, ")


def test_what_is_done_already_or_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with ProgressBar("train", 10, done=10):
        pass
    assert list(tracked([], "levels", 0)) == []
    with ProgressBar("lines", 3, quiet=True) as bar:
        bar.advance(rejected=1)
    assert capsys.readouterr().err == ""


def command(folder: Path) -> list[str]:
    corpus = write_tone_corpus(folder / "corpus")
    (corpus / "corpus.json").unlink(missing_ok=True)
    options = ["--corpus", str(corpus), "--out", str(folder / "run"), "--steps", "3", "--batch", "2"]
    options += ["--align-epochs", "2", "--threads", "1", "--workers", "1"]
    return [sys.executable, "-m", "distill", "train", *options]


@pytest.mark.torch
def test_a_log_file_is_not_filled_with_bars(tmp_path: Path) -> None:
    with (tmp_path / "log").open("wb") as log:
        subprocess.run(
            command(tmp_path), env=environment(), stderr=log, check=True, stdout=subprocess.DEVNULL
        )
    told = (tmp_path / "log").read_bytes()
    assert b"\r" not in told and b"\x1b" not in told
    lines = told.decode().splitlines()
    assert [line.split(":")[0] for line in lines if " of " in line] == [
        "features", "align", "cut", "cut again", "train"
    ]  # fmt: skip
    assert lines[-1].startswith("train: 3 of 3, ")


def test_a_terminal_has_bars() -> None:
    master, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("4H", 24, 100, 0, 0))
    code = "from distill.progress_bar import tracked; list(tracked(range(3), 'train', 3))"
    process = subprocess.Popen([sys.executable, "-c", code], env=environment(), stderr=terminal)
    os.close(terminal)
    told = b""
    try:
        while part := os.read(master, 65536):
            told += part
    except OSError:  # how Linux says that the other end is closed
        pass
    finally:
        os.close(master)
    assert process.wait() == 0
    assert b"\rtrain: 100%" in told
