"""What the README tells people to type works as it stands there."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from benchmarks import report
from benchmarks.sound_sample import SAMPLES

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```sh\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
COMMAND_LINE = next((block for block in BLOCKS if "sovits-edge say" in block), "")
DAEMON = next((block for block in BLOCKS if "sovits-edge serve" in block), "")


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder that looks as after `make demo`, whose environment leads to this checkout."""
    folder = tmp_path / ".venv" / "bin"
    folder.mkdir(parents=True)
    (folder / "activate").write_text(f'PATH="{folder}:$PATH"\n', encoding="utf-8")
    command = folder / "sovits-edge"
    command.write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m edge "$@"\n', encoding="utf-8")
    command.chmod(0o755)
    (tmp_path / "deploy").symlink_to(ROOT / "deploy")
    return tmp_path


def paste(block: str, place: Path) -> subprocess.CompletedProcess[str]:
    """Run a block whole, as it stands."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "HOME": str(place)}
    return subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", block],
        cwd=place, env=environment, capture_output=True, text=True, timeout=120,
    )  # fmt: skip


def heard(path: Path) -> np.ndarray:
    with wave.open(str(path), "rb") as file:
        assert file.getframerate() == 32_000
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


def test_there_are_three_blocks() -> None:
    assert len(BLOCKS) == 3 and COMMAND_LINE and DAEMON


def test_make_knows_the_targets_of_the_first_block() -> None:
    targets = re.findall(r"^make (\w+)", BLOCKS[0], re.MULTILINE)
    assert targets == ["demo", "test"]
    for target in [*targets, "test-fast", "check", "bench"]:
        result = subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True, text=True, timeout=30)
        assert result.returncode == 0, result.stderr


@pytest.mark.voice
def test_the_commands_speak(place: Path) -> None:
    done = paste(COMMAND_LINE, place)
    assert done.returncode == 0, done.stderr
    assert len(heard(place / "hello.wav")) > 16_000 and len(heard(place / "gap.wav")) > 16_000
    assert (place / "hello.json").stat().st_size > 100
    assert "zh" in done.stdout and "noah" in done.stdout


@pytest.mark.voice
@pytest.mark.broker
@pytest.mark.skipif(
    not (shutil.which("mosquitto_pub") and Path("/usr/sbin/mosquitto").exists()),
    reason="no mosquitto of Debian: apt-get install mosquitto mosquitto-clients",
)
def test_the_daemon_waits_speaks_and_stops(place: Path) -> None:
    done = paste(DAEMON, place)
    assert done.returncode == 0, done.stderr
    assert "online" in done.stdout
    sound = heard(place / "show.wav")
    assert np.abs(sound).max() > 1000 and len(sound) > 32_000
    assert (place / "show-state" / "journal.sqlite").is_file()


def test_the_files_in_the_readme_and_the_index_exist() -> None:
    for page in (ROOT / "README.md", ROOT / "docs" / "README.md"):
        links = re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text(encoding="utf-8"))
        missing = [link for link in links if not (page.parent / link).exists()]
        assert links and not missing, f"{page.name}: {missing}"
    diagram = re.search(r"^```text\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    assert diagram is not None
    for name in re.findall(r"\bedge/[\w/]+(?:\.py)?", diagram[1]):
        assert (ROOT / name).exists(), name


def test_every_document_is_in_the_index() -> None:
    index = (ROOT / "docs" / "README.md").read_text(encoding="utf-8")
    missing = [page.name for page in (ROOT / "docs").glob("*.md") if f"({page.name})" not in index]
    assert not [name for name in missing if name != "README.md"]


def test_the_figures_are_those_that_were_measured() -> None:
    pages = {
        README: report.summary(report.latest()),
        report.PAGE.read_text(encoding="utf-8"): report.section(),
    }
    for text, measured in pages.items():
        assert text.split(report.BEGIN)[1].split(report.END)[0].strip() == measured


def test_the_sound_samples_are_small() -> None:
    for name in SAMPLES:
        assert 10_000 < (ROOT / "docs" / "sound" / f"{name}.ogg").stat().st_size < 300_000, name
