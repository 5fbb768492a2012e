"""Writes the report."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..files import write_bytes
from .collect import collect
from .page import render
from .sources import Sources


@dataclass(frozen=True)
class Written:
    """What was written.

    Attributes:
        path: the file.
        bytes: its size.
        lines: that can be listened to.
        headline: of the verdict; empty without an evaluation.
    """

    path: Path
    bytes: int
    lines: int
    headline: str


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
