"""First sound over MQTT of two checkouts in turn: what a change gained between publish and loudspeaker.

    python -m benchmarks.first_sound ../before --name next-window-rests

Each checkout has a broker and a daemon of its own. The same line goes to the one and then to the other; while
one speaks, the other rests. Results: ``benchmarks/results/<machine>/faster/<name>.json``.
"""

from __future__ import annotations

import argparse
import random
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from . import machine
from .before_after import keep, speaker
from .harness import percentile
from .lines import chinese

CHARACTERS = (20, 80)
POINTS = (50, 95, 99)
WARM_UP = 5

# Runs in either checkout, so it imports nothing but what both have by the same name.
_CALLER = """
import json, sys
from benchmarks.mqtt import running

with running(2, None) as (bench, _, _):
    for row in map(json.loads, sys.stdin):
        print(json.dumps(bench.sample(row["text"], "bypass")), flush=True)
"""


def compare(before: Path, after: Path, rounds: int) -> list[dict[str, Any]]:
    """Rows of ms until the first sound, for lines of each length."""
    choose = random.Random(20_261_128)
    taken: dict[int, tuple[list[float], list[float]]] = {n: ([], []) for n in CHARACTERS}
    with ExitStack() as stack:
        sides = [stack.enter_context(speaker(root, _CALLER)) for root in (before, after)]
        for turn in range(-WARM_UP, rounds):
            for n_characters in CHARACTERS:
                text = chinese(n_characters, choose)
                for side in (0, 1) if turn % 2 else (1, 0):
                    spent = sides[side].take({"text": text})
                    if turn >= 0:
                        taken[n_characters][side].append(spent)
    return [_row(n_characters, *pair) for n_characters, pair in taken.items()]


def _row(n_characters: int, before: list[float], after: list[float]) -> dict[str, Any]:
    row: dict[str, Any] = {"what": "first sound", "characters": n_characters, "n": len(after)}
    for name, samples in (("before", before), ("after", after)):
        row[f"{name}_ms"] = {f"p{point}": round(percentile(samples, point), 2) for point in POINTS}
    return row


def main() -> None:
    """Run as a command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.first_sound", description=__doc__)
    parser.add_argument("before", type=Path, help="another checkout")
    parser.add_argument("--name", help="keep the result under this name")
    parser.add_argument("--rounds", type=int, default=150, help="lines of each length (%(default)s)")
    options = parser.parse_args()
    facts = machine.describe()
    rows = compare(options.before.resolve(), machine.ROOT, options.rounds)
    for row in rows:
        print(f"{row['characters']} characters: {row['before_ms']} -> {row['after_ms']} ms")
    if options.name:
        keep(options.name, options.before, facts, rows)


if __name__ == "__main__":
    main()
