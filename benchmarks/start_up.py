"""Start of the synthesiser, two checkouts in turn: processor time until the voice has spoken its golden line.

    python -m benchmarks.start_up ../before

Each start is a fresh process that imports, opens the built-in voice and lets it speak. The rest of the
dictionaries is counted for itself: the daemon is online before they are loaded. Kept in
``benchmarks/results/<machine>/faster/start-up.json``.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from . import machine, report
from .harness import write_result

FILE = Path("faster") / "start-up.json"
STARTS = 7
PROGRAM = """
import json, time
began = time.process_time()
from edge.engine.child import VoiceSource
imported = time.process_time()
voice = VoiceSource().load()
spoken = time.process_time()
if hasattr(voice, "is_warm"):
    voice.warm_up()
done = time.process_time()
print(json.dumps({"imports": imported - began, "voice": spoken - imported, "later": done - spoken}))
"""


def start(checkout: Path) -> dict[str, float]:
    """Start once; gives the ms of each part."""
    environment = {**os.environ, "PYTHONPATH": str(checkout), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-c", PROGRAM]
    done = subprocess.run(command, cwd=checkout, env=environment, capture_output=True, text=True, check=True)
    return {name: seconds * 1000 for name, seconds in json.loads(done.stdout).items()}


def measure(checkouts: dict[str, Path], starts: int = STARTS) -> dict[str, dict[str, Any]]:
    """Start all in turn; gives median and least time of each part, in ms."""
    taken: dict[str, list[dict[str, float]]] = {name: [] for name in checkouts}
    for _ in range(starts):
        for name, path in checkouts.items():
            taken[name].append(start(path))
    found = {}
    for name, rows in taken.items():
        rows = [{**row, "until_up": row["imports"] + row["voice"]} for row in rows]
        found[name] = {
            part: {
                "median": round(statistics.median(row[part] for row in rows), 1),
                "least": round(min(row[part] for row in rows), 1),
            }
            for part in rows[0]
        }
    return found


def main(before: Path) -> None:
    """Run as a command."""
    found = measure({"before": before, "after": Path(__file__).parents[1]})
    for name, parts in found.items():
        print(name, parts)
    date = datetime.now(timezone.utc).isoformat(timespec="seconds")
    values = {"date": date, "machine": machine.describe(), "unit": "ms of processor time", "starts": STARTS}
    write_result(report.RESULTS / machine.device_name() / FILE, {**values, **found})


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
