"""Two results of one machine as ratios: ``python -m benchmarks.compare BEFORE.json AFTER.json``.

Results of different machines are never put into a ratio: that says nothing about the software.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Result = dict[str, Any]
SAME = ("cpu", "model", "cores", "flags", "governor")


class OtherMachineError(ValueError):
    """The results are of different machines."""


def check(before: Result, after: Result) -> list[str]:
    """Say what to mind; empty if the results may be compared without more ado.

    Raises:
        OtherMachineError: they are of different machines.
    """
    left, right = before["machine"], after["machine"]
    for name in SAME:
        if left.get(name) and right.get(name) and left[name] != right[name]:
            raise OtherMachineError(
                f"different machines ({name}: {left[name]}, {right[name]}); measure both on one of them, "
                "or in one run with python -m benchmarks.before_after"
            )
    found = [f"the machine was busy at {one['date']}" for one in (before, after) if one["machine"]["busy"]]
    modes = [one.get("power_mode", {}).get("found", "") for one in (before, after)]
    if modes[0] != modes[1]:
        found.append(f"power modes differ: {modes[0] or 'unknown'}, {modes[1] or 'unknown'}")
    for one in (before, after):
        mode = one.get("power_mode", {})
        if mode.get("benchmarked") and mode["found"] != mode["benchmarked"]:
            found.append(f"{one['date']} was not in the power mode of its benchmark, {mode['benchmarked']}")
    return found


def ratios(before: Result, after: Result) -> Iterator[tuple[str, float, float, float]]:
    """Name, both medians, and the first divided by the second, of every figure that both hold."""
    olds = {_key(measure): measure["p50"] for measure in before["measures"]}
    for measure in after["measures"]:
        old = olds.get(_key(measure))
        if old and measure["p50"]:
            yield _key(measure), old, measure["p50"], old / measure["p50"]


def _key(measure: Result) -> str:
    told = ("differs", "version", "licence")
    about = ", ".join(f"{key} {value}" for key, value in measure["variant"].items() if key not in told)
    return f"{measure['name']} ({about})" if about else str(measure["name"])


def main() -> None:
    """Run as a command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description=__doc__)
    parser.add_argument("before", type=Path)
    parser.add_argument("after", type=Path)
    options = parser.parse_args()
    before, after = (json.loads(path.read_text("utf-8")) for path in (options.before, options.after))
    try:
        for warning in check(before, after):
            print(f"warning: {warning}", file=sys.stderr)
    except OtherMachineError as error:
        sys.exit(str(error))
    for name, old, new, ratio in ratios(before, after):
        print(f"{ratio:6.2f} x  {old:10.4g} -> {new:<10.4g} {name}")


if __name__ == "__main__":
    main()
