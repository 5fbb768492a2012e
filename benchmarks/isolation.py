"""What a synthesiser in a process of its own costs, and what it saves: ``python -m benchmarks.isolation``.

Two daemons side by side, one with the synthesiser in a child process and one with it on a thread, take turns.
Then the child is killed, and stopped so that it hangs, each time just before a line.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
from contextlib import ExitStack
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

from . import machine
from .harness import Measure, interleave, summarize, write_result
from .lines import chinese
from .mqtt import Bench, Probe, running

ENGINES = ("process", "thread")
RESULTS = Path(__file__).parent / "results" / "isolation"
N_CHARACTERS = 20
THREADS = 2


def measure(repeats: int, n_losses: int) -> list[Measure]:
    """First sound, start and memory with and without a child; first sound after the loss of one."""
    measures = []
    with ExitStack() as stack:
        daemons = {engine: stack.enter_context(running(THREADS, None, engine)) for engine in ENGINES}
        for engine, (_, probe, ready_ms) in daemons.items():
            measures.append(summarize("start_to_ready", "ms", {"engine": engine}, [ready_ms]))
            resident = probe.memory_mib("VmRSS")
            measures.append(summarize("memory", "MiB", {"engine": engine, "when": "ready"}, [resident]))
        choose = random.Random(20_240_229)
        variants = [
            ({"engine": engine, "characters": N_CHARACTERS}, partial(_say, bench, choose))
            for engine, (bench, _, _) in daemons.items()
        ]
        taken = interleave(variants, repeats, warm_up=3)
        measures += [summarize("first_sound", "ms", variant, samples) for variant, samples in taken]
        bench, probe, _ = daemons["process"]
        for number in (signal.SIGKILL, signal.SIGSTOP):
            samples = [_after(number, bench, probe, choose) for _ in range(n_losses)]
            measures.append(summarize("first_sound", "ms", {"after": number.name}, samples))
    for engine in ENGINES:
        with running(THREADS, None, engine) as (_, _, ready_ms):
            measures.append(summarize("start_to_ready_alone", "ms", {"engine": engine}, [ready_ms]))
    return measures


def _say(bench: Bench, choose: random.Random) -> float:
    return bench.sample(chinese(N_CHARACTERS, choose), "bypass")


def _after(number: signal.Signals, bench: Bench, probe: Probe, choose: random.Random) -> float:
    os.kill(probe.engine_pid(), number)
    return _say(bench, choose)


def main() -> None:
    """Run as a command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.isolation", description=__doc__)
    parser.add_argument("--device", default=machine.device_name(), help="name of the result (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="a few samples, to try it out; nothing is kept")
    options = parser.parse_args()
    measures = measure(*((5, 2) if options.quick else (200, 10)))
    for each in measures:
        print(each.name, each.variant, f"p50 {each.p50:.2f} {each.unit}, p95 {each.p95:.2f}", file=sys.stderr)
    if options.quick:
        return
    result = {
        "device": options.device,
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "machine": machine.describe(),
        "measures": [each.to_dict() for each in measures],
    }
    path = RESULTS / f"{options.device}.json"
    write_result(path, result)
    print(f"kept in {path.relative_to(machine.ROOT)}")


if __name__ == "__main__":
    main()
