"""Tables of the README and of docs/benchmarks.md: nothing is written there that was not measured."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .device_tables import Table, extra_tables
from .summary import summary

ROOT = Path(__file__).parent.parent
RESULTS = ROOT / "benchmarks" / "results"
DATED = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9].json"  # results of `make bench`; others have names
QUALITY = "quality"  # folder of what `sovits-distill evaluate` and `sovits-quantize compare` found
FULL_MODEL = "full-model"  # folder of what `python -m benchmarks.full_model` found
README = ROOT / "README.md"
PAGE = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- benchmarks:begin -->", "<!-- benchmarks:end -->"
PRECISIONS = {"baseline": "VITS*", "fp32": "FP32", "int8": "INT8"}
BASELINE_NOTE = (
    'VITS*: flow and decoder alone of a VITS voice of the size of Piper "medium", random weights, FP32, '
    "22.05 kHz, ONNX Runtime ([baseline.py](../benchmarks/baseline.py)). Ratios: one thread / two threads."
)
HIDDEN = (
    "What the processor has beyond AVX2, VNNI among it, was hidden from ONNX Runtime and NumPy "
    "([plain_avx2.py](../benchmarks/plain_avx2.py))."
)
STAGES = {
    "text features": "RoBERTa: text features",
    "tokens": "s1: text to semantic tokens",
    "text encoder": "s2: text encoder",
    "flow": "s2: flow",
    "generator": "s2: generator",
}
LANGUAGES = {"zh": "Chinese", "en": "English", "ja": "Japanese"}

Result = dict[str, Any]
Row = tuple[str, ...]


def latest() -> list[Result]:
    """The newest result of every device."""
    folders = sorted(RESULTS.iterdir()) if RESULTS.is_dir() else []
    newest = [max(dated) for folder in folders if (dated := list(folder.glob(DATED)))]
    return [json.loads(path.read_text(encoding="utf-8")) for path in newest]


def update_pages() -> None:
    """Replace what stands between the markers of README.md and docs/benchmarks.md.

    Raises:
        ValueError: the markers are gone.
    """
    for page, content in ((README, summary(latest())), (PAGE, section())):
        text = page.read_text(encoding="utf-8")
        if text.count(BEGIN) != 1 or text.count(END) != 1:
            raise ValueError(f"{page} must hold {BEGIN} and {END} once each")
        before, rest = text.split(BEGIN)
        after = rest.split(END)[1]
        page.write_text(f"{before}{BEGIN}\n{content}\n{END}{after}", encoding="utf-8")


def section() -> str:
    """What stands between the markers of docs/benchmarks.md."""
    results = latest()
    if not results:
        return "Not measured yet: `make bench`."
    full = [
        json.loads(path.read_text(encoding="utf-8")) for path in sorted((RESULTS / FULL_MODEL).glob("*.json"))
    ]
    return "\n\n".join([*(tables(result) for result in results), *(full_model_table(one) for one in full)])


def full_model_table(result: Result) -> str:
    """Stages of the full model and of the student on the same line, in seconds per second of sound."""
    line, facts, threads = result["line"], result["machine"], result["threads"]
    versions = facts["versions"]
    busy = f" **The machine was busy (load {facts['load']}).**" if facts["busy"] else ""
    heading = (
        f"Why distil: the full model (official size, random weights, PyTorch {versions['torch']}) and the "
        f"student (ONNX Runtime {versions['onnxruntime']}) on a Chinese line of {line['characters']} "
        f"characters, {line['seconds']:.1f} s of sound, {threads} thread{'s' if threads > 1 else ''} of "
        f"{facts['cpu']}; {result['date'][:10]}, commit {facts['commit']}.{busy}"
    )
    header = ("real-time factor", "v2", "v2ProPlus", "student FP32", "student INT8")
    return heading + "\n\n" + _table(header, _stage_rows(result))


def _stage_rows(result: Result) -> Iterator[Row]:
    length = result["line"]["seconds"]

    def took(stage: str, model: str, **variant: str) -> float:
        measure = _find(result, "stage", stage=stage, model=model, **variant)
        assert measure is not None, f"no {stage} of {model} in the result"
        return float(measure["p50"]) / length

    first, second = ("text features", "tokens"), ("text encoder", "flow", "generator")
    totals = []
    for stage in (*first, *second):
        factors = [took(stage, "s1" if stage in first else version) for version in ("v2", "v2ProPlus")]
        totals.append(factors)
        yield (STAGES[stage], *(f"{factor:.3f}" for factor in factors), "", "")
    students = [took("sound", "student", precision=precision) for precision in ("fp32", "int8")]
    yield ("all, ids to sound", *_factors([*map(sum, zip(*totals, strict=True)), *students]))
    firsts = [took("first sound", "student", precision=precision) for precision in ("fp32", "int8")]
    waits = [1000 * length * factor for factor in (*map(sum, zip(*totals, strict=True)), *firsts)]
    yield ("wait for the first sound", *(f"{wait:,.0f} ms" for wait in waits))
    faster = [sum(column) / students[1] for column in zip(*totals, strict=True)]
    yield ("student INT8 is faster by", *(f"{factor:,.0f} ×" for factor in faster), "", "")


def _factors(values: list[float]) -> Iterator[str]:
    return (f"**{value:.3f}**" if value >= 0.1 else f"**{value:.4f}**" for value in values)


def tables(result: Result) -> str:
    """All tables of one device, with what they have to be read with, as Markdown."""
    parts = [heading(result)]
    for table in all_tables(result):
        parts += [_table(table.header, iter(table.rows)), *([table.note] if table.note else [])]
    return "\n\n".join(parts)


def all_tables(result: Result) -> list[Table]:
    """All tables of one device."""
    factors = ("real-time factor, ids to PCM", *_columns(result), "INT8 to FP32", "INT8 to VITS")
    return [
        Table(("from publish over MQTT", "p50", "p95", "p99"), tuple(_latency_rows(result))),
        Table(factors, tuple(_rtf_rows(result)), BASELINE_NOTE),
        *extra_tables(result),
        Table(("on this machine", "p50", "highest"), tuple(_other_rows(result))),
    ]


def heading(result: Result) -> str:
    """Machine, versions, commit, and what stands against the figures."""
    facts = result["machine"]
    flags = ", ".join(facts["flags"]) or "no INT8 instructions"
    versions = facts["versions"]
    commit = facts["commit"] + (" and changes" if facts["modified"] else "")
    return (
        f"{facts['cpu']}, {facts['cores']} cores ({flags}); Python {facts['python']}, "
        f"ONNX Runtime {versions.get('onnxruntime', '?')}, mosquitto {facts['mosquitto'] or '?'}; "
        f"{result['date'][:10]}, commit {commit}.{_state(result)}"
    )


def _state(result: Result) -> str:
    """What else ran, and in which power mode."""
    facts, mode = result["machine"], result.get("power_mode", {})
    told = f" {HIDDEN}" if facts.get("plain_avx2") else ""
    if facts["busy"] and facts.get("real_time"):
        told += f" Taken with real-time priority beside a load of {facts['load']}."
    elif facts["busy"]:
        told += f" **The machine was busy (load {facts['load']}): read the ratios, not the times.**"
    if mode.get("benchmarked") and mode["found"] != mode["benchmarked"]:
        told += f" **Power mode {mode['found'] or 'unknown'}, not {mode['benchmarked']}.**"
    return told


def _table(header: Row, rows: Iterator[Row]) -> str:
    lines = [header, ("---", *("---:" for _ in header[1:])), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _find(result: Result, name: str, **variant: Any) -> Result | None:
    for measure in result["measures"]:
        if measure["name"] == name and variant.items() <= measure["variant"].items():
            return measure
    return None


def _of(result: Result, name: str) -> list[Result]:
    return [measure for measure in result["measures"] if measure["name"] == name]


def _latency_rows(result: Result) -> Iterator[Row]:
    order = sorted(_of(result, "first_sound"), key=lambda measure: measure["variant"]["cached"])
    for measure in order:
        variant = measure["variant"]
        kind = "prepared" if variant["cached"] else "new"
        name = (
            f"first sound, {kind} {LANGUAGES[variant['language']]} line of {variant['characters']} characters"
        )
        yield (name, *(f"{measure[point]:.1f} ms" for point in ("p50", "p95", "p99")))
    for measure in _of(result, "stop_to_silence"):
        yield ("silence after stop", *(f"{measure[point]:.1f} ms" for point in ("p50", "p95", "p99")))


def _configurations(result: Result) -> list[tuple[str, int]]:
    found = {
        (measure["variant"]["precision"], measure["variant"]["threads"]) for measure in _of(result, "rtf")
    }
    return sorted(found)


def _columns(result: Result) -> Iterator[str]:
    for precision, threads in _configurations(result):
        yield f"{PRECISIONS[precision]}, {threads} thread{'s' if threads > 1 else ''}"


def _rtf_rows(result: Result) -> Iterator[Row]:
    for seconds in sorted({measure["variant"]["seconds"] for measure in _of(result, "rtf")}):
        medians = {
            (measure["variant"]["precision"], measure["variant"]["threads"]): measure["p50"]
            for measure in _of(result, "rtf")
            if measure["variant"]["seconds"] == seconds
        }
        cells = (f"{medians[key]:.4f}" if key in medians else "" for key in _configurations(result))
        yield (f"{seconds} s of sound", *cells, _gain(medians, "fp32"), _gain(medians, "baseline"))


def _gain(medians: dict[tuple[str, int], float], other: str) -> str:
    """How many times faster INT8 is than another, for each number of threads that both were run with."""
    threads = sorted({n for precision, n in medians if precision == other})
    return " / ".join(f"{medians[other, n] / medians['int8', n]:.1f} ×" for n in threads)


def _other_rows(result: Result) -> Iterator[Row]:
    rows: tuple[tuple[str, str, dict[str, Any], str], ...] = (
        ("text stage, 20 Chinese characters", "text_stage", {"language": "zh"}, "{:.2f} ms"),
        ("text stage, 20 English characters", "text_stage", {"language": "en"}, "{:.2f} ms"),
        ("text stage, 20 Japanese characters", "text_stage", {"language": "ja"}, "{:.2f} ms"),
        ("daemon: process start to `online`", "start_to_ready", {}, "{:.0f} ms"),
        ("daemon: resident memory when ready", "memory", {"when": "ready"}, "{:.0f} MiB"),
        ("daemon: resident memory, highest in this run", "memory", {"when": "highest"}, "{:.0f} MiB"),
        ("voice bundle on disk", "bundle_size", {}, "{:.1f} MiB"),
    )
    for label, name, variant, form in rows:
        measure = _find(result, name, **variant)
        if measure is not None:
            highest = form.format(measure["high"]) if measure["n"] > 1 else ""
            yield (label, form.format(measure["p50"]), highest)


if __name__ == "__main__":
    update_pages()
