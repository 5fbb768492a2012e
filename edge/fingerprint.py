"""Fingerprint of the software: changes with everything in it that the sound of a line depends on."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

_ROOT = Path(__file__).parent
_PARTS = (".", "text", "markup", "lipsync", "watermark", "runners")
"""Folders with the code from text to sound and its data; of the first one only the files in it."""


@cache
def software_fingerprint() -> str:
    """Hash the files that turn a text into sound, dictionaries included (10 ms, once)."""
    digest = hashlib.sha256()
    for path in sorted(_files()):
        digest.update(str(path.relative_to(_ROOT)).encode() + b"\0")
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def _files() -> list[Path]:
    found: list[Path] = []
    for part in _PARTS:
        inside = (_ROOT / part).iterdir() if part == "." else (_ROOT / part).rglob("*")
        found += [path for path in inside if path.is_file() and path.suffix not in (".pyc", ".pyo")]
    return found
