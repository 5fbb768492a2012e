"""Two checkouts timed in turn: what a change gained, as ratios of one run.

    python -m benchmarks.before_after ../before --name phrases-at-once

Each checkout runs in a process of its own; both speak the same lines, one sample here, one sample there. Kept
are wall time and processor time: the latter says what a line costs even where the machine is busy. Results:
``benchmarks/results/<machine>/faster/<name>.json``. That both say the same is for ``same_sound.py``.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timezone
from pathlib import Path
from statistics import median
from typing import Any

from . import machine
from .harness import write_result

RESULTS = Path(__file__).parent / "results"
FOLDER = "faster"
SENTENCE = "故事很长星星亮了，风很安静雨还在下，路在脚下水流过桥，山后有村他没有来。"
LINES = {
    "5 characters": SENTENCE[:4] + "。",
    "20 characters": SENTENCE[:19] + "。",
    "80 characters": SENTENCE[:-1] + "，" + SENTENCE,
    "20 s": SENTENCE * 4,
    "60 s": SENTENCE * 12,
}
SAMPLES: tuple[dict[str, Any], ...] = (
    *({"what": "line", "line": line, "threads": n} for line in ("20 characters", "20 s") for n in (1, 2)),
    {"what": "line", "line": "60 s", "threads": 2},
    *({"what": "first chunk", "line": line, "threads": 2} for line in tuple(LINES)[:3]),
    {"what": "four callers", "line": "20 characters", "threads": 2},
)

# In front of what runs in either checkout.
OF_THIS_CHECKOUT = """
import sys
from pathlib import Path
import edge

if Path(edge.__file__).parents[1] != Path.cwd():
    sys.exit(f"imported {edge.__file__}, which is another checkout")
"""

# Runs in either checkout, so it imports nothing but what both have by the same name.
_SPEAKER = """
import gc, json, sys, threading, time
from edge.engine.base import RENDER, LineDone, LineError
from edge.engine.thread import ThreadEngine
from edge.synthesizer import SpeechRequest, Synthesizer

sys.setswitchinterval(0.0005)
lines = json.loads(sys.stdin.readline())
voices = {n: Synthesizer.load(threads=n) for n in (1, 2)}
requests = {n: SpeechRequest(text, "noah", "zh") for n, text in lines.items()}
done, ready, waiting = threading.Semaphore(0), threading.Event(), set()

def hear(message):
    ready.set()
    if isinstance(message, (LineDone, LineError)):
        done.release()

engine = ThreadEngine(lambda: Synthesizer.load(threads=2), hear)
engine.open()
ready.wait()

def take(what, line, threads):
    voice, request = voices[threads], requests[line]
    if what == "line":
        for _ in voice.stream(voice.prepare(request)): pass
    elif what == "first chunk":
        next(voice.stream(voice.prepare(request)))
    elif what == "four callers":
        for number in range(8): engine.start(str(number), request, RENDER)
        for number in range(8): done.acquire()

gc.freeze()
for row in map(json.loads, sys.stdin):
    gc.collect()
    wall, cpu = time.perf_counter(), time.process_time()
    take(**row)
    print(json.dumps([time.perf_counter() - wall, time.process_time() - cpu]), flush=True)
"""


class Speaker:
    """A checkout in a process of its own."""

    def __init__(self, root: Path, process: subprocess.Popen[str]) -> None:
        self.root = root
        self._process = process

    def tell(self, row: Any) -> None:
        """Send it something."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(row) + "\n")
        self._process.stdin.flush()

    def take(self, sample: dict[str, Any]) -> Any:
        """What one sample gives.

        Raises:
            RuntimeError: the checkout does not run; its message is on stderr.
        """
        self.tell(sample)
        assert self._process.stdout is not None
        answer = self._process.stdout.readline()
        if not answer:
            raise RuntimeError(f"{self.root} does not run; its message is above")
        return json.loads(answer)


@contextmanager
def speaker(root: Path, program: str) -> Iterator[Speaker]:
    """A checkout, ready to be timed.

    Args:
        root: of the checkout.
        program: takes a line of JSON for each sample, and gives one.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", OF_THIS_CHECKOUT + program],
        cwd=root,
        env={**os.environ, "PYTHONPATH": str(root)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield Speaker(root, process)


def compare(before: Path, after: Path, rounds: int) -> list[dict[str, Any]]:
    """Rows of sample, ms of both, and how many times faster the second is."""
    with ExitStack() as stack:
        sides = [stack.enter_context(speaker(root, _SPEAKER)) for root in (before, after)]
        for checkout in sides:
            checkout.tell(LINES)
        taken: list[list[list[tuple[float, float]]]] = [[[], []] for _ in SAMPLES]
        for turn in range(-2, rounds):  # the first two are for warming up
            for number, sample in enumerate(SAMPLES):
                for side in (0, 1) if turn % 2 else (1, 0):
                    wall, cpu = sides[side].take(sample)
                    if turn >= 0:
                        taken[number][side].append((1000 * wall, 1000 * cpu))
    return [_row(sample, *pair) for sample, pair in zip(SAMPLES, taken, strict=True)]


def keep(name: str, before: Path, facts: dict[str, Any], rows: list[dict[str, Any]]) -> None:
    """Write rows down with what they have to be read with.

    Args:
        name: of the result.
        before: the other checkout.
        facts: of the machine, as it was found.
        rows: of samples.
    """
    path = RESULTS / machine.device_name() / FOLDER / f"{name}.json"
    date = datetime.now(timezone.utc).isoformat(timespec="seconds")
    write_result(path, {"date": date, "machine": facts, "before": machine.commit(before), "rows": rows})
    print(f"kept in {path.relative_to(machine.ROOT)}")


def _row(
    sample: dict[str, Any], before: list[tuple[float, float]], after: list[tuple[float, float]]
) -> dict[str, Any]:
    row: dict[str, Any] = {**sample, "n": len(after)}
    for index, clock in enumerate(("wall", "cpu")):
        old, new = ([times[index] for times in side] for side in (before, after))
        row[f"{clock}_ms"] = {"before": round(median(old), 3), "after": round(median(new), 3)}
        row[f"{clock}_ratio"] = round(median(old) / median(new), 3)
        row[f"{clock}_ratio_of_least"] = round(min(old) / min(new), 3)
    return row


def main() -> None:
    """Run as a command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.before_after", description=__doc__)
    parser.add_argument("before", type=Path, help="another checkout")
    parser.add_argument("--name", help="keep the result under this name")
    parser.add_argument("--rounds", type=int, default=15, help="samples of each kind (%(default)s)")
    options = parser.parse_args()
    facts = machine.describe()
    rows = compare(options.before.resolve(), machine.ROOT, options.rounds)
    for row in rows:
        name = f"{row['what']}, {row['line']}, {row['threads']} threads"
        print(
            f"{name:40} wall {row['wall_ratio']:.2f} (least {row['wall_ratio_of_least']:.2f})  "
            f"cpu {row['cpu_ratio']:.2f} (least {row['cpu_ratio_of_least']:.2f})  "
            f"{row['wall_ms']['before']:.1f} -> {row['wall_ms']['after']:.1f} ms"
        )
    if options.name:
        keep(options.name, options.before, facts, rows)


if __name__ == "__main__":
    main()
