"""What a run has found goes into docs/faults.md, where ``make faults`` asks for it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from benchmarks import machine
from tests.edge.daemon.conftest import broker_port, rig, start_rig

__all__ = ["broker_port", "rig", "start_rig"]

PAGE = os.environ.get("FAULTS_PAGE", "")
BEGIN, END = "<!-- faults:begin -->", "<!-- faults:end -->"
_ROWS: dict[str, tuple[str, str]] = {}


@pytest.fixture
def noted(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Note a fault and what was counted; it goes into the table once the test has passed."""

    def note(fault: str, counted: str) -> None:
        _ROWS[request.node.nodeid] = (fault, counted)

    return note


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Iterator[Any]:
    report = yield
    if report.failed:
        fault, counted = _ROWS.get(item.nodeid, (item.name, ""))
        _ROWS[item.nodeid] = (fault, f"**failed** {counted}")
    return report


def pytest_sessionfinish() -> None:
    if PAGE and _ROWS:
        page = Path(PAGE)
        before, _, rest = page.read_text("utf-8").partition(BEGIN)
        section, _, after = rest.partition(END)
        page.write_text(f"{before}{BEGIN}\n{table(_ROWS.values(), section)}\n{END}{after}", "utf-8")


def table(rows: Iterable[tuple[str, str]], earlier: str) -> str:
    """Put together what this run has counted and, for other faults, what an earlier one has."""
    facts = machine.describe()
    libraries = ", ".join(f"{name} {metadata.version(name)}" for name in ("paho-mqtt", "onnxruntime"))
    python = ".".join(map(str, sys.version_info[:3]))
    found = [(fault, counted, facts["commit"]) for fault, counted in rows]
    made = {_kind(fault) for fault, _, _ in found}
    found += [row for row in _read(earlier) if _kind(row[0]) not in made]
    return "\n".join(
        [
            f"Last run: mosquitto {facts['mosquitto']}, Python {python}, {libraries}.",
            "",
            "| fault | counted | commit |",
            "|---|---|---|",
            *(f"| {fault} | {counted} | {commit} |" for fault, counted, commit in found),
        ]
    )


def _kind(fault: str) -> str:
    """Name a fault whatever its number of times."""
    return re.sub(r"\d+", "n", fault)


def _read(section: str) -> list[tuple[str, str, str]]:
    """Rows of a table, which in older ones has one commit for all of them."""
    lines = [line[2:-2].split(" | ") for line in section.splitlines() if line.startswith("| ")]
    whole = re.search(r"Commit (\w+)", section)
    return [
        (cells[0], cells[1], cells[2] if len(cells) > 2 else whole[1] if whole else "")
        for cells in lines
        if cells[0] != "fault"
    ]
