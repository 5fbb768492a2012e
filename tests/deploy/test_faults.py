"""Faults: an update that is killed, torn or out of room at any moment leaves a box with a whole release.

UPDATES=300 does it three hundred times (`make faults-update`) and writes what came of it into the document;
the default is a short run.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from benchmarks import machine
from deploy.medium import open_medium
from deploy.slot import Slot
from deploy.update import Update

from .boxes import is_whole, make_device, make_medium
from .published import put_table

ROUNDS = int(os.environ.get("UPDATES", "12"))
ROOT = Path(__file__).parents[2]
RESULT = ROOT / "benchmarks/results/faults/updates.json"
DOCUMENT = ROOT / "docs/deploy-a-device.md"
STEPS = ("checking", "fetching", "installing", "speaking", "switching", "done")


def start(box: Path, medium: Path, largest_file: int = 0) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.deploy.update_once", str(box), str(medium), str(largest_file)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None and process.stdout.readline() == "ready\n"
    return process


def whole_after_recovery(box: Path) -> str:
    """Come up as the unit does, and give the software's release, which has to be whole: then it says so."""
    slots = [Slot(box / name) for name in ("software", "content")]
    for slot in slots:
        slot.recover()
    software = slots[0]
    assert software.current() in software.names()
    assert is_whole(software.path(software.current()))
    name = software.current().rpartition("-")[0]
    for slot in slots:
        slot.confirm()
    return name


def tear(box: Path, chance: random.Random) -> None:
    """Cut short what a power cut need not leave whole: files of releases without a name."""
    loose = [path for path in box.rglob("*") if path.is_file() and "/." in str(path)]
    loose += list((box / "spool").glob("*.part"))
    for path in loose:
        if chance.random() < 0.5:
            path.write_bytes(path.read_bytes()[: chance.randrange(path.stat().st_size + 1)])


@pytest.fixture
def box(tmp_path: Path) -> Path:
    path = tmp_path / "box"
    Update(make_device(path), open_medium(str(make_medium(tmp_path / "m0", "1.0.0", 1)))).run()
    return path


class Tally:
    """Faults by the step in which they hit, and what the box came up with."""

    def __init__(self) -> None:
        self.before: Counter[str] = Counter()
        self.after: Counter[str] = Counter()

    def add(self, process: subprocess.Popen[str], lines: list[str], is_new: bool) -> None:
        """Count a fault; an update that ended in order counts as its own step."""
        assert process.stdout is not None
        last = [*lines, *process.stdout.read().splitlines()][-1:]
        step = next((name for name in STEPS if last and last[0].startswith(name)), "starting")
        (self.after if is_new else self.before)[step] += 1

    def publish(self) -> None:
        """Write the result, and its table into the document."""
        rows = [(step, self.before[step], self.after[step], 0) for step in ("starting", *STEPS)]
        facts = {step: {"release before": old, "new release": new} for step, old, new, _ in rows}
        RESULT.parent.mkdir(parents=True, exist_ok=True)
        RESULT.write_text(
            json.dumps({"machine": machine.describe(), "rounds": ROUNDS, "steps": facts}, indent=1)
        )
        head = ("last step begun", "came up with the release before", "with the new one", "with none")
        put_table(DOCUMENT, "faults", head, rows)


def interrupt(process: subprocess.Popen[str], chance: random.Random, longest_s: float) -> list[str]:
    """Kill an update: at a random time, or as soon as a step has begun; gives the steps that were read."""
    lines: list[str] = []
    if chance.random() < 0.5:
        wanted = chance.choice(STEPS)
        assert process.stdout is not None
        for line in process.stdout:
            lines.append(line.strip())
            if line.startswith(wanted):
                time.sleep(chance.random() * 0.004)
                break
    else:
        time.sleep(chance.random() * longest_s)
    process.kill()
    return lines


def test_a_box_whose_update_is_killed_has_a_whole_release(box: Path, tmp_path: Path) -> None:
    chance, tally = random.Random(20261127), Tally()
    number, longest_s = 1, 0.25
    for turn in range(ROUNDS):
        number += 1
        version = f"1.{number}.0"
        medium = make_medium(tmp_path / f"m{number}", version, number, lexicon=f"word{number} W")
        before = whole_after_recovery(box)
        fault = chance.choice(["kill", "kill", "kill", "full"])
        process = start(box, medium, chance.choice([1_000, 6_000, 9_000]) if fault == "full" else 0)
        with process:
            began = time.monotonic()
            lines = interrupt(process, chance, longest_s) if fault == "kill" else []
            process.wait(60)
            longest_s = max(0.1, min(longest_s, 1.5 * (time.monotonic() - began) + 0.05))
            tear(box, chance)
            after = whole_after_recovery(box)
            assert after in (before, version), f"round {turn}, {fault}: {after}"
            tally.add(process, lines, after == version)
        # Whatever happened, the same update goes through afterwards.
        if chance.random() < 0.5:
            Update(make_device(box), open_medium(str(medium))).run()
            assert whole_after_recovery(box) == version
    assert tally.before, "no fault ever hit an update: the kills come too late"
    if "UPDATES" in os.environ:
        tally.publish()


def test_a_full_disk_changes_nothing_and_is_said(box: Path, tmp_path: Path) -> None:
    process = start(box, make_medium(tmp_path / "m2", "1.2.0", 2), 6_000)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 2 and "File too large" in error
    assert whole_after_recovery(box) == "1.0.0"
