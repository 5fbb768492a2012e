"""What was heard of a teacher's lines, kept in the corpus: it is heard once, whoever is the student."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Generic, TypeVar

from ..files import read_rows

FILE = "heard.jsonl"

Heard = TypeVar("Heard", str, float)


class Notes(Generic[Heard]):
    """Notes of one listener.

    Args:
        corpus: folder; the name of a line in it stands for its sound.
        ear: the listener with its version.
    """

    def __init__(self, corpus: Path, ear: str) -> None:
        self._path, self._ear = corpus / FILE, ear
        rows = read_rows(self._path) if self._path.is_file() else ()
        self._known: dict[str, Any] = {row["id"]: row["heard"] for row in rows if row["ear"] == ear}

    def of(self, line_id: str, listen: Callable[[], Heard]) -> Heard:
        """Give what was heard of a line; listen if nobody has."""
        if line_id not in self._known:
            self._known[line_id] = listen()
            row = {"ear": self._ear, "id": line_id, "heard": self._known[line_id]}
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
        heard: Heard = self._known[line_id]
        return heard
