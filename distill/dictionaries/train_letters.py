"""Train the letter-to-sound model of English on CMUdict and write edge/text/data/en_letters.npz.

    python -m distill.dictionaries.train_letters --epochs 24

A convolutional network reads a word letter by letter and puts two phoneme slots (or blanks) on each letter;
CTC finds the alignment (Graves et al. 2006). Two of the inner layers already guess the answer and pass the
guess on (self-conditioned CTC, Nozaki and Komatsu 2021, arXiv:2104.02724), which makes the slots agree with
each other. An x86 core needs about 130 s an epoch. ``distill/dictionaries/measure_letters.py``
measures how well it reads.
"""

from __future__ import annotations

import argparse
import logging
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from edge.text.en.dictionary import PHONEMES
from edge.text.en.letters import ALPHABET, BLANK, DATA_PATH, GUESS_AFTER, SLOTS

from .english import letter_words, split_of

DIM = 128
HIDDEN = 384
KERNEL = 7  # letters; six layers see the whole word
LAYERS = 6
GUESS_WEIGHT = 0.3  # of the inner guesses in the loss
CHECKPOINT = Path("runs/english_letters.pt")
_LOG = logging.getLogger(__name__)


class Block(nn.Module):
    """Depthwise convolution over letters, then two dense layers; residual."""

    def __init__(self, dropout: float) -> None:
        super().__init__()
        self.taps = nn.Parameter(torch.randn(KERNEL, DIM) / KERNEL**0.5)
        self.norm = nn.LayerNorm(DIM)
        self.expand = nn.Linear(DIM, HIDDEN)
        self.reduce = nn.Linear(HIDDEN, DIM)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """X (batch, letters, DIM), mask (batch, letters, 1) -> same shape."""
        padded = functional.pad(x * mask, (0, 0, KERNEL // 2, KERNEL // 2))
        y = sum(padded[:, k : k + x.shape[1]] * self.taps[k] for k in range(KERNEL))
        y = self.reduce(self.dropout(functional.relu(self.expand(self.norm(y)))))
        return x + self.dropout(y)


class LetterNet(nn.Module):
    """Letters to phoneme slots."""

    def __init__(self, dropout: float = 0.1) -> None:
        super().__init__()
        self.embed = nn.Embedding(len(ALPHABET) + 1, DIM, padding_idx=len(ALPHABET))
        self.blocks = nn.ModuleList(Block(dropout) for _ in range(LAYERS))
        self.norm = nn.LayerNorm(DIM)
        self.head = nn.Linear(DIM, SLOTS * (BLANK + 1))
        self.feedback = nn.Linear(SLOTS * (BLANK + 1), DIM, bias=False)

    def forward(self, letters: Tensor) -> list[Tensor]:
        """Letters (batch, n) -> log-probabilities (batch, n * SLOTS, BLANK + 1), one per guess."""
        mask = (letters != len(ALPHABET)).unsqueeze(-1)
        x = self.embed(letters)
        guesses = []
        for index, block in enumerate(self.blocks, start=1):
            x = block(x, mask)
            if index in GUESS_AFTER:
                guesses.append(self._read(x))
                x = x + self.feedback(guesses[-1].exp().flatten(2))
        guesses.append(self._read(x))
        return [guess.flatten(1, 2) for guess in guesses]

    def _read(self, x: Tensor) -> Tensor:
        """(batch, n, DIM) -> (batch, n, SLOTS, BLANK + 1)."""
        return self.head(self.norm(x)).float().unflatten(-1, (SLOTS, BLANK + 1)).log_softmax(-1)


def encode(word: str) -> list[int]:
    """Letter ids with the boundaries."""
    return [0, *(ALPHABET.index(letter) for letter in word), 1]


class Batches:
    """Words of similar length together, in a new order each epoch."""

    def __init__(self, words: list[tuple[str, tuple[str, ...]]], size: int) -> None:
        ids = {phoneme: index for index, phoneme in enumerate(PHONEMES)}
        self.items = [(encode(word), [ids[p] for p in phonemes]) for word, phonemes in words]
        self.size = size

    def epoch(self, generator: np.random.Generator) -> Iterator[tuple[Tensor, Tensor, Tensor, Tensor]]:
        """Yield letters (B, n), letter counts (B), phonemes (sum), phoneme counts (B)."""
        keys = [len(letters) + generator.random() for letters, _ in self.items]
        order = np.argsort(keys)
        chunks = [order[i : i + self.size] for i in range(0, len(order), self.size)]
        for index in generator.permutation(len(chunks)):
            yield self.collate([self.items[i] for i in chunks[index]])

    @staticmethod
    def collate(items: list[tuple[list[int], list[int]]]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Pad letters on the right."""
        longest = max(len(letters) for letters, _ in items)
        letters = torch.full((len(items), longest), len(ALPHABET))
        for row, (word, _) in enumerate(items):
            letters[row, : len(word)] = torch.tensor(word)
        return (
            letters,
            torch.tensor([len(word) for word, _ in items]),
            torch.tensor([p for _, phonemes in items for p in phonemes]),
            torch.tensor([len(phonemes) for _, phonemes in items]),
        )


def loss_of(guesses: list[Tensor], lengths: Tensor, phonemes: Tensor, counts: Tensor) -> Tensor:
    """CTC of the final reading plus a share of the inner guesses."""
    losses = [
        functional.ctc_loss(
            guess.transpose(0, 1),
            phonemes,
            lengths * SLOTS,
            counts,
            blank=BLANK,
            reduction="mean",
            zero_infinity=True,
        )
        for guess in guesses
    ]
    return losses[-1] + GUESS_WEIGHT * sum(losses[:-1])


def train(epochs: int, batch: int, peak_rate: float, seed: int, start: Path | None) -> dict[str, Tensor]:
    """Train with a one-cycle rate; gives the running average of the weights, kept after every epoch."""
    torch.manual_seed(seed)
    generator = np.random.default_rng(seed)
    batches = Batches([item for item in letter_words() if split_of(item[0]) == "train"], batch)
    steps = epochs * -(-len(batches.items) // batch)
    model = LetterNet()
    if start:
        model.load_state_dict(torch.load(start))
    average = AveragedModel(model, multi_avg_fn=get_ema_multi_avg_fn(0.999))
    optimizer = torch.optim.AdamW(model.parameters(), lr=peak_rate, weight_decay=0.01, betas=(0.9, 0.98))
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, peak_rate, total_steps=steps, pct_start=0.1)
    for epoch in range(1, epochs + 1):
        losses = []
        for letters, lengths, phonemes, counts in batches.epoch(generator):
            loss = loss_of(model(letters), lengths, phonemes, counts)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            average.update_parameters(model)
            losses.append(loss.item())
        _LOG.info("epoch %d: loss %.4f", epoch, np.mean(losses))
        torch.save(average.module.state_dict(), CHECKPOINT)
    return dict(average.module.state_dict())


class Packer:
    """Collects weights in the order in which ``edge.text.en.letters`` takes them out."""

    def __init__(self, state: dict[str, Tensor]) -> None:
        self._state = {name: tensor.detach().numpy() for name, tensor in state.items()}
        self._weights: list[np.ndarray] = []
        self._values: list[np.ndarray] = []

    def keep(self, *names: str) -> None:
        """Store as 32-bit numbers."""
        self._values += [self._state[name].ravel() for name in names]

    def quantize(self, name: str, rows: int | None = None) -> None:
        """Store as signed bytes with one scale for each row."""
        matrix = self._state[name][:rows]
        scale = np.abs(matrix).max(1) / 127
        self._weights.append(np.rint(matrix / scale[:, None]).astype(np.int8).ravel())
        self._values.append(scale)

    def write(self, path: Path) -> None:
        """Write the file."""
        values = np.concatenate(self._values).astype(np.float32)
        sizes = np.array([DIM, HIDDEN, KERNEL, LAYERS])
        np.savez(path, weights=np.concatenate(self._weights), values=values, sizes=sizes)


def pack_weights(state: dict[str, Tensor], path: Path) -> None:
    """Write the network for the device."""
    packer = Packer(state)
    packer.quantize("embed.weight", rows=len(ALPHABET))
    for block in (f"blocks.{index}" for index in range(LAYERS)):
        packer.keep(f"{block}.taps", f"{block}.norm.weight", f"{block}.norm.bias")
        for layer in ("expand", "reduce"):
            packer.quantize(f"{block}.{layer}.weight")
            packer.keep(f"{block}.{layer}.bias")
    packer.keep("norm.weight", "norm.bias")
    packer.quantize("head.weight")
    packer.keep("head.bias")
    packer.quantize("feedback.weight")
    packer.write(path)


def main() -> None:
    """Train, then write the weights for the device."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--epochs", type=int, default=24)
    parser.add_argument("--batch", type=int, default=128)
    parser.add_argument("--peak-rate", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--start", type=Path, help="weights to go on from")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    CHECKPOINT.parent.mkdir(exist_ok=True)
    state = train(arguments.epochs, arguments.batch, arguments.peak_rate, arguments.seed, arguments.start)
    pack_weights(state, DATA_PATH)


if __name__ == "__main__":
    main()
