"""The voice for programs: what docs/python.md shows works as it stands there."""

from __future__ import annotations

import re
import subprocess
import sys
import wave
from pathlib import Path

import numpy as np
import pytest

from edge import Voice

ROOT = Path(__file__).parents[2]
PAGES = {"docs/python.md": 5, "README.md": 1}


def blocks(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", (ROOT / page).read_text("utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.voice
@pytest.mark.parametrize("page", PAGES)
def test_what_the_page_shows_works(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = blocks(page)
    assert len(found) == PAGES[page]
    monkeypatch.chdir(tmp_path)
    exec(compile("".join(found), page, "exec"), {})
    for path in tmp_path.glob("*.wav"):
        with wave.open(str(path)) as file:
            assert file.getframerate() == 32_000 and file.getnframes() > 32_000
    assert list(tmp_path.glob("*.wav"))


def test_a_stream_is_the_whole_line(tiny_voice: Path) -> None:
    with Voice(tiny_voice, threads=1) as voice:
        assert voice.characters[0] == "noah"
        whole = voice.say("The stage is yours. Speak slowly.").audio.astype(int)
        parts = [chunk.samples for chunk in voice.stream("The stage is yours. Speak slowly.")]
    assert len(parts) > 1 and np.abs(np.concatenate(parts) - whole).max() <= 1


def test_the_package_alone_loads_nothing() -> None:
    code = "import sys, edge; print({'numpy', 'onnxruntime', 'pydantic'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
    with pytest.raises(ImportError):
        exec("from edge import Choir")
