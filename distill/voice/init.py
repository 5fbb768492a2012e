"""Commented ``voice.toml`` to begin with."""

from __future__ import annotations

import json
import re
from pathlib import Path

from edge.spec import NAME

from ..config import DistillError

FOLDER = Path(__file__).parents[1] / "templates"
_LANGUAGES = {"flite": ("en",), "openjtalk": ("ja",)}  # all three for the others
_CLONES = ("gpt-sovits", "gpt-sovits-http", "recordings")


def write_template(path: Path, kind: str, name: str) -> None:
    """Write a configuration that says what every key is, with the defaults as comments.

    Args:
        path: file to write; it must not be there.
        kind: of the teacher.
        name: of the voice: small letters, digits, ``_`` and ``-``.

    Raises:
        DistillError: the file is there, or the name cannot be one.
    """
    if not re.fullmatch(NAME, name):
        raise DistillError(f"{name!r} is no name of a voice: use a-z, 0-9, _ and -")
    corpus = "corpus-recordings" if kind == "recordings" else "corpus"
    parts = map(_read, ("voice", f"teacher-{kind}", corpus, "train"))
    text = "\n".join(parts)
    languages = _LANGUAGES.get(kind, ("zh", "en", "ja"))
    values = {
        "NAME": name,
        "LANGUAGES": json.dumps(languages),
        "LANGUAGE": languages[0],
        "LICENCE": "all rights reserved" if kind in _CLONES else "CC-BY-4.0",
    }
    for key, value in values.items():
        text = text.replace(f"@{key}@", value)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise DistillError(f"{path} is there already; remove it or give another name with --out") from error


def _read(part: str) -> str:
    return (FOLDER / f"{part}.toml").read_text("utf-8")
