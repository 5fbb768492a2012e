"""Train the student on a corpus: the whole loop.

    sovits-distill train --corpus corpus --out runs/builtin

Hardware: any; two x86 cores take about 0.6 s a step. State is saved every few minutes;
a killed run continues from the last save with the same order of data.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from lightning.fabric import Fabric
from torch import Tensor
from tqdm import tqdm

from edge.spec import HOP_LENGTH, LANGUAGE_IDS, ZERO_LENGTH_SYMBOLS
from edge.text.symbols import SYMBOL_TO_ID, SYMBOLS
from models.head import SourceFilterHead
from models.sovits_tiny import SovitsTiny, StudentConfig

from .align import align
from .checkpoint import StudentInfo, save_student
from .dataset import MARGIN, Example, collate, condition_ids, make_example
from .features import extract_all, load
from .losses import SpectralLoss, prosody_loss
from .manifest import read_manifest

# Convergence compares linear magnitudes, and two noises agree best in that when one of them is 2 dB too
# quiet (the mean of a Rayleigh variable squared over its mean square): at 0.5 the whole voice came out 1 dB low.
WEIGHTS = {
    "log_stft": 1.0, "convergence": 0.15, "mel": 2.0,
    "duration": 1.0, "f0": 2.0, "energy": 0.3,
}  # fmt: skip
OWN_ENERGY = 0.5  # share of lines decoded with the energy that the student predicts, as on the device
VALIDATION_LINES = 96  # spread over all characters, emotions and languages
SILENT = 20.0  # taken from the log-magnitudes of frames outside the line


@dataclass(frozen=True)
class TrainOptions:
    """Settings of one run.

    Attributes:
        steps: optimiser steps in all; the learning rate falls along a cosine over them.
        batch: lines per step and process; window: frames of each line that the decoder sees.
        learning_rate, warmup: peak rate, and steps until it is reached.
        ema: decay of the averaged weights, which are the ones that are kept.
        save_every, validate_every: steps.
        align_epochs: passes of the aligner.
        threads: of each process; workers: processes that measure features.
        devices, precision: for Lightning Fabric.
    """

    steps: int = 12_000
    batch: int = 16
    window: int = 64
    learning_rate: float = 1.2e-3
    warmup: int = 300
    ema: float = 0.998
    save_every: int = 250
    validate_every: int = 500
    align_epochs: int = 7
    seed: int = 7
    threads: int = 2
    workers: int = 2
    devices: int = 1
    precision: str = "32-true"


@dataclass(frozen=True)
class Data:
    """Examples of both splits and the tables of names."""

    train: list[Example]
    valid: list[Example]
    characters: dict[str, int]
    emotions: dict[str, int]


def load_data(corpus: Path, out: Path, options: TrainOptions) -> Data:
    """Measure and align the corpus, once, and turn it into examples."""
    utterances = [u for u in read_manifest(corpus) if u.split in ("train", "valid")]
    extract_all(utterances, out / "features", options.workers)
    features = [load(out / "features", u) for u in utterances]
    steps = align(utterances, features, out / "alignment.json", options.align_epochs, options.seed)
    characters = {name: i for i, name in enumerate(dict.fromkeys(u.character for u in utterances))}
    moods = sorted({u.emotion for u in utterances} - {"neutral"})
    emotions = {name: i for i, name in enumerate(["neutral", *moods])}
    splits: dict[str, list[Example]] = {"train": [], "valid": []}
    for u, f in zip(utterances, features, strict=True):
        if u.id in steps:
            splits[u.split].append(make_example(u, f, steps[u.id], condition_ids(u, characters, emotions)))
    return Data(splits["train"], splits["valid"], characters, emotions)


class Objective(torch.nn.Module):
    """Student, head and losses: a batch in, named losses out."""

    def __init__(self, student: SovitsTiny) -> None:
        super().__init__()
        self.student, self.head, self.spectral = student, SourceFilterHead(), SpectralLoss()

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        """Return one scalar per term for a batch of `distill.dataset.collate`."""
        strength = torch.ones_like(batch["energy"][:, 0])
        durations, f0, energy, hidden = self.student.encoder(
            batch["phoneme_ids"], batch["language_ids"], batch["word_starts"],
            batch["character_id"], batch["emotion_id"], strength, batch["phoneme_mask"],
        )  # fmt: skip
        targets = (batch["durations"], batch["log_f0"], batch["energy"])
        terms = prosody_loss((durations, f0, energy), targets, batch["target_mask"], batch["voicing"])
        output = self.render(hidden, energy.detach(), batch)
        inner = slice(MARGIN * HOP_LENGTH, -MARGIN * HOP_LENGTH)
        return {**terms, **self.spectral(output[:, inner], batch["audio"][:, inner])}

    def render(self, hidden: Tensor, energy: Tensor, batch: dict[str, Tensor]) -> Tensor:
        """Decode the windows of a batch with the teacher's times and pitch, (B, T * HOP_LENGTH).

        Every other line has the energy (B, P) that the student predicts, so that the decoder does not come to
        rely on a level that nobody can know exactly.
        """
        places = batch["frame_to_phoneme"]
        own = torch.rand_like(energy[:, :1]) < OWN_ENERGY
        features = batch["features"].clone()
        features[..., -1] = torch.where(own, energy.gather(1, places), features[..., -1])
        index = places.unsqueeze(-1).expand(-1, -1, hidden.shape[-1])
        frames = self.student.decoder(hidden.gather(1, index), features, batch["frame_mask"])
        frames = frames - SILENT * (1.0 - batch["frame_mask"])
        return self.head(frames, batch["pulses"], torch.randn_like(batch["pulses"]))


def learning_rate(step: int, options: TrainOptions) -> float:
    """Warm up linearly, then fall along a cosine to 3 % of the peak."""
    if step < options.warmup:
        return options.learning_rate * (step + 1) / options.warmup
    progress = min(1.0, (step - options.warmup) / max(1, options.steps - options.warmup))
    return options.learning_rate * (0.03 + 0.97 * 0.5 * (1.0 + math.cos(math.pi * progress)))


def draw_batch(examples: Sequence[Example], options: TrainOptions, step: int, rank: int) -> dict[str, Tensor]:
    """Return the batch of one step and process; the same arguments give the same batch."""
    rng = np.random.default_rng((options.seed, step, rank))
    chosen = rng.choice(len(examples), size=options.batch, replace=len(examples) < options.batch)
    return collate([examples[i] for i in chosen], options.window, rng)


@torch.no_grad()
def validate(
    objective: Objective, examples: Sequence[Example], options: TrainOptions, fabric: Fabric
) -> dict[str, float]:
    """Average the losses over windows of the validation lines, the same ones every time."""
    with torch.random.fork_rng():
        torch.manual_seed(options.seed)
        rng = np.random.default_rng(options.seed)
        chosen = examples[:: -(-len(examples) // VALIDATION_LINES)]
        groups = [chosen[k : k + options.batch] for k in range(0, len(chosen), options.batch)]
        terms = [objective(fabric.to_device(collate(g, options.window, rng))) for g in groups]
    return {key: torch.stack([t[key] for t in terms]).mean().item() for key in terms[0]}


class Run:
    """State of one training run on disk: resume, log, save."""

    def __init__(
        self, out: Path, student: SovitsTiny, optimizer: torch.optim.Optimizer, info: StudentInfo
    ) -> None:
        self.out, self.student, self.optimizer, self.info = out, student, optimizer, info
        self.average = {k: v.detach().clone() for k, v in student.state_dict().items()}
        self.step = 0
        self.state_path = out / "state.pt"

    def resume(self) -> None:
        """Continue from the last save, if there is one."""
        if not self.state_path.exists():
            return
        state = torch.load(self.state_path, weights_only=True, map_location="cpu")
        self.student.load_state_dict(state["student"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.average, self.step = state["average"], state["step"]

    def update_average(self, decay: float) -> None:
        """Move the averaged weights towards the present ones."""
        decay = min(decay, (1 + self.step) / (10 + self.step))
        for key, value in self.student.state_dict().items():
            self.average[key].lerp_(value.detach().to(self.average[key].device), 1.0 - decay)

    def save(self) -> None:
        """Write the state for resuming and the averaged student for use."""
        state = {"student": self.student.state_dict(), "optimizer": self.optimizer.state_dict(),
                 "average": self.average, "step": self.step}  # fmt: skip
        partial = self.state_path.with_suffix(".partial")
        torch.save(state, partial)
        partial.replace(self.state_path)
        info = StudentInfo(**{**self.info.__dict__, "step": self.step})
        save_student(self.out / "student", self.average, info)

    def log(self, kind: str, terms: dict[str, float]) -> None:
        """Append one line to the log."""
        row = {"kind": kind, "step": self.step, "time": round(time.time(), 1)}
        row.update({key: round(value, 5) for key, value in terms.items()})
        with (self.out / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")


def train(corpus: Path, out: Path, options: TrainOptions, config: StudentConfig | None = None) -> Path:
    """Train, or go on training, and return the folder of the student."""
    out.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(options.threads)
    fabric = Fabric(devices=options.devices, precision=options.precision)  # type: ignore[arg-type]
    fabric.launch()
    fabric.seed_everything(options.seed, verbose=False)
    with fabric.rank_zero_first():
        data = load_data(corpus, out, options)
    config = config or student_config(data)
    student = SovitsTiny(config)
    optimizer = torch.optim.AdamW(student.parameters(), betas=(0.9, 0.98), weight_decay=0.01)
    summary = corpus / "corpus.json"
    described = json.loads(summary.read_text(encoding="utf-8")) if summary.exists() else {}
    run = Run(out, student, optimizer, StudentInfo(config, data.characters, data.emotions, 0, described))
    run.resume()
    torch.set_flush_denormal(True)  # quiet frames underflow: without this a step takes five times as long
    try:
        _loop(fabric, run, data, options)
    finally:
        torch.set_flush_denormal(False)
    return out / "student"


def student_config(data: Data) -> StudentConfig:
    """Choose the default sizes for the characters and emotions of a corpus."""
    silent = tuple(SYMBOL_TO_ID[s] for s in ZERO_LENGTH_SYMBOLS)
    return StudentConfig(
        n_vocab=len(SYMBOLS),
        n_languages=len(LANGUAGE_IDS),
        n_characters=len(data.characters),
        n_emotions=len(data.emotions),
        zero_length_ids=silent,
    )


def _loop(fabric: Fabric, run: Run, data: Data, options: TrainOptions) -> None:
    plain = Objective(run.student)  # validation on one process must not wait for the others
    objective, optimizer = fabric.setup(plain, run.optimizer)
    bar = tqdm(total=options.steps, initial=run.step, desc="train", disable=fabric.global_rank > 0)
    while run.step < options.steps:
        for group in optimizer.param_groups:
            group["lr"] = learning_rate(run.step, options)
        torch.manual_seed(options.seed + run.step)
        batch = fabric.to_device(draw_batch(data.train, options, run.step, fabric.global_rank))
        terms = objective(batch)
        loss = sum(WEIGHTS[key] * value for key, value in terms.items())
        optimizer.zero_grad()
        fabric.backward(loss)
        fabric.clip_gradients(objective, optimizer, max_norm=2.0)
        optimizer.step()
        run.step += 1
        run.update_average(options.ema)
        bar.update()
        if fabric.global_rank == 0:
            _report(run, plain, terms, data.valid, options, fabric)
    if fabric.global_rank == 0:
        run.save()


def _report(
    run: Run,
    objective: Objective,
    terms: dict[str, Tensor],
    valid: Sequence[Example],
    options: TrainOptions,
    fabric: Fabric,
) -> None:
    if run.step % 50 == 0:
        run.log("train", {key: value.item() for key, value in terms.items()})
    if run.step % options.validate_every == 0 and valid:
        run.log("valid", validate(objective, valid, options, fabric))
    if run.step % options.save_every == 0:
        run.save()
