"""The one table of the README: a row per promise, a column per machine."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from .device_tables import of, times_ours

Result = dict[str, Any]
LINE = {"language": "zh", "characters": 20}
THREADS, SECONDS = 2, 20


def summary(results: Sequence[Result]) -> str:
    """Return the table of the newest result of every machine, or what to run where there is none."""
    if not results:
        return "Not measured yet: `make bench`."
    header = ["two threads, the built-in voice", *(_machine(result) for result in results)]
    lines = [header, ["---", *("---:" for _ in results)]]
    lines += [[label, *(cell(result) for result in results)] for label, cell in ROWS]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _machine(result: Result) -> str:
    facts = result["machine"]
    kind = "VNNI" if any("vnni" in flag for flag in facts["flags"]) else "AVX2"
    kind += " (VNNI hidden)" if facts.get("plain_avx2") else ""
    return f"{facts['cores']} cores, {facts['cpu'].replace('(R)', '')}, {kind}"


def _find(result: Result, name: str, **variant: Any) -> Result | None:
    found = (measure for measure in result["measures"] if measure["name"] == name)
    return next((measure for measure in found if variant.items() <= measure["variant"].items()), None)


def _cell(form: str, *points: str, name: str, **variant: Any) -> Callable[[Result], str]:
    def cell(result: Result) -> str:
        measure = _find(result, name, **variant)
        return "" if measure is None else form.format(*(measure[point] for point in points))

    return cell


def _against_vits(result: Result) -> str:
    ours, theirs = (
        _find(result, "rtf", precision=precision, threads=THREADS, seconds=SECONDS)
        for precision in ("int8", "baseline")
    )
    return "" if ours is None or theirs is None else f"{theirs['p50'] / ours['p50']:.1f} ×"


def _against_piper(result: Result) -> str:
    peers = of(result, "peer_rtf")
    piper = next((one for one in peers if one["variant"]["name"].startswith("Piper")), None)
    return "" if piper is None else f"{times_ours(result, piper):.1f} ×"


ROWS: tuple[tuple[str, Callable[[Result], str]], ...] = (
    (
        "first sound after publish, 20 new characters (p50 / p99)",
        _cell("{:.0f} / {:.0f} ms", "p50", "p99", name="first_sound", cached=False, **LINE),
    ),
    (
        "the same, prepared (p50 / p99)",
        _cell("{:.1f} / {:.1f} ms", "p50", "p99", name="first_sound", cached=True, **LINE),
    ),
    ("silence after stop (p50 / p99)", _cell("{:.0f} / {:.0f} ms", "p50", "p99", name="stop_to_silence")),
    (
        f"real-time factor, INT8, {SECONDS} s of sound",
        _cell("{:.4f}", "p50", name="rtf", precision="int8", threads=THREADS, seconds=SECONDS),
    ),
    ("faster than a VITS of the size of Piper medium", _against_vits),
    ("faster than the real Piper medium voice", _against_piper),
    (
        "four callers, against one thread",
        _cell("{:.2f} ×", "p50", name="throughput_ratio", threads=THREADS, children=2, callers=4),
    ),
    ("networks alone, INT8 against FP32", _cell("{:.2f} ×", "p50", name="networks_ratio")),
    ("daemon: start to ready", _cell("{:,.0f} ms", "p50", name="start_to_ready")),
    ("daemon: resident memory when ready", _cell("{:.0f} MiB", "p50", name="memory", when="ready")),
    ("voice bundle on disk", _cell("{:.1f} MiB", "p50", name="bundle_size")),
)
