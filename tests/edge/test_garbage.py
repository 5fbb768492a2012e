"""Rounds of the garbage collector over everything: in own hands, and when nobody waits."""

from __future__ import annotations

import gc
import subprocess
import sys

import pytest

from edge import garbage

_PROCESS = """
import gc, sys
from edge.daemon.service import own_process
own_process()
rounds = []
gc.callbacks.append(lambda phase, info: rounds.append(info["generation"]) if phase == "stop" else None)
kept = [[number] for number in range(1_000_000)]
assert 2 not in rounds and 1 in rounds, sorted(set(rounds))
assert gc.get_freeze_count() > 10_000
for _ in range(100):
    cycle = []
    cycle.append(cycle)
del cycle
from edge.garbage import tidy
assert tidy(is_idle=True) and 2 in rounds
assert not tidy(is_idle=True)
print("settled", gc.get_freeze_count() > 0)
"""


def test_a_daemon_looks_through_everything_only_when_it_is_told_to() -> None:
    done = subprocess.run([sys.executable, "-c", _PROCESS], capture_output=True, text=True, check=False)
    assert done.stdout == "settled True\n", done.stderr


@pytest.mark.parametrize(
    ("rounds", "is_idle", "expected"),
    [
        (garbage.DUE - 1, True, False),
        (garbage.DUE, True, True),
        (garbage.URGENT - 1, False, False),
        (garbage.URGENT, False, True),
    ],
)
@pytest.mark.parametrize("is_settled", [True, False])
def test_what_is_due(
    monkeypatch: pytest.MonkeyPatch, rounds: int, is_idle: bool, expected: bool, is_settled: bool
) -> None:
    collected = []
    monkeypatch.setattr(gc, "get_count", lambda: (0, 0, rounds))
    monkeypatch.setattr(gc, "get_threshold", lambda: (700, 10, 1_000_000 if is_settled else 10))
    monkeypatch.setattr(gc, "collect", lambda: collected.append(1))
    assert garbage.tidy(is_idle=is_idle) == (expected and is_settled) == bool(collected)
