"""Reading and writing the committed script files."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from ..config import DistillError
from ..corpus.config import BUILTIN_SCRIPT, CORE_LINES, PACKAGE_SCRIPTS

FOLDER = Path(__file__).parent
SPLITS = ("train", "valid", "test")
CORE_KINDS = ("short", "sentence", "drill")


@dataclass(frozen=True)
class Line:
    """One line of the script."""

    split: str
    """``train``, ``valid`` or ``test``."""
    kind: str
    """How it came about: ``short``, ``sentence``, ``pattern``, ``open``, ``drill`` (coverage) or ``words``.
    """
    text: str
    """What is spoken."""


def load_lines(language: str, folder: Path = FOLDER, name: str = BUILTIN_SCRIPT) -> list[Line]:
    """Read a script of the package in one language.

    Raises:
        DistillError: there is none of that name in the language.
        ValueError: a row is not split, kind and text, or a text occurs twice.
    """
    path = folder / f"{PACKAGE_SCRIPTS[name]}_{language}.tsv"
    if not path.is_file():
        raise DistillError(f"there is no script {name!r} in {language}; use {BUILTIN_SCRIPT!r}")
    lines = read_lines(path)
    return [line for line in lines if line.kind in CORE_KINDS] if name == CORE_LINES else lines


def read_lines(path: Path) -> list[Line]:
    """Read a file of lines.

    Raises:
        ValueError: a row is not split, kind and text, or a text occurs twice.
    """
    lines, seen = [], set()
    for number, row in enumerate(path.read_text("utf-8").splitlines(), 1):
        fields = row.split("\t")
        if len(fields) != 3 or fields[0] not in SPLITS:
            raise ValueError(
                f"{path}, line {number}: expected split, kind and text between tabs, found {row!r}"
            )
        if fields[2] in seen:
            raise ValueError(f"{path}, line {number}: {fields[2]!r} occurs twice; held-out lines must be new")
        seen.add(fields[2])
        lines.append(Line(*fields))
    return lines


def save_lines(
    language: str, lines: Iterable[Line], folder: Path = FOLDER, name: str = BUILTIN_SCRIPT
) -> None:
    """Write a script of the package in one language."""
    rows = [f"{line.split}\t{line.kind}\t{line.text}\n" for line in lines]
    (folder / f"{PACKAGE_SCRIPTS[name]}_{language}.tsv").write_text("".join(rows), "utf-8")
