"""What a teacher's own times and pitch are worth to a student, against those that are learnt from sound.

    python -m distill.evaluation.learnt_times --corpus corpus --work runs/times \
        --out benchmarks/results/quality/learnt-times.json

Two students are trained from scratch on the same lines in the same order. One is told what the teacher
predicted; to the other it is as with a teacher that says nothing: the aligner finds the times, the tracker
the pitch. Held-out sentences are then compared with what the teacher predicted for them, and heard.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch

from edge.spec import FRAME_RATE
from models.sovits_tiny import StudentConfig

from ..files import write_json, write_rows
from ..ledger import device
from ..manifest import Utterance, read_manifest
from ..training.checkpoint import load_student
from ..training.train import TrainOptions, train
from .ablation import Ablation, Floats, held_out
from .judges import Judge, judges, with_mean
from .prosody import Agreement
from .speakers import spread

TOLD, LEARNT = WAYS = ("told", "learnt")

Rows = dict[str, dict[str, float]]


def write_corpora(corpus: Path, work: Path, lines: int) -> dict[str, Path]:
    """Write a manifest for each way of the same neutral lines, the sound where it is.

    Args:
        corpus: whose teacher tells its prosody.
        work: folder for both.
        lines: to train on, of each character in each language.
    """
    chosen = _chosen(read_manifest(corpus), lines)
    folders = {way: work / f"corpus-{way}" for way in WAYS}
    for way, folder in folders.items():
        folder.mkdir(parents=True, exist_ok=True)
        heard = chosen if way == TOLD else [replace(one, prosody=None) for one in chosen]
        write_rows(folder / "manifest.jsonl", map(_row, heard))
    return folders


def _chosen(utterances: Sequence[Utterance], lines: int) -> list[Utterance]:
    told = [one for one in utterances if one.emotion == "neutral" and one.prosody is not None]
    voices = sorted({(one.character, one.language) for one in told})
    train_lines = (
        spread([u for u in told if u.split == "train" and (u.character, u.language) == voice], lines)
        for voice in voices
    )
    return [*(one for some in train_lines for one in some), *(u for u in told if u.split == "valid")]


def _row(utterance: Utterance) -> dict[str, Any]:
    """Give a row of a manifest that may lie anywhere."""
    given = {name: value for name, value in asdict(utterance).items() if value is not None}
    return {name: str(value.resolve()) if isinstance(value, Path) else value for name, value in given.items()}


def measure(student: Path, voices: Mapping[str, Sequence[Utterance]], judges: Mapping[str, Judge]) -> Rows:
    """Return what a student comes to on held-out lines, by voice, and the means as ``all``."""
    ablation = Ablation(*load_student(student))
    found: Rows = {}
    for voice, lines in voices.items():
        predicted = [ablation.predicted(line) for line in lines]
        heard = [ablation.both(line) for line in lines]
        found[voice] = {
            "durations": Agreement.within([both["durations"] for both in predicted]).correlation,
            "duration_error_ms": _error([both["durations"] for both in predicted]) * 1000 / FRAME_RATE,
            "pitch": Agreement.within([both["pitch"] for both in predicted]).correlation,
            **{name: float(np.mean([judge(*pair) for pair in heard])) for name, judge in judges.items()},
        }
    return with_mean(found)


def _error(pairs: Sequence[tuple[Floats, Floats]]) -> float:
    return Agreement.between(*(np.concatenate([pair[k] for pair in pairs]) for k in (0, 1))).mean_error


def compare(
    corpus: Path,
    work: Path,
    options: TrainOptions,
    judges: Mapping[str, Judge],
    lines: tuple[int, int],
    config: StudentConfig | None = None,
) -> dict[str, Rows]:
    """Train both and measure them; a run that was interrupted goes on.

    Args:
        corpus: whose teacher tells its prosody.
        work: folder of the runs.
        options: of both runs.
        judges: by name.
        lines: of each voice, to train on and to measure with.
        config: sizes of the students.
    """
    folders = write_corpora(corpus, work, lines[0])
    voices = held_out(corpus, lines[1])
    return {way: measure(train(folders[way], work / way, options, config), voices, judges) for way in WAYS}


@click.command()
@click.option("--corpus", type=click.Path(path_type=Path), required=True, help="Corpus whose teacher tells.")
@click.option("--work", type=click.Path(path_type=Path), required=True, help="Folder of the runs.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="JSON file to write.")
@click.option("--lines", default=150, show_default=True, help="Lines of each voice to train on.")
@click.option("--steps", default=1000, show_default=True, help="Of each run.")
@click.option("--held-out", "n_held_out", default=10, show_default=True, help="Sentences of each voice.")
@click.option("--threads", default=2, show_default=True, help="CPU threads.")
def main(corpus: Path, work: Path, out: Path, lines: int, steps: int, n_held_out: int, threads: int) -> None:
    """Train a student on told times and one on learnt times, and compare them."""
    given = {"steps": steps, "threads": threads, "validate_every": steps}
    options = TrainOptions.starting_from("scratch", given)
    torch.manual_seed(1)
    found: dict[str, Any] = dict(compare(corpus, work, options, judges(), (lines, n_held_out)))
    write_json(out, {"device": device(), "lines": lines, "steps": steps, "sentences": n_held_out} | found)


if __name__ == "__main__":
    main()
