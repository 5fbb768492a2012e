"""Warm start, measured: time to the same held-out loss, from scratch and from a trained student.

    python -m benchmarks.warm_start --work runs/warm-start

The voice is one that the student has never heard. All runs see the same lines in the same order, with
the same measurements and alignment, and each has the schedule that its start has by default, shortened to its
number of steps. The loss is that of the validation lines, on the same windows every time. Killed, the
command goes on where it stopped; the time of a run that was interrupted is too long, and the result says so.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
from collections.abc import Sequence
from datetime import datetime, timezone
from importlib import metadata
from itertools import pairwise
from pathlib import Path
from typing import Any

from . import machine
from .harness import write_result

VOICE = Path(__file__).with_name("warm_start.toml")
RESULT = Path(__file__).parent / "results" / "quality" / "warm-start.json"
SHARES = (0.1, 0.25, 0.5, 1.0)  # of the run from scratch: its loss there is what the others are held against
PAUSE_S = 300.0  # between two validations: longer means that the run stood still
VALIDATE_EVERY = 25  # steps
_COUNTS = {"steps": "step", "seconds": "seconds"}  # of a level -> of a point of a curve

Curve = list[dict[str, float]]


def main() -> None:
    """Run as a command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.warm_start", description=__doc__)
    parser.add_argument("--config", type=Path, default=VOICE, help="voice to learn (%(default)s)")
    parser.add_argument("--corpus", type=Path, help="corpus that is there already, instead of a voice")
    parser.add_argument("--work", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--student", default="builtin", help="what to start from (%(default)s)")
    parser.add_argument("--steps", type=int, default=3000, help="of the run from scratch (%(default)s)")
    parser.add_argument("--warm-steps", type=int, nargs="+", default=[300, 1000], help="(%(default)s)")
    parser.add_argument("--threads", type=int, default=2, help="of each run (%(default)s)")
    parser.add_argument("--out", type=Path, default=RESULT, help="result (%(default)s)")
    options = parser.parse_args()
    result = measure(options)
    write_result(options.out, result)
    print(table(result))
    print(f"\nkept in {options.out}")


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Render, train from scratch, train from the student, and compare."""
    facts = machine.describe()
    corpus = options.corpus or options.work / "corpus"
    if options.corpus is None:
        _distill("corpus", config=options.config, out=corpus)
    scratch = _train(options, corpus, "scratch", "scratch", options.steps)
    warm = {}
    for steps in options.warm_steps:
        name = f"warm-{steps}"
        _share(options.work / "scratch", options.work / name)
        warm[steps] = _train(options, corpus, name, options.student, steps)
    student = json.loads((options.work / name / "student" / "student.json").read_text("utf-8"))
    return {
        "date": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "machine": facts,
        "torch": metadata.version("torch"),
        "threads": options.threads,
        "corpus": _described(corpus),
        "student": student["started_from"],
        "scratch": scratch,
        "warm": warm,
        "levels": {steps: levels(scratch["curve"], run["curve"]) for steps, run in warm.items()},
    }


def _train(options: argparse.Namespace, corpus: Path, name: str, start: str, steps: int) -> dict[str, Any]:
    out = options.work / name
    _distill(
        "train", corpus=corpus, out=out, steps=steps, threads=options.threads,
        validate_every=VALIDATE_EVERY, **{"from": start},
    )  # fmt: skip
    found = curve(out / "log.jsonl")
    gaps = [later["seconds"] - earlier["seconds"] for earlier, later in pairwise(found)]
    return {"steps": steps, "interrupted": max(gaps, default=0.0) > PAUSE_S, "curve": found}


def _share(source: Path, target: Path) -> None:
    """Give a run the measurements and the alignment of another, which do not depend on the student."""
    target.mkdir(parents=True, exist_ok=True)
    if not (target / "features").exists():
        (target / "features").symlink_to((source / "features").resolve())
    shutil.copyfile(source / "alignment.json", target / "alignment.json")


def _distill(command: str, **flags: Any) -> None:
    arguments = [part for key, value in flags.items() for part in (f"--{key.replace('_', '-')}", str(value))]
    subprocess.run([sys.executable, "-m", "distill", command, *arguments], check=True)


def _described(corpus: Path) -> dict[str, Any]:
    path = corpus / "corpus.json"
    content = json.loads(path.read_text("utf-8")) if path.is_file() else {}
    return {key: content[key] for key in ("hours", "lines", "teachers") if key in content}


def curve(log: Path) -> Curve:
    """Read the validations of a run: step, seconds since the first of them, loss and its terms."""
    rows = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    valid = [row for row in rows if row["kind"] == "valid"]
    first = valid[0]["time"]
    kept = ("loss", "mel", "log_stft", "duration", "f0", "energy")
    return [
        {"step": row["step"], "seconds": round(row["time"] - first, 1), **{key: row[key] for key in kept}}
        for row in valid
    ]


def levels(scratch: Curve, warm: Curve, shares: Sequence[float] = SHARES) -> list[dict[str, Any]]:
    """Hold a run against the loss that the one from scratch has after a share of its steps.

    Returns:
        A row for each share with that loss, and steps and seconds of both until it is reached for the first
        time; of the run from the student they are None where it never is.
    """
    rows: list[dict[str, Any]] = []
    for share in shares:
        passed = [row for row in scratch if row["step"] <= share * scratch[-1]["step"]]
        loss = min(row["loss"] for row in passed)
        one, other = _reached(scratch, loss), _reached(warm, loss)
        assert one is not None, "the loss is one of its own"
        row: dict[str, Any] = {"loss": loss}
        row |= {f"scratch_{key}": one[name] for key, name in _COUNTS.items()}
        row |= {f"warm_{key}": other[name] if other else None for key, name in _COUNTS.items()}
        rows.append(row)
    return rows


def _reached(points: Curve, loss: float) -> dict[str, float] | None:
    return next((row for row in points if row["loss"] <= loss), None)


def table(result: dict[str, Any]) -> str:
    """Write the comparison as Markdown, for docs/train-a-voice.md."""
    lines = ["| held-out loss | from scratch | from the student | run of |", "| --- | --- | --- | --- |"]
    for steps, rows in result["levels"].items():
        for row in rows:
            scratch = f"{row['scratch_steps']} steps, {row['scratch_seconds'] / 60:.1f} min"
            warm = "not reached"
            if row["warm_steps"] is not None:
                warm = f"{row['warm_steps']} steps, {row['warm_seconds'] / 60:.1f} min"
            lines.append(f"| {row['loss']:.3f} | {scratch} | {warm} | {steps} steps |")
        best = min(point["loss"] for point in result["warm"][steps]["curve"])
        lines.append(f"| {best:.3f} | not reached | best of the run | {steps} steps |")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
