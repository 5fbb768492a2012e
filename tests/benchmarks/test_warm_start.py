"""The comparison of two runs; the runs themselves are those of tests/distill."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.warm_start import VOICE, Curve, curve, levels, table
from distill.corpus.config import BUILTIN
from distill.voice.config import load_recipe, load_voice_config


def points(losses: list[float], seconds: float) -> Curve:
    return [{"step": 25 * k, "seconds": seconds * k, "loss": loss} for k, loss in enumerate(losses)]


SCRATCH = points([9.0, 5.0, 4.0, 4.1, 3.0], 10.0)
WARM = points([4.5, 3.5, 3.2], 12.0)


def test_each_level_is_the_best_so_far_from_scratch_and_the_first_time_it_is_reached() -> None:
    half, late, whole = levels(SCRATCH, WARM, (0.25, 0.75, 1.0))
    assert half == {
        "loss": 5.0, "scratch_steps": 25, "scratch_seconds": 10.0, "warm_steps": 0, "warm_seconds": 0.0,
    }  # fmt: skip
    assert (late["loss"], late["scratch_steps"], late["warm_steps"], late["warm_seconds"]) == (
        4.0,
        50,
        25,
        12,
    )
    assert (whole["loss"], whole["warm_steps"], whole["warm_seconds"]) == (3.0, None, None)


def test_the_table_says_what_was_not_reached() -> None:
    result = {"levels": {50: levels(SCRATCH, WARM, (0.75, 1.0))}, "warm": {50: {"curve": WARM}}}
    assert table(result).splitlines()[2:] == [
        "| 4.000 | 50 steps, 0.3 min | 25 steps, 0.2 min | 50 steps |",
        "| 3.000 | 100 steps, 0.7 min | not reached | 50 steps |",
        "| 3.200 | not reached | best of the run | 50 steps |",
    ]


def test_a_curve_is_read_from_the_log_of_a_run(tmp_path: Path) -> None:
    terms = {"mel": 1.0, "log_stft": 1.0, "duration": 0.5, "f0": 0.1, "energy": 0.2}
    rows = [
        {"kind": "valid", "step": 0, "time": 1000.0, "loss": 5.0, **terms},
        {"kind": "train", "step": 50, "time": 1010.0, **terms},
        {"kind": "valid", "step": 50, "time": 1012.5, "loss": 4.0, **terms},
    ]
    (tmp_path / "log.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    found = curve(tmp_path / "log.jsonl")
    assert [(row["step"], row["seconds"], row["loss"]) for row in found] == [(0, 0.0, 5.0), (50, 12.5, 4.0)]
    assert found[0]["f0"] == 0.1


@pytest.mark.flite
def test_the_voice_of_the_benchmark_is_one_that_the_built_in_student_has_not_heard() -> None:
    voice = load_voice_config(VOICE)
    heard = {recording.character for recording in load_recipe(BUILTIN).corpus.recordings}
    assert voice.voice.name not in heard and voice.make(voice.teacher.kind).origin().credit.count("rms")
