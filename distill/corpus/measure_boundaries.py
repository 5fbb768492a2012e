"""How well times of phonemes fit the sound, and where they would fit better: told ones and learnt ones.

    python -m distill.corpus.measure_boundaries --corpus corpus --out benchmarks/results/quality/boundaries.json

Every phoneme is cut into thirds, and each third is described by the mean of its log-mel frames over all lines of
a voice. The better the times, the less is left: the spread about those means, as the aligner's own states have
it (models/aligner.py). It needs no reference, so that times of a teacher and times that were learnt compare, and
moving all times shows whether they come too early or too late.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click
import numpy as np
import soundfile
import torch
from numpy.typing import NDArray

from edge.spec import SAMPLE_RATE, ZERO_LENGTH_SYMBOLS
from models.aligner import STATES_PER_PHONEME
from models.mel import LogMel

from ..ledger import device
from ..manifest import Utterance, read_manifest
from ..training.align import AlignmentData, cut, enough_epochs, train_aligner
from ..training.features import extract
from ..training.told import STEP_S, told_times

HOP = 64  # samples, 2 ms
N_MELS, N_FFT = 40, 512
RATE = SAMPLE_RATE / HOP  # frames/s
SHIFTS_MS = tuple(range(-30, 31, 5))
REACH_MS = 15  # around the least of them, where a parabola is laid through what is left
FEWEST = 8  # pieces that a mean is worth taking of
SHORTEST_S = 0.02

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Timed:
    """A line with the times of its phonemes."""

    phonemes: Sequence[str]
    starts: Floats
    """(P + 1,) seconds."""
    mel: NDArray[np.float32]
    """(n, N_MELS) every 2 ms."""

    def states(self, shift_s: float) -> Iterator[tuple[tuple[str, int], NDArray[np.float32]]]:
        """Yield the frames of each third of each phoneme between the silences at the ends."""
        edges = np.clip(self.starts + shift_s, 0.0, self.starts[-1])
        for index in range(2, len(self.phonemes) - 2):
            symbol, (start, end) = self.phonemes[index], edges[index : index + 2]
            if symbol in ZERO_LENGTH_SYMBOLS or end - start < SHORTEST_S:
                continue
            cuts = np.rint(np.linspace(start, end, STATES_PER_PHONEME + 1) * RATE).astype(int)
            for state in range(STATES_PER_PHONEME):
                yield (symbol, state), self.mel[cuts[state] : cuts[state + 1]]


def left_over(lines: Sequence[Timed], shift_s: float = 0.0) -> float:
    """Return the mean squared distance of frames to the mean of their third, in nepers squared."""
    pieces: dict[tuple[str, int], list[NDArray[np.float32]]] = defaultdict(list)
    for line in lines:
        for state, frames in line.states(shift_s):
            pieces[state].append(frames)
    total = count = 0.0
    for some in pieces.values():
        if len(some) >= FEWEST:
            frames = np.concatenate(some)
            total += float(((frames - frames.mean(0)) ** 2).sum())
            count += frames.size
    return total / count if count else float("nan")


def best_shift(lines: Sequence[Timed]) -> tuple[float, dict[int, float]]:
    """Return the shift in ms that leaves the least, and what each leaves.

    Raises:
        ValueError: there are too few lines.
    """
    left = {shift: left_over(lines, shift / 1000.0) for shift in SHIFTS_MS}
    values = np.array([left[shift] for shift in SHIFTS_MS])
    if np.isnan(values).any():
        raise ValueError("too few lines to say what a phoneme sounds like")
    shifts = np.array(SHIFTS_MS, float)
    near = np.abs(shifts - shifts[values.argmin()]) <= REACH_MS
    curvature, slope, _ = np.polyfit(shifts[near], values[near], 2)
    return float(np.clip(-slope / (2 * curvature), SHIFTS_MS[0], SHIFTS_MS[-1])), left


def log_mel(path: Path) -> NDArray[np.float32]:
    """Return (n, N_MELS) of a file, every 2 ms."""
    audio, _ = soundfile.read(path, dtype="float32")
    with torch.no_grad():
        return LogMel(N_MELS, N_FFT, HOP, SAMPLE_RATE)(torch.from_numpy(audio)[None])[0].numpy()


def learnt_times(lines: Sequence[Utterance], seed: int) -> dict[str, Floats]:
    """Return (P + 1,) seconds by id, as the aligner cuts lines of which nobody tells the times."""
    data = AlignmentData(lines, [extract(line.audio) for line in lines])
    steps = cut(train_aligner(data, enough_epochs(len(lines)), seed), data)
    return {name: np.concatenate([[0.0], np.cumsum(found) * STEP_S]) for name, found in steps.items()}


def compare(lines: Sequence[Utterance], mels: Mapping[str, NDArray[np.float32]]) -> Iterator[dict[str, Any]]:
    """Yield for each voice what told and learnt times leave, and how far they are from each other."""
    learnt = learnt_times(lines, seed=1)
    kept = [line for line in lines if line.id in learnt]
    for voice in sorted({(line.character, line.language) for line in kept}):
        own = [line for line in kept if (line.character, line.language) == voice]
        told = {line.id: told_times(line) for line in own}
        timed = {
            name: [Timed(line.phonemes, times[line.id], mels[line.id]) for line in own]
            for name, times in (("told", told), ("learnt", learnt))
        }
        apart = np.concatenate([(learnt[line.id] - told[line.id])[2:-1] for line in own]) * 1000.0
        row: dict[str, Any] = {"character": voice[0], "language": voice[1], "lines": len(own)}
        for name, some in timed.items():
            shift, left = best_shift(some)
            row[name] = {"best_shift_ms": round(shift, 1), "left": round(left[0], 4)}
        distance = np.abs(apart)
        yield row | {
            "learnt_minus_told_ms": round(float(np.median(apart)), 1),
            "apart_median_ms": round(float(np.median(distance)), 1),
            "apart_p90_ms": round(float(np.percentile(distance, 90)), 1),
        }


@click.command()
@click.option("--corpus", type=click.Path(path_type=Path), required=True, help="Corpus whose teacher tells.")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="JSON file to write.")
@click.option("--lines", default=100, show_default=True, help="Neutral training lines of each voice.")
def main(corpus: Path, out: Path, lines: int) -> None:
    """Compare told and learnt times of phonemes."""
    torch.set_num_threads(1)
    chosen: dict[tuple[str, str], list[Utterance]] = defaultdict(list)
    for line in read_manifest(corpus):
        some = chosen[line.character, line.language]
        if line.split == "train" and line.emotion == "neutral" and line.prosody and len(some) < lines:
            some.append(line)
    every = [line for some in chosen.values() for line in some]
    voices = list(compare(every, {line.id: log_mel(line.audio) for line in every}))
    content = {"device": device(), "voices": voices}
    out.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", "utf-8")


if __name__ == "__main__":
    main()
