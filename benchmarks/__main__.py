"""``make bench``: measure this machine, keep the figures as JSON, write the tables of the README."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

from . import machine, mqtt, report, synthesis
from .harness import Measure, write_result

RESULTS = Path(__file__).parent / "results"


def main() -> None:
    """Run as a command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--device", default=machine.device_name(), help="folder of the results (%(default)s)")
    parser.add_argument("--bundle", type=Path, help="voice bundle (the built-in voice)")
    parser.add_argument(
        "--threads", type=int, default=2, help="threads of the daemon under test (%(default)s)"
    )
    parser.add_argument("--quick", action="store_true", help="a few samples, to try it out; nothing is kept")
    options = parser.parse_args()
    facts = machine.describe()
    if facts["busy"]:
        print(f"warning: the load is {facts['load']}: something else runs here, and the figures will say so")
    started = datetime.now(timezone.utc)
    measures = _measure(options.bundle, options.threads, options.quick)
    result = {
        "device": options.device,
        "date": started.isoformat(timespec="seconds"),
        "machine": facts,
        "measures": [measure.to_dict() for measure in measures],
    }
    print(report.tables(result))
    if options.quick:
        return
    path = RESULTS / options.device / f"{started:%Y-%m-%d}.json"
    write_result(path, result)
    print(f"kept in {path.relative_to(machine.ROOT)}; README.md and docs/benchmarks.md are made from it")
    report.update_pages()


def _measure(bundle: Path | None, threads: int, quick: bool) -> list[Measure]:
    rtf = synthesis.measure(
        2 if quick else 20, synthesis.SECONDS[: 2 if quick else 4], bundle, _show("synthesis")
    )
    latency = mqtt.measure(5 if quick else 200, 2 if quick else 7, threads, bundle, _show("MQTT"))
    return [*latency, *rtf, synthesis.bundle_size(bundle)]


def _show(name: str) -> Callable[[int, int], None]:
    def show(done: int, total: int) -> None:
        if sys.stderr.isatty():
            print(f"\r\x1b[K{name}: round {done + 1} of {total}", end="", file=sys.stderr, flush=True)

    return show


if __name__ == "__main__":
    main()
