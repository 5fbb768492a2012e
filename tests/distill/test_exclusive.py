"""One run in a folder, and no program that outlives it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from distill.config import DistillError
from distill.exclusive import call, exclusive

from .conftest import environment


def test_a_second_run_is_refused_and_a_later_one_is_not(tmp_path: Path) -> None:
    with (
        exclusive(tmp_path),
        pytest.raises(DistillError, match="another run is at work"),
        exclusive(tmp_path),
    ):
        pass
    with exclusive(tmp_path):
        pass


@pytest.mark.parametrize(("code", "expected"), [("3", "failed, for the reason above"), ("-9", "was killed")])
def test_the_end_of_a_command_is_told(
    code: str, expected: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    end = "import os, sys; n = int(sys.argv[1]); os.kill(os.getpid(), -n) if n < 0 else sys.exit(n)"
    (tmp_path / "program.py").write_text(end, "utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with exclusive(tmp_path) as lock, pytest.raises(DistillError, match=f"program {code} {expected}"):
        call("program", [code], lock)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="prctl is Linux's")
def test_a_command_ends_with_the_run_that_was_killed(tmp_path: Path) -> None:
    sleeper = "import os, pathlib, time; pathlib.Path('pid').write_text(str(os.getpid())); time.sleep(600)"
    (tmp_path / "sleeper.py").write_text(sleeper, "utf-8")
    run = "from pathlib import Path; from distill.exclusive import call, exclusive\n"
    run += "with exclusive(Path('.')) as lock: call('sleeper', [''], lock)"
    paths = os.pathsep.join([str(tmp_path), environment()["PYTHONPATH"]])
    process = subprocess.Popen(
        [sys.executable, "-c", run], cwd=tmp_path, env={**environment(), "PYTHONPATH": paths}
    )
    pid = int(_wait_for(tmp_path / "pid"))
    process.send_signal(signal.SIGKILL)
    process.wait()
    for _ in range(600):
        try:
            with exclusive(tmp_path):  # free once the sleeper is gone, for it holds the lock as well
                break
        except DistillError:
            time.sleep(0.1)
    else:
        os.kill(pid, signal.SIGKILL)
        pytest.fail("the command outlived its run")


def _wait_for(path: Path) -> str:
    for _ in range(600):
        if path.is_file() and (text := path.read_text("utf-8")):
            return text
        time.sleep(0.1)
    raise TimeoutError(path)
