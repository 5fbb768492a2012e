"""Each layer of the built-in voice by itself: harm in int8 and in float16, and the time that int8 saves.

    python -m benchmarks.layers

Its float student is exported and the lines of a verdict are spoken; needs PyTorch. Kept in
``benchmarks/results/<machine>/faster/layers.json``.
"""

from __future__ import annotations

import tempfile
from datetime import datetime, timezone
from pathlib import Path

from edge.bundle.bundle import Bundle
from edge.runners.verdict import verdict_lines
from edge.text import FrontEnd
from quantize.export import export
from quantize.lines import Line
from quantize.sensitivity import measure, table

from . import machine, report
from .harness import write_result

STUDENT = Path(__file__).parents[1] / "distill" / "students" / "builtin"
FILE = Path("faster") / "layers.json"
ROUNDS = 60


def lines() -> list[Line]:
    """What a verdict is spoken with, in every language of the voice."""
    found = verdict_lines(Bundle.load(None), FrontEnd())
    return [Line(one.text, tuple(one.phrase.symbols), one.inputs) for one in found]


def main() -> None:
    """Run as a command."""
    with tempfile.TemporaryDirectory() as folder:
        export(STUDENT, Path(folder))
        found = measure(Path(folder), lines(), ROUNDS)
    print(table(found))
    date = datetime.now(timezone.utc).isoformat(timespec="seconds")
    values = {"date": date, "machine": machine.describe(), "rounds": ROUNDS}
    values |= {"layers": {file: [one.to_dict() for one in layers] for file, layers in found.items()}}
    write_result(report.RESULTS / machine.device_name() / FILE, values)


if __name__ == "__main__":
    main()
