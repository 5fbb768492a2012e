"""Train the student on a corpus: the whole loop.

    sovits-distill train --corpus corpus --out runs/builtin
    sovits-distill train --corpus mine --out runs/mine --from builtin

Hardware: any; two x86 cores take about 0.6 s a step. State is saved at least once a minute;
a killed run continues from the last save with the same order of data.
"""

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning.fabric import Fabric
from torch.optim.swa_utils import get_ema_multi_avg_fn

from edge.spec import LANGUAGE_IDS, ZERO_LENGTH_SYMBOLS
from edge.text.symbols import SYMBOL_TO_ID, SYMBOLS
from models.sovits_tiny import SovitsTiny, StudentConfig

from ..config import DistillError
from ..files import read_json, replacing
from ..manifest import Utterance, read_manifest
from ..progress_bar import ProgressBar
from .adversary import Adversary
from .align import align
from .batches import Batches, BatchPlan, enough_loaders, in_order
from .checkpoint import StudentInfo, save_student
from .dataset import Example, Line, condition_ids, known_condition, make_example
from .dormant import Watch, due, revive
from .features import Features, extract_all, load
from .objective import Objective, average_losses, weighted
from .schedule import FROM_SCRATCH, SCRATCH, schedule
from .told import load_told, load_told_lines
from .warm_start import Start, adapt, choose_voices, open_start

STATE_FILE = "state.pt"
VALIDATION_LINES = 96  # spread over all characters, emotions and languages


@dataclass(frozen=True)
class TrainOptions:
    """Settings of one run."""

    start: str = SCRATCH
    """``scratch``, ``builtin`` or the folder of a student: what training begins with."""
    steps: int = FROM_SCRATCH.steps
    """Optimiser steps in all; the learning rate falls along a cosine over them."""
    prosody_steps: int = 0
    """The first of them, which look at prosody alone: twice the lines in half the time."""
    adversarial_steps: int = 0
    """The last of them, against a discriminator: slower, for a livelier sound."""
    batch: int = 16
    """Lines per step and process; window: frames of each line that the decoder sees."""
    window: int = 64
    told: int = 16
    """Lines per step and process of which only the prosody is known, where the corpus has such lines."""
    learning_rate: float = FROM_SCRATCH.learning_rate
    warmup: int = FROM_SCRATCH.warmup
    """``learning_rate``, ``warmup``: peak rate, and steps until it is reached."""
    ema: float = 0.998
    """Decay of the averaged weights, which are the ones that are kept."""
    save_every: int = 250
    validate_every: int = 500
    """``save_every``, ``validate_every``: steps."""
    save_seconds: float = 60.0
    """Longest time without a save, however few steps it has taken."""
    align_epochs: int | None = None
    """Passes of the aligner; None for as many as the number of lines asks for."""
    seed: int = 7
    threads: int = 2
    """Of each process; workers: processes that measure features."""
    workers: int = 2
    loaders: int | None = None
    """Processes that put batches together; None for as many as suit the device, on a CPU none."""
    devices: int = 1
    precision: str = "32-true"
    """``devices``, ``precision``: for Lightning Fabric."""

    @classmethod
    def starting_from(cls, start: str, given: Mapping[str, Any]) -> TrainOptions:
        """Fill in what is not given, or None, with the defaults that suit the start."""
        chosen = {key: value for key, value in given.items() if value is not None}
        return cls(**{**asdict(schedule(start)), **chosen, "start": start})


@dataclass(frozen=True)
class Data:
    """Examples of both splits and the tables of names."""

    train: list[Example]
    valid: list[Example]
    characters: dict[str, int]
    emotions: dict[str, int]
    told: list[Line]
    """Training lines without sound."""


def load_data(corpus: Path, out: Path, options: TrainOptions) -> Data:
    """Measure and align the corpus, once, and turn it into examples.

    Raises:
        DistillError: there is nothing to train on.
    """
    utterances = [u for u in read_manifest(corpus) if u.split in ("train", "valid")]
    measured = measure(utterances, out, options)
    characters = {name: i for i, name in enumerate(dict.fromkeys(u.character for u in utterances))}
    moods = sorted({u.emotion for u in utterances} - {"neutral"})
    emotions = {name: i for i, name in enumerate(["neutral", *moods])}
    splits: dict[str, list[Example]] = {"train": [], "valid": []}
    for u, features, steps in measured:
        splits[u.split].append(make_example(u, features, steps, condition_ids(u, characters, emotions)))
    if not splits["train"]:
        raise DistillError(f"{corpus} has no training line that can be aligned; render more lines")
    told = list(load_told_lines(corpus, known_condition(characters, emotions))) if options.told else []
    return Data(splits["train"], splits["valid"], characters, emotions, told)


def measure(
    utterances: Sequence[Utterance], out: Path, options: TrainOptions
) -> Iterator[tuple[Utterance, Features, np.ndarray]]:
    """Give each line with its features and the length (P,) of its phonemes in steps of 8 ms.

    They are what the teacher tells; where it does not, F0 is tracked and the lengths are learnt, and lines
    too short for that are left out.
    """
    heard = [u for u in utterances if u.prosody is None]
    extract_all(heard, out / "features", options.workers)
    features = {u.id: load(out / "features", u) for u in heard}
    found = list(features.values())
    steps = align(heard, found, out / "alignment.json", options.align_epochs, options.seed)
    for utterance in utterances:
        if utterance.prosody is not None:
            yield (utterance, *load_told(utterance))
        elif utterance.id in steps:
            yield utterance, features[utterance.id], steps[utterance.id]


def learning_rate(step: int, options: TrainOptions) -> float:
    """Warm up linearly, then fall along a cosine to 3 % of the peak."""
    if step < options.warmup:
        return options.learning_rate * (step + 1) / options.warmup
    progress = min(1.0, (step - options.warmup) / max(1, options.steps - options.warmup))
    return options.learning_rate * (0.03 + 0.97 * 0.5 * (1.0 + math.cos(math.pi * progress)))


class SaveTimes:
    """When to save: every so many steps, and whenever too long has passed since the last time.

    Args:
        steps: between two saves.
        seconds: longest time without one.
        clock: seconds, from any beginning.
    """

    def __init__(self, steps: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._steps, self._seconds, self._clock = steps, seconds, clock
        self._last = clock()

    def due(self, step: int) -> bool:
        """Say whether to save after this step; the time counts from the last yes."""
        due = step % self._steps == 0 or self._clock() - self._last >= self._seconds
        if due:
            self._last = self._clock()
        return due


class Run:
    """State of one training run on disk: resume, log, save."""

    def __init__(
        self, out: Path, student: SovitsTiny, optimizer: torch.optim.Optimizer, info: StudentInfo
    ) -> None:
        self.out, self.student, self.optimizer, self.info = out, student, optimizer, info
        self.average = {k: v.detach().clone() for k, v in student.state_dict().items()}
        self.adversary: Adversary | None = None
        self.watch = Watch(student)
        self.step = 0
        self.state_path = out / STATE_FILE

    def resume(self) -> None:
        """Continue from the last save, if there is one.

        Raises:
            DistillError: that run began with another student or has other characters.
        """
        if not self.state_path.exists():
            return
        state = torch.load(self.state_path, weights_only=True, map_location="cpu")
        began, asked = state.get("started_from", {}), self.info.started_from
        if began.get("sha256") != asked.get("sha256"):
            names = [origin.get("name", SCRATCH) for origin in (began, asked)]
            message = f"{self.out} was begun from {names[0]}, not from {names[1]} as it is now"
            raise DistillError(f"{message}; go on with the same student, or choose another --out")
        try:
            self.student.load_state_dict(state["student"])
        except RuntimeError as error:
            message = f"{self.out} was begun with other characters, emotions or sizes"
            raise DistillError(f"{message}; choose another --out") from error
        self.optimizer.load_state_dict(state["optimizer"])
        self.average = {key: value.to(self.average[key].device) for key, value in state["average"].items()}
        self.step = state["step"]
        if self.adversary is not None and "adversary" in state:
            self.adversary.load_state_dict(state["adversary"])
        self.watch.fired.update(state.get("fired", {}))
        self.info = replace(self.info, started_from=began)

    def update_average(self, decay: float) -> None:
        """Move the averaged weights towards the present ones."""
        decay = min(decay, (1 + self.step) / (10 + self.step))
        present = self.student.state_dict()
        move = get_ema_multi_avg_fn(decay)
        move([self.average[key] for key in present], list(present.values()), self.step)

    def save(self) -> None:
        """Write the state for resuming and the averaged student for use."""
        state = {"student": self.student.state_dict(), "optimizer": self.optimizer.state_dict(),
                 "average": self.average, "step": self.step, "fired": dict(self.watch.fired),
                 "started_from": self.info.started_from}  # fmt: skip
        if self.adversary is not None:
            state["adversary"] = self.adversary.state_dict()
        with replacing(self.state_path) as unfinished:
            torch.save(state, unfinished)
        save_student(self.out / "student", self.average, replace(self.info, step=self.step))

    def log(self, kind: str, terms: dict[str, float]) -> None:
        """Append one line to the log."""
        row = {"kind": kind, "step": self.step, "time": round(time.time(), 1)}
        row.update({key: round(value, 5) for key, value in terms.items()})
        with (self.out / "log.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(row) + "\n")


def train(corpus: Path, out: Path, options: TrainOptions, config: StudentConfig | None = None) -> Path:
    """Train, or go on training, and return the folder of the student.

    Args:
        corpus: folder of the corpus command.
        out: folder of the run.
        options: settings.
        config: sizes of a student from scratch; one that starts from another has that one's.

    Raises:
        DistillError: the student to start from is missing or does not fit, or ``out`` holds another run.
    """
    start = open_start(options.start)  # first: measuring the corpus may take an hour
    out.mkdir(parents=True, exist_ok=True)
    # Quiet frames underflow: without this a step takes five times as long. Threads have it from the one that
    # starts them, so it comes first.
    torch.set_flush_denormal(True)
    torch.set_num_threads(options.threads)
    try:
        return _train(corpus, out, options, config, start)
    finally:
        torch.set_flush_denormal(False)


def _train(
    corpus: Path, out: Path, options: TrainOptions, config: StudentConfig | None, start: Start | None
) -> Path:
    strategy = (
        "auto" if options.devices == 1 else "ddp_find_unused_parameters_true"
    )  # prosody alone leaves some
    fabric = Fabric(devices=options.devices, precision=options.precision, strategy=strategy)  # type: ignore[arg-type]
    fabric.launch()
    fabric.seed_everything(options.seed, verbose=False)
    with fabric.rank_zero_first():
        data = load_data(corpus, out, options)
    student, origin = _begin(start, data, options, config, resuming=(out / STATE_FILE).exists())
    fabric.to_device(student)  # before a state is read: the optimizer's goes to where the weights are
    optimizer = torch.optim.AdamW(student.parameters(), betas=(0.9, 0.98), weight_decay=0.01)
    summary = corpus / "corpus.json"
    described = read_json(summary) if summary.exists() else {}
    if data.told:
        described["told_lines"] = len(data.told)
    info = StudentInfo(student.config, data.characters, data.emotions, 0, described, origin)
    run = Run(out, student, optimizer, info)
    if options.adversarial_steps:
        run.adversary = Adversary(fabric.device)
    run.resume()
    _loop(fabric, run, data, options)
    return out / "student"


def _begin(
    start: Start | None, data: Data, options: TrainOptions, config: StudentConfig | None, resuming: bool
) -> tuple[SovitsTiny, dict[str, Any]]:
    """Make the student of step 0 and say what it was made from."""
    if start is None:
        return SovitsTiny(config or student_config(data)), {}
    student = adapt(start, data.characters, data.emotions)
    if resuming:  # its weights come out of the last save
        return student, start.origin
    objective = Objective(student)

    def score(lines: Sequence[Example]) -> float:
        return average_losses(objective, lines, options.batch, options.window, options.seed)["loss"]

    begins_as = choose_voices(student, start, data.train, data.characters, data.emotions, score)
    return student, {**start.origin, "characters": begins_as}


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
    if run.step == 0 and fabric.global_rank == 0:
        _validate(run, plain, data.valid, options, fabric)
    plan = BatchPlan(options.batch, options.prosody_steps, options.window, options.seed, fabric.global_rank,
                     options.told if data.told else 0)  # fmt: skip
    batches = Batches(data.train, plan, data.told)
    loaders = enough_loaders(fabric.device) if options.loaders is None else options.loaders
    saves = SaveTimes(options.save_every, options.save_seconds)
    with ProgressBar("train", options.steps, "step", run.step, quiet=fabric.global_rank > 0) as bar:
        for batch in in_order(batches, range(run.step, options.steps), loaders):
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(run.step, options)
            torch.manual_seed(options.seed + run.step)
            sound = run.step >= options.prosody_steps
            judge = run.adversary if run.step >= options.steps - options.adversarial_steps else None
            terms = objective(fabric.to_device(batch), sound, judge)
            optimizer.zero_grad()
            fabric.backward(weighted(terms))
            fabric.clip_gradients(objective, optimizer, max_norm=2.0)
            optimizer.step()
            run.step += 1
            run.update_average(options.ema)
            if due(run.step, options.steps):
                _revive(run, fabric, options.seed)
            bar.advance()
            if fabric.global_rank == 0:
                if run.step % 50 == 0:
                    run.log("train", {key: value.item() for key, value in terms.items()})
                if run.step % options.validate_every == 0 or run.step == options.steps:
                    _validate(run, plain, data.valid, options, fabric)
                if saves.due(run.step):
                    run.save()
    if fabric.global_rank == 0:
        run.save()


def _revive(run: Run, fabric: Fabric, seed: int) -> None:
    """Let the units that no process has seen fire begin anew."""

    def joined(fired: torch.Tensor) -> torch.Tensor:
        largest = fabric.all_reduce(fired, reduce_op="max")
        assert isinstance(largest, torch.Tensor)  # it gives back what it is given
        return largest

    silent = run.watch.take_silent(joined)
    revived = revive(run.student, silent, run.optimizer, run.average, seed + run.step)
    if fabric.global_rank == 0:
        run.log("revived", {"units": revived})


def _validate(
    run: Run, objective: Objective, examples: Sequence[Example], options: TrainOptions, fabric: Fabric
) -> None:
    """Log the losses on the same windows of some validation lines every time."""
    chosen = examples[:: max(1, -(-len(examples) // VALIDATION_LINES))]
    if chosen:
        losses = average_losses(
            objective, chosen, options.batch, options.window, options.seed, fabric.to_device
        )
        run.log("valid", losses)
