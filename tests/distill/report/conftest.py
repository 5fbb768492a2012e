"""A report of the built-in voice on a corpus of a few lines: every part of it real."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import pytest

pytest.importorskip("torch", reason="the pitch tracker lives with the training code")
pytest.importorskip("pyworld")
pytest.importorskip("jinja2")

from distill.cli import cli
from distill.report import Sources
from edge.bundle.bundle import BUILTIN_VOICE
from quantize.pack import write_float_bundle

MEASURES = ("agreement",)
TERMS = {"loss": 3.0, "mel": 1.2, "f0": 0.2}


def write_log(path: Path) -> None:
    """As a run of 1,000 steps writes it that was killed after step 600 and went on from step 500."""
    steps = [*range(50, 601, 50), *range(550, 1001, 50)]
    rows = [{"kind": "train", "step": step, **_terms(step)} for step in steps]
    rows += [{"kind": "valid", "step": step, **_terms(step)} for step in (0, 500, 1000)]
    path.write_text("".join(json.dumps({"time": 1.0, **row}) + "\n" for row in rows), "utf-8")


def _terms(step: int) -> dict[str, float]:
    return {term: round(start / (1 + step / 200), 5) for term, start in TERMS.items()}


@pytest.fixture(scope="session")
def float_voice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("voices") / "float"
    write_float_bundle(BUILTIN_VOICE, folder)
    return folder


@pytest.fixture(scope="session")
def sources(small_corpus: Path, float_voice: Path, tmp_path_factory: pytest.TempPathFactory) -> Sources:
    from distill.evaluation.evaluate import run as evaluate

    folder = tmp_path_factory.mktemp("run")
    evaluate(None, small_corpus, folder / "quality.json", measures=MEASURES)
    (folder / "train").mkdir()
    write_log(folder / "train" / "log.jsonl")
    cost = {"steps": {"corpus": {"seconds": 12.3}, "train": {"seconds": 7500.0}}, "device": {"cores": 2}}
    (folder / "cost.json").write_text(json.dumps(cost), "utf-8")
    return Sources(
        small_corpus,
        BUILTIN_VOICE,
        train=folder / "train",
        float_bundle=float_voice,
        quality=folder / "quality.json",
        cost=folder / "cost.json",
    )


@pytest.fixture(scope="session")
def written(sources: Sources, tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """What the command leaves behind: path and text of the page."""
    path = tmp_path_factory.mktemp("report") / "report.html"
    options = [
        "--run", sources.train, "--corpus", sources.corpus, "--bundle", sources.bundle,
        "--float-bundle", sources.float_bundle, "--quality", sources.quality, "--cost", sources.cost,
        "--out", path,
    ]  # fmt: skip
    cli.main(["report", *map(str, options)], standalone_mode=False)
    return SimpleNamespace(path=path, text=path.read_text("utf-8"))
