"""Files of the training side: written aside and put in place whole, JSON, and rows of JSON."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .config import DistillError

UNFINISHED = ".part"


@contextmanager
def replacing(path: Path, writer: str = "") -> Iterator[Path]:
    """Let a file be written beside its place, and move it there when it is whole.

    A reader sees the old file or the new one, never a part of it, whatever ends the writer. What a killed
    writer left is overwritten by the next one.

    Args:
        path: of the file; its folder is made.
        writer: tells several writers of one file apart.

    Yields:
        The path to write to, in the same folder.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(".".join(filter(None, (path.name, writer))) + UNFINISHED)
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file that appears whole or not at all."""
    with replacing(path) as unfinished:
        unfinished.write_bytes(content)


def write_json(path: Path, value: Any, indent: int | None = 1) -> None:
    """Write a value as JSON; the file appears whole or not at all."""
    write_bytes(path, (json.dumps(value, ensure_ascii=False, indent=indent) + "\n").encode())


def read_json(path: Path) -> Any:
    """Read a value.

    Raises:
        FileNotFoundError: there is no such file.
        DistillError: it does not hold JSON.
    """
    try:
        return json.loads(path.read_bytes())
    except ValueError as error:
        raise DistillError(
            f"{path} is not JSON ({error}); make it again with the step that wrote it"
        ) from error


def write_rows(path: Path, rows: Iterable[Any]) -> None:
    """Write one line of JSON for each row; the file appears whole or not at all."""
    write_bytes(path, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode())


def read_rows(path: Path) -> list[dict[str, Any]]:
    """Read a file that has one row of JSON in each line; empty lines are passed over.

    Raises:
        FileNotFoundError: there is no such file.
        DistillError: a line does not hold JSON.
    """
    rows = []
    for number, line in enumerate(path.read_bytes().splitlines(), 1):
        try:
            rows += [json.loads(line)] if line.strip() else []
        except ValueError as error:
            raise DistillError(f"{path}, line {number}, is not JSON ({error}); make it again") from error
    return rows
