"""The comparison of two checkouts sees a change of reading and a change of sound."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from benchmarks import same_sound

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
ROWS: list[dict[str, object]] = [
    {"kind": "read", "text": "Mind the gap.", "language": "en"},
    {"kind": "speak", "text": "Mind the gap.", "character": "claire", "acting": {}},
]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    shutil.copytree(ROOT / "edge", tmp_path / "edge", ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


@pytest.mark.voice
@pytest.mark.parametrize(
    ("file", "old", "new", "changed"),
    [
        ("prosody.py", '"""', '"""', []),
        ("head.py", "NOISE_SEED = 20240229", "NOISE_SEED = 20240228", ["speak"]),
        ("head.py", 'norm="ortho"', 'norm="backward"', []),  # rounds otherwise, within one step
    ],
)
def test_a_change_is_seen(
    copy: Path, monkeypatch: pytest.MonkeyPatch, file: str, old: str, new: str, changed: list[str]
) -> None:
    path = copy / "edge" / file
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")
    monkeypatch.setattr(same_sound, "rows", lambda: ROWS)
    found = same_sound.differences(ROOT, copy)
    assert [kind for kind in ("read", "speak") if any(f'"{kind}"' in row for row in found)] == changed


def test_a_checkout_that_does_not_run_is_no_agreement(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="another checkout"):
        same_sound.listen(tmp_path, ROWS, tmp_path)
