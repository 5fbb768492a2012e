"""Learn the alignment of phonemes and frames, then cut every utterance into phonemes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from edge.spec import ZERO_LENGTH_SYMBOLS
from edge.text.symbols import SYMBOL_TO_ID, SYMBOLS
from models.aligner import STATES_PER_PHONEME, Aligner, best_path, forward_sum

from ..files import read_json, write_json
from ..manifest import Utterance
from ..progress_bar import ProgressBar, tracked
from .features import N_MELS, Features
from .recut import Cut, UsualLengths, recut

BATCH = 16
LEARNING_RATE = 2e-3
# Of 300 English lines, 7 passes leave one boundary in ten more than 41 ms off (Flite's own), 20 more than 24.
# Of 260 Mandarin lines, 20 leave one in ten more than 112 ms off (espeak's own), 40 more than 72.
LEAST_EPOCHS, MOST_EPOCHS, UPDATES = 10, 40, 500
FULL_EPOCHS = 2  # the last passes see lines of every length
ZERO_LENGTH_IDS = frozenset(SYMBOL_TO_ID[s] for s in ZERO_LENGTH_SYMBOLS)

Batch = tuple[Tensor, Tensor, Tensor, Tensor, Tensor]


class AlignmentData:
    """Utterances as tensors, sorted by length so that batches waste little.

    Args:
        utterances: what was said.
        features: what was measured, in the same order.
    """

    def __init__(self, utterances: Sequence[Utterance], features: Sequence[Features]) -> None:
        names = [_voice(u) for u in utterances]
        self.voices = {name: i for i, name in enumerate(sorted(set(names)))}
        self.voice_ids = [self.voices[name] for name in names]
        self.utterances, self.features = list(utterances), list(features)
        self.mels = [mel for f in self.features if (mel := f.mel) is not None]
        sample = np.concatenate(self.mels[:: max(1, len(self.mels) // 300)])
        self.mean, self.std = sample.astype(np.float32).mean(0), sample.astype(np.float32).std(0) + 1e-3
        self.sounded = [[p for p in u.phoneme_ids if p not in ZERO_LENGTH_IDS] for u in self.utterances]

    def usable(self) -> list[int]:
        """Return the indices of utterances long enough for all states of its phonemes."""
        return [i for i, mel in enumerate(self.mels) if len(mel) >= STATES_PER_PHONEME * len(self.sounded[i])]

    def batches(
        self, indices: Sequence[int], rng: np.random.Generator | None
    ) -> Iterator[tuple[list[int], Batch]]:
        """Yield index lists and tensors; shuffled when ``rng`` is given."""
        by_length = sorted(indices, key=lambda i: len(self.mels[i]))
        groups = [by_length[k : k + BATCH] for k in range(0, len(by_length), BATCH)]
        if rng is not None:
            rng.shuffle(groups)
        for group in groups:
            yield group, self._collate(group)

    def _collate(self, group: list[int]) -> Batch:
        n_frames = torch.tensor([len(self.mels[i]) for i in group])
        n_phonemes = torch.tensor([len(self.sounded[i]) for i in group])
        ids = torch.zeros(len(group), int(n_phonemes.max()), dtype=torch.long)
        mel = torch.zeros(len(group), int(n_frames.max()), N_MELS)
        for row, i in enumerate(group):
            ids[row, : len(self.sounded[i])] = torch.tensor(self.sounded[i])
            scaled = (self.mels[i].astype(np.float32) - self.mean) / self.std
            mel[row, : len(scaled)] = torch.from_numpy(scaled)
        voices = torch.tensor([self.voice_ids[i] for i in group])
        return ids, voices, mel, n_frames, n_phonemes * STATES_PER_PHONEME


def _voice(utterance: Utterance) -> str:
    """One voice per timbre: sharing it between languages halved the error against espeak's own times."""
    return f"{utterance.character}/{utterance.emotion}"


def enough_epochs(n_lines: int) -> int:
    """Choose the number of passes: a small corpus is passed more often, for the same number of updates."""
    return max(LEAST_EPOCHS, min(MOST_EPOCHS, -(-UPDATES // max(1, -(-n_lines // BATCH)))))


def train_aligner(data: AlignmentData, epochs: int, seed: int) -> Aligner:
    """Fit the emission model by maximum likelihood over all alignments."""
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    aligner = Aligner(len(SYMBOLS), len(data.voices), N_MELS)
    optimizer = torch.optim.Adam(aligner.parameters(), lr=LEARNING_RATE)
    usable = sorted(data.usable(), key=lambda i: len(data.mels[i]))
    # Short lines first: they are quick, and a wrong start cannot drift far in them.
    passes = [usable[: len(usable) // 2 + 1]] * (epochs - FULL_EPOCHS) + [usable] * min(epochs, FULL_EPOCHS)
    with ProgressBar("align", sum(map(_n_batches, passes)), "batch") as bar:
        for epoch, indices in enumerate(passes):
            optimizer.param_groups[0]["lr"] = LEARNING_RATE * (1.0 if epoch < 0.6 * epochs else 0.35)
            for _, (ids, voices, mel, n_frames, n_states) in data.batches(indices, rng):
                likelihood = forward_sum(aligner(ids, voices, mel), n_frames, n_states)
                loss = -(likelihood / n_frames).mean() / N_MELS
                optimizer.zero_grad()
                loss.backward()
                torch.nn.utils.clip_grad_norm_(aligner.parameters(), 1.0)
                optimizer.step()
                bar.advance(epoch=f"{epoch + 1}/{epochs}", loss=f"{loss.item():.3f}")
    return aligner


def _n_batches(indices: Sequence[int]) -> int:
    return -(-len(indices) // BATCH)


def cut(aligner: Aligner, data: AlignmentData) -> dict[str, np.ndarray]:
    """Return per utterance id the length of each phoneme in steps of 8 ms, 0 for pitch marks.

    Lines are cut twice: the first time by their sound alone, which tells how long phonemes usually last.
    """
    cuts: dict[int, Cut] = {}
    for group, likelihood, n_frames, n_states in _heard(aligner, data, "cut"):
        for i, path in zip(group, best_path(likelihood, n_frames, n_states), strict=True):
            steps = path.reshape(-1, STATES_PER_PHONEME).sum(1).numpy()
            cuts[i] = Cut(data.voice_ids[i], data.sounded[i], steps)
    usual = UsualLengths(cuts.values())
    durations: dict[str, np.ndarray] = {}
    for group, likelihood, n_frames, n_states in _heard(aligner, data, "cut again"):
        for row, i in enumerate(group):
            heard = likelihood[row, : n_frames[row], : n_states[row]].numpy()
            steps = share_alike(data.sounded[i], recut(heard, cuts[i], usual).steps)
            durations[data.utterances[i].id] = _spread(data.utterances[i], steps)
    return durations


def _heard(
    aligner: Aligner, data: AlignmentData, what: str
) -> Iterator[tuple[list[int], Tensor, Tensor, Tensor]]:
    """Yield index lists with likelihoods (B, T, 3 * P), frames (B,) and states (B,)."""
    usable = data.usable()
    batches = tracked(data.batches(usable, None), what, _n_batches(usable), "batch")
    for group, (ids, voices, mel, n_frames, n_states) in batches:
        with torch.no_grad():
            yield group, aligner(ids, voices, mel), n_frames, n_states


def share_alike(phoneme_ids: Sequence[int], steps: np.ndarray) -> np.ndarray:
    """Give neighbours that are the same phoneme equal shares of what they last together.

    Nothing in the sound says where one half of a long vowel ends; the best path puts the end anywhere.

    Args:
        phoneme_ids: (n,).
        steps: (n,) length of each.
    """
    ids = np.asarray(phoneme_ids)
    starts = np.flatnonzero(np.diff(ids, prepend=ids[0] - 1))
    counts = np.diff(np.append(starts, len(ids)))
    total = np.repeat(np.add.reduceat(steps, starts), counts)
    place, n = np.arange(len(ids)) - np.repeat(starts, counts), np.repeat(counts, counts)
    shares: np.ndarray = -(-total * (place + 1) // n) - -(-total * place // n)  # rounded up at each boundary
    return shares


def _spread(utterance: Utterance, steps: np.ndarray) -> np.ndarray:
    """Put zeros where the pitch marks stand."""
    sounded = np.array([p not in ZERO_LENGTH_IDS for p in utterance.phoneme_ids])
    full = np.zeros(len(sounded), dtype=np.int32)
    full[sounded] = steps
    return full


def align(
    utterances: Sequence[Utterance], features: Sequence[Features], path: Path, epochs: int | None, seed: int
) -> dict[str, np.ndarray]:
    """Return durations per utterance id, learnt once and kept in the JSON file ``path``."""
    if not utterances:
        return {}
    if not path.exists():
        data = AlignmentData(utterances, features)
        epochs = epochs or enough_epochs(len(data.usable()))
        durations = cut(train_aligner(data, epochs, seed), data)
        write_json(path, {k: v.tolist() for k, v in durations.items()}, indent=None)
    return {k: np.array(v, dtype=np.int32) for k, v in read_json(path).items()}
