"""Tables that a run writes into a document, between two marks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path


def put_table(document: Path, name: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Put a table in the place of the one that is there.

    Args:
        document: Markdown with ``<!-- name: begin -->`` and ``<!-- name: end -->``.
        name: of the marks.
        head: names of the columns.
        rows: cells.
    """
    begin, end = f"<!-- {name}: begin -->", f"<!-- {name}: end -->"
    before, rest = document.read_text("utf-8").split(begin)
    lines = [head, ["---"] * len(head), *rows]
    table = "\n".join("| " + " | ".join(map(str, line)) + " |" for line in lines)
    document.write_text(f"{before}{begin}\n{table}\n{end}{rest.split(end)[1]}", "utf-8")
