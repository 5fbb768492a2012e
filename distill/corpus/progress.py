"""Progress of a corpus: one row of JSON for each step of a line, written before the next is begun."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path

from ..files import write_bytes
from .utterance import Row

PROGRESS = "progress.jsonl"
_BOOKKEEPING = ("at", "judged", "rejections")  # not part of the manifest


class Progress:
    """The log of one process; ``read_progress`` reads those of all."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        _mend(folder / PROGRESS)
        self._file = (folder / PROGRESS).open("a", encoding="utf-8")

    def add(self, row: Row) -> None:
        """Write a row to disk."""
        self._file.write(json.dumps(row | {"at": round(time.time(), 3)}, ensure_ascii=False) + "\n")
        self._file.flush()

    def close(self) -> None:
        """Close the file."""
        self._file.close()


def read_progress(corpus: Path) -> dict[str, Row]:
    """Give the latest row of each line, whichever process wrote it, unless its sound has gone."""
    rows: dict[str, Row] = {}
    for path in (corpus / PROGRESS, *sorted((corpus / "ranks").glob(f"*/{PROGRESS}"))):
        for row in _rows(path):
            if row.get("at", 0.0) >= rows.get(row["id"], {}).get("at", 0.0):
                rows[row["id"]] = row
    return {key: row for key, row in rows.items() if "rejected" in row or (corpus / row["audio"]).exists()}


def read_rows_by_id(folder: Path) -> dict[str, Row]:
    """Give the latest row of each line that is in the log of a folder."""
    return {row["id"]: row for row in _rows(folder / PROGRESS)}


def manifest_row(row: Row) -> Row:
    """Give what the manifest has of a row."""
    return {key: value for key, value in row.items() if key not in _BOOKKEEPING}


def _mend(path: Path) -> None:
    """Drop the row that a kill or a power cut left unfinished: it is done again."""
    data = path.read_bytes() if path.exists() else b""
    if data and not data.endswith(b"\n"):
        write_bytes(path, data[: data.rfind(b"\n") + 1])


def _rows(path: Path) -> Iterator[Row]:
    for line in path.read_bytes().splitlines() if path.exists() else ():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if isinstance(row, dict) and "id" in row:
            yield row
