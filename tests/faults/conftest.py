"""What a run has found goes into docs/faults.md, where ``make faults`` asks for it."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
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
        after = rest.partition(END)[2]
        page.write_text(f"{before}{BEGIN}\n{table()}\n{END}{after}", "utf-8")


def table() -> str:
    facts = machine.describe()
    libraries = ", ".join(f"{name} {metadata.version(name)}" for name in ("paho-mqtt", "onnxruntime"))
    python = ".".join(map(str, sys.version_info[:3]))
    rows = [f"| {fault} | {counted} |" for fault, counted in _ROWS.values()]
    return "\n".join(
        [
            f"Commit {facts['commit']}, mosquitto {facts['mosquitto']}, Python {python}, {libraries}.",
            "",
            "| fault | counted |",
            "|---|---|",
            *rows,
        ]
    )
