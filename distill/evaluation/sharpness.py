"""How sharp the envelopes of a student should be: factors on its mel-cepstra, and the level of its noise.

    python -m distill.evaluation.sharpness --corpus corpus --student runs/builtin/student \
        --out benchmarks/results/quality/sharpness.json

Training lines of every voice are spoken with each setting; ``Decoder.sharpen`` says what it does. DistillMOS
and DNSMOS judge them, and a speaker encoder how like the teacher's they are: sharper envelopes please the
first long after the others. Held-out sentences stay unheard: they measure the voice that comes of it.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from pathlib import Path

import click
import numpy as np
import torch

from ..files import write_json
from ..ledger import device
from ..manifest import Utterance, read_manifest
from ..training.checkpoint import load_student
from .ablation import Ablation
from .judges import Judge, judges, with_mean

Setting = tuple[float, float, float]
Found = dict[str, dict[str, dict[str, float]]]
"""Means by judge, voice and setting."""

CENTRE: Setting = (1.1, 1.1, -2.0)
HARMONIC = (1.0, 1.05, 1.15, 1.25)
NOISE = (1.0, 1.2)
NOISE_DB = (0.0, -4.0)
LENGTHS = (25, 70)  # phonemes of a line
SEED = 20_240_229


def grid() -> list[Setting]:
    """Return the settings: the student as trained, one, and that with one number changed at a time."""
    harmonic, noise, noise_db = CENTRE
    return [
        (1.0, 1.0, 0.0),
        CENTRE,
        *((other, noise, noise_db) for other in HARMONIC),
        *((harmonic, other, noise_db) for other in NOISE),
        *((harmonic, noise, other) for other in NOISE_DB),
    ]


def training_lines(corpus: Path, lines: int) -> dict[str, list[Utterance]]:
    """Return neutral training lines by character and language, of teachers that tell their prosody."""
    found: dict[str, list[Utterance]] = {}
    for one in read_manifest(corpus):
        fits = LENGTHS[0] <= len(one.phonemes) <= LENGTHS[1] and one.prosody is not None
        if fits and one.split == "train" and one.emotion == "neutral":
            found.setdefault(f"{one.character} {one.language}", []).append(one)
    choose = random.Random(SEED)
    return {voice: choose.sample(some, min(lines, len(some))) for voice, some in sorted(found.items())}


def scores(student: Path, voices: Mapping[str, Sequence[Utterance]], judges: Mapping[str, Judge]) -> Found:
    """Return what each setting comes to; the mean of all voices is ``all``."""
    found: dict[str, dict[str, dict[str, float]]] = {
        judge: {voice: {} for voice in voices} for judge in judges
    }
    for setting in grid():
        network, info = load_student(student)
        network.decoder.sharpen(*setting)
        ablation = Ablation(network, info)
        for voice, lines in voices.items():
            heard = [ablation.both(line) for line in lines]
            for name, judge in judges.items():
                mean = float(np.mean([judge(ours, theirs) for ours, theirs in heard]))
                found[name][voice][_name(setting)] = mean
    return {judge: with_mean(rows) for judge, rows in found.items()}


def _name(setting: Setting) -> str:
    return " ".join(f"{number:g}" for number in setting)


@click.command()
@click.option("--corpus", type=click.Path(path_type=Path), required=True, help="Corpus whose teacher tells.")
@click.option("--student", type=click.Path(path_type=Path), required=True, help="Folder of a student.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="JSON file to write.")
@click.option("--lines", default=3, show_default=True, help="Training lines of each voice.")
def main(corpus: Path, student: Path, out: Path, lines: int) -> None:
    """Score a student with envelopes of several sharpnesses."""
    torch.set_num_threads(1)
    torch.set_flush_denormal(True)
    torch.manual_seed(1)
    found = scores(student, training_lines(corpus, lines), judges())
    content = {"device": device(), "lines": lines, "settings": "harmonic noise noise_db"} | found
    write_json(out, content)


if __name__ == "__main__":
    main()
