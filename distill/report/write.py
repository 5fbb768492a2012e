"""Writer of the report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..files import write_bytes
from .collect import collect
from .page import render
from .sources import Sources


@dataclass(frozen=True)
class Written:
    """What was written."""

    path: Path
    """The file."""
    bytes: int
    """Its size."""
    lines: int
    """That can be listened to."""
    headline: str
    """Of the verdict; empty without an evaluation."""


def write_report(sources: Sources, output: Path) -> Written:
    """Make the report; the file appears whole or not at all.

    Raises:
        DistillError: something that was named is missing or is not what it should be.
        EdgeError: a bundle cannot be loaded or cannot speak.
    """
    report = collect(sources)
    content = render(report).encode("utf-8")
    write_bytes(output, content)
    headline = report.judgement.verdict.headline if report.judgement else ""
    return Written(output, len(content), len(report.heard.lines), headline)
