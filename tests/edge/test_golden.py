"""The golden line passes on the voice that was packed and fails on another."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from edge import golden
from edge.errors import RunnerError
from edge.synthesizer import Synthesizer

TINY = Path(__file__).parents[1] / "data" / "tiny_voice"


def test_the_packed_voice_passes() -> None:
    golden.check(Synthesizer.load(TINY, threads=1))


@pytest.mark.parametrize(
    ("key", "change", "word"),
    [
        ("durations", lambda values: [values[0] + 2, *values[1:]], "2 frames"),
        ("durations", lambda values: values[:-1], "phonemes"),
        ("levels_db", lambda values: [value + 6 for value in values], "dB"),
    ],
)
def test_another_voice_fails(tmp_path: Path, key: str, change: object, word: str) -> None:
    folder = Path(shutil.copytree(TINY, tmp_path / "voice"))
    manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    manifest["golden"][key] = change(manifest["golden"][key])  # type: ignore[operator]
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    with pytest.raises(RunnerError, match=word):
        golden.check(Synthesizer.load(folder, threads=1))
