from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks import report
from benchmarks.harness import summarize

RTF = {"baseline": (0.06, 0.04), "fp32": (0.012, 0.008), "int8": (0.006, 0.005)}


def result(busy: bool = False) -> dict[str, Any]:
    measures = [
        summarize("first_sound", "ms", {"language": "zh", "characters": 20, "cached": True}, [1.0, 2.0, 3.0]),
        summarize(
            "first_sound", "ms", {"language": "zh", "characters": 20, "cached": False}, [10.0, 12.34, 20.0]
        ),
        summarize("stop_to_silence", "ms", {}, [24.0, 25.0]),
        summarize("memory", "MiB", {"when": "ready"}, [150.4]),
        summarize("start_to_ready", "ms", {}, [900.0, 1000.0, 1100.0]),
    ]
    for precision, figures in RTF.items():
        for threads, figure in zip((1, 2), figures, strict=True):
            variant = {"precision": precision, "threads": threads, "seconds": 5}
            measures.append(summarize("rtf", "1", variant, [figure]))
    machine = {
        "cpu": "Test CPU", "cores": 2, "flags": ["avx512_vnni"], "python": "3.11.7", "mosquitto": "2.0.11",
        "versions": {"onnxruntime": "1.32.0"}, "commit": "abc", "modified": False, "busy": busy, "load": 3.0,
    }  # fmt: skip
    date = "2026-11-22T18:00:00+00:00"
    return {"device": "test", "date": date, "machine": machine, "measures": [m.to_dict() for m in measures]}


def test_tables_hold_the_measured_figures() -> None:
    text = report.tables(result())
    assert "| first sound, new Chinese line of 20 characters | 12.3 ms | 20.0 ms | 20.0 ms |" in text
    factors = ("0.0600", "0.0400", "0.0120", "0.0080", "0.0060", "0.0050")
    assert f"| 5 s of sound | {' | '.join(factors)} | 2.0 × / 1.6 × | 10.0 × / 8.0 × |" in text
    assert "| daemon: process start to `online` | 1000 ms | 1100 ms |" in text
    assert "| daemon: resident memory when ready | 150 MiB |  |" in text
    assert text.index("new Chinese") < text.index("prepared Chinese")
    assert "busy" not in text


def test_durability_has_a_table_of_its_own() -> None:
    measured = result()
    variants: dict[str, tuple[dict[str, Any], list[float]]] = {
        "first_sound_setup": ({"engine": "process", "journal": "memory"}, [9.0]),
        "stop_to_silence_setup": ({"engine": "thread", "journal": "disk"}, [28.0]),
        "stop_in_burst": ({"broker": "debian", "requests": 10_000}, [30.0, 33.0, 36.0]),
        "burst_dealt_with": ({"broker": "shipped", "requests": 10_000}, [7000.0]),
        "durable_requests_per_second": ({"requests": 10_000}, [48_000.0]),
        "first_sound_from_disk": ({"characters": 20}, [3.0]),
        "start_after_sigkill": ({"open_lines": 20}, [1230.0]),
    }
    for name, (variant, samples) in variants.items():
        measured["measures"].append(summarize(name, "ms", variant, samples).to_dict())
    text = report.tables(measured)
    burst = "| stop to silence in a burst of 10,000, mosquitto as Debian installs it "
    assert f"{burst}| 33.0 ms | 36.0 ms | 36.0 ms | 36.0 ms | 3 |" in text
    assert "| first sound, journal in memory | 9.0 ms |" in text
    assert "| stop to silence, idle, no child process | 28.0 ms |" in text
    assert "| requests made durable in a second, 10,000 at once | 48,000 |" in text
    assert "| first sound, prepared line read from disk | 3.0 ms |" in text
    assert "nothing lost" not in report.tables(result())


def test_a_busy_machine_is_named() -> None:
    assert "The machine was busy (load 3.0)" in report.tables(result(busy=True))


def test_only_what_stands_between_the_markers_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    readme, page, results = tmp_path / "README.md", tmp_path / "benchmarks.md", tmp_path / "results"
    for name, date in (
        ("2026-11-20", "2026-11-20T00:00:00+00:00"),
        ("2026-11-22", "2026-11-22T00:00:00+00:00"),
    ):
        path = results / "test" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({**result(), "date": date}), encoding="utf-8")
    for path in (readme, page):
        path.write_text(f"before\n{report.BEGIN}\nold\n{report.END}\nafter\n", encoding="utf-8")
    monkeypatch.setattr(report, "README", readme)
    monkeypatch.setattr(report, "PAGE", page)
    monkeypatch.setattr(report, "RESULTS", results)
    report.update_pages()
    text = page.read_text(encoding="utf-8")
    assert text.startswith(f"before\n{report.BEGIN}\nTest CPU, 2 cores")
    assert text.endswith(f"\n{report.END}\nafter\n")
    assert "old" not in text and "2026-11-22" in text and "2026-11-20" not in text
    short = readme.read_text(encoding="utf-8")
    assert short.startswith(
        f"before\n{report.BEGIN}\n| two threads, the built-in voice | 2 cores, Test CPU, VNNI |"
    )
    assert "| first sound after publish, 20 new characters (p50 / p99) | 12 / 20 ms |" in short
    assert "| daemon: start to ready | 1,000 ms |" in short and "old" not in short


def test_a_readme_without_markers_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("no markers\n", encoding="utf-8")
    monkeypatch.setattr(report, "README", readme)
    with pytest.raises(ValueError, match="must hold"):
        report.update_pages()


def full_model_result() -> dict[str, Any]:
    seconds = {
        ("student", "int8"): {"first sound": 0.010, "sound": 0.015},
        ("student", "fp32"): {"first sound": 0.014, "sound": 0.020},
        ("s1", None): {"text features": 1.0, "tokens": 4.0},
        ("v2", None): {"text encoder": 0.1, "flow": 0.2, "generator": 2.0},
        ("v2ProPlus", None): {"text encoder": 0.1, "flow": 0.3, "generator": 5.0},
    }
    measures = []
    for (model, precision), stages in seconds.items():
        for stage, figure in stages.items():
            variant = {"model": model, "stage": stage} | ({"precision": precision} if precision else {})
            measures.append(summarize("stage", "s", variant, [figure]).to_dict())
    facts = result()["machine"]
    facts["versions"]["torch"] = "2.13.0"
    line = {"characters": 20, "phonemes": 37, "tokens": 125, "seconds": 5.0}
    return {
        "device": "test", "date": "2026-11-25T15:00:00+00:00", "machine": facts, "threads": 2, "line": line,
        "measures": measures,
    }  # fmt: skip


def test_the_full_model_is_added_up_and_held_against_the_student() -> None:
    text = report.full_model_table(full_model_result())
    assert "| s1: text to semantic tokens | 0.800 | 0.800 |  |  |" in text
    assert "| all, ids to sound | **1.460** | **2.080** | **0.0040** | **0.0030** |" in text
    assert "| wait for the first sound | 7,300 ms | 10,400 ms | 14 ms | 10 ms |" in text
    assert "| student INT8 is faster by | 487 × | 693 × |  |  |" in text
