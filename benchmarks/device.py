"""Harness of a device: every figure of one machine in one run, kept with what they have to be read with.

Each file named after a device (``jetson_orin_nano.py`` …) is constants and a call of :func:`main`.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from edge.synthesizer import PreparedLine, Synthesizer

from . import callers, durability, floor, machine, mqtt, networks, peers, report, synthesis
from .harness import Measure, summarize, write_result
from .sensors import PowerMeter, Sensors, power_mode

POWER_S = 5.0


@dataclass(frozen=True)
class Device:
    """What is measured on a kind of machine."""

    name: str
    """Folder of its results; empty: after the processor."""
    title: str
    model: str
    """Regular expression that the machine's model has to match."""
    power_mode: str = ""
    """In which it is benchmarked; empty: it has none."""
    threads: int = 2
    """Of the daemon under test."""
    gpu_runner: str = ""
    """Runner to be compared with ONNX Runtime by ``sovits-quantize verdict``, named in the report."""


@dataclass(frozen=True)
class Plan:
    """How much of it."""

    bundle: Path | None
    kokoro: Path | None
    quick: bool

    def times(self, full: int, quick: int = 2) -> int:
        """Repeats."""
        return quick if self.quick else full


def main(device: Device) -> None:
    """Run as a command."""
    options = _parser(device).parse_args()
    facts = machine.describe()
    for warning in warnings(device, facts, power_mode()):
        print(f"warning: {warning}", file=sys.stderr)
    if not re.search(device.model, facts["model"] or facts["cpu"], re.IGNORECASE):
        sys.exit(
            f"this is {facts['model'] or facts['cpu']}, not {device.title}; run its own file, or make bench"
        )
    result = run(device, Plan(options.bundle, options.kokoro, options.quick), facts)
    print(report.tables(result))
    if not options.quick:
        path = report.RESULTS / result["device"] / f"{result['date'][:10]}.json"
        write_result(path, result)
        print(f"kept in {path.relative_to(machine.ROOT)}; make bench-report writes tables and pages from it")


def warnings(device: Device, facts: dict[str, Any], mode: str) -> list[str]:
    """What stands against figures that are taken now."""
    found = []
    if facts["busy"]:
        found.append(f"the load is {facts['load']}: something else runs here, and the figures will say so")
    if device.power_mode and mode != device.power_mode:
        known = mode or "unknown"
        found.append(
            f"power mode {known}; {device.title} is benchmarked in {device.power_mode}: set it with nvpmodel"
        )
    return found


def run(device: Device, plan: Plan, facts: dict[str, Any]) -> dict[str, Any]:
    """All figures."""
    started = datetime.now(timezone.utc)
    seconds = synthesis.SECONDS[: plan.times(4, 2)]
    measures = [
        *mqtt.measure(plan.times(200, 5), plan.times(7), device.threads, plan.bundle, _show("MQTT")),
        *durability.measure(
            plan.times(durability.LINES, 5),
            plan.times(durability.ROUNDS, 1),
            plan.times(durability.STOPS, 2),
            _show("durability"),
        ),
        *synthesis.measure(plan.times(20), seconds, plan.bundle, _show("synthesis")),
        *callers.measure(plan.times(10), device.threads, plan.bundle, _show("callers")),
        *networks.measure(plan.times(20), plan.bundle, _show("networks")),
        *floor.measure(plan.times(10), plan.bundle, _show("floor")),
    ]
    theirs, missing = peers.measure(plan.times(15), plan.bundle, plan.kokoro, _show("peers"))
    measures += [*theirs, *power(plan.bundle, device.threads, plan.times(int(POWER_S), 1))]
    return {
        "device": device.name or machine.device_name(),
        "title": device.title,
        "date": started.isoformat(timespec="seconds"),
        "machine": facts,
        "power_mode": {"found": power_mode(), "benchmarked": device.power_mode},
        "sensors": {"celsius": Sensors().celsius(), "megahertz": Sensors().megahertz()},
        "peers_missing": missing,
        "measures": [measure.to_dict() for measure in measures]
        + [synthesis.bundle_size(plan.bundle).to_dict()],
    }


def power(bundle: Path | None, threads: int, seconds: float) -> list[Measure]:
    """Watts at rest and while speaking, joules for a second of sound; nothing where no sensor can be read."""
    synthesizer = Synthesizer.load(bundle, threads=threads)
    line = synthesis.line_of(synthesizer, 20)
    with PowerMeter() as resting:
        _wait(seconds)
    with PowerMeter() as speaking:
        sound_s, spent_s = _speak(synthesizer, line, seconds)
    synthesizer.close()
    measures = []
    for name in sorted(set(resting.watts) & set(speaking.watts)):
        for state, watts in (("rest", resting.watts[name]), ("speaking", speaking.watts[name])):
            measures.append(summarize("power", "W", {"rail": name, "state": state}, [watts]))
        more = max(speaking.watts[name] - resting.watts[name], 0.0)
        measures.append(summarize("energy", "J/s", {"rail": name}, [more * spent_s / sound_s]))
    return measures


def _speak(synthesizer: Synthesizer, line: PreparedLine, seconds: float) -> tuple[float, float]:
    """Speak for so long; gives seconds of sound and seconds spent."""
    began, samples = time.perf_counter(), 0
    while time.perf_counter() - began < seconds:
        samples += sum(len(chunk.samples) for chunk in synthesizer.stream(line))
    return samples / synthesizer.bundle.manifest.sample_rate, time.perf_counter() - began


def _wait(seconds: float) -> None:
    time.sleep(seconds)


def _show(name: str) -> Callable[[int, int], None]:
    def show(done: int, total: int) -> None:
        if sys.stderr.isatty():
            print(f"\r\x1b[K{name}: round {done + 1} of {total}", end="", file=sys.stderr, flush=True)

    return show


def _parser(device: Device) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=f"Measure {device.title}.")
    parser.add_argument("--bundle", type=Path, help="voice bundle (the built-in voice)")
    parser.add_argument("--kokoro", type=Path, help="folder of sovits-distill kokoro (its default)")
    parser.add_argument("--quick", action="store_true", help="a few samples, to try it out; nothing is kept")
    return parser
