"""A corpus so small that it is rendered in seconds, by the real teachers."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from edge.text import FrontEnd

ROOT = Path(__file__).parents[2]

SMALL = """
[corpus]

[[corpus.recordings]]
character = "noah"
language = "zh"
teacher = "espeak-ng"
lines = { neutral = 6, sad = 4 }
valid_lines = 3
test_lines = { neutral = 3, sad = 1 }
rate_test_lines = 2

[[corpus.recordings]]
character = "claire"
language = "en"
teacher = "flite"
lines = { neutral = 3 }
valid_lines = 1
test_lines = { neutral = 1 }

[[corpus.recordings]]
character = "mei"
language = "ja"
teacher = "openjtalk"
lines = { neutral = 3 }
valid_lines = 1
test_lines = { neutral = 1 }
"""


def corpus_command(config: Path, out: Path) -> list[str]:
    """The command as a user runs it."""
    options = ["--config", str(config), "--out", str(out), "--processes", "1"]
    return [sys.executable, "-m", "distill", "corpus", *options]


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT)}


def render_corpus(config: Path, out: Path) -> str:
    """Render as a user does, nobody disturbing; what the command says."""
    done = subprocess.run(
        corpus_command(config, out), env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="session")
def front_end() -> FrontEnd:
    return FrontEnd()


@pytest.fixture(scope="session")
def small_config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("config") / "small.toml"
    path.write_text(SMALL, "utf-8")
    return path


@pytest.fixture(scope="session")
def small_corpus(small_config: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the command leaves behind when nobody disturbs it."""
    folder = tmp_path_factory.mktemp("corpora") / "small"
    said = render_corpus(small_config, folder)
    assert said.startswith("29 lines") and ", 0 rejected" in said, said
    return folder
