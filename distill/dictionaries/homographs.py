"""Train the model that tells English homographs apart: edge/text/data/en_homograph_model.npz.

    python -m distill.dictionaries.homographs --train FOLDER

FOLDER holds ``train.tsv`` of google-research-datasets/WikipediaHomographData (Apache-2.0; Gorman, Mazovetskiy
and Nikolaev, "Improving homograph disambiguation with supervised machine learning", LREC 2018). One sentence
in five is first kept apart to measure on; what that says goes into ``homographs_result.json`` beside this
file. Then the model learns from all sentences. The settings below were chosen on another fifth.

Wikipedia has no "I", no questions and no orders, and of many words one sense alone. Short sentences as people
speak them (``homographs_spoken.txt``) teach those.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import re
import zlib
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from edge.text.en.cues import Site
from edge.text.en.homograph_model import BUCKETS, DATA_PATH, feature_buckets
from edge.text.en.homographs import Homographs
from edge.text.en.reader import site_at

RESULT_PATH = Path(__file__).with_name("homographs_result.json")
HELD_OUT = 5  # one sentence in so many
RUNS = 3  # with the sentences in other orders; their mean is surer than each
EPOCHS, BATCH, RATE, DECAY = 10, 256, 0.01, 0.05  # chosen on the sentences of fold 0
SPOKEN_WEIGHT = 0.4  # of a sentence made from a pattern
SPOKEN_PATH = RESULT_PATH.with_name("homographs_spoken.txt")
SPOKEN_CHOICES, WRITTEN_WEIGHT = 14, 0.6
_OPTIONAL, _CHOICE = re.compile(r"\(([^()]*)\)\?"), re.compile(r"\(([^()]*)\)")
OWN_DROPOUT = 0.4  # how often a sentence teaches the shared weights alone
MOST_SURE = 2.0  # bias towards the first sense of a word that the data shows in that sense alone
# Words of the table whose sense "v" is more than the verb, or whose noun is rare: they share nothing.
ALONE = frozenset(
    "aged blessed lead learned polish reading upset used nestle ravel invalid content moped".split()
)
# Suffixes of the data's names, and the names in the table that differ from them.
_VERB_MARKS = ("_vrb", "_nou-vrb")
_SENSES = {
    "affect": "v", "affect_nou-psy": "n", "aged_adj": "adjective", "august_adj": "n", "august": "proper",
    "august_nam": "", "axes_nou": "mathematics", "axes_nou-vrb": "n", "bass": "music", "bass_corp": "fish",
    "blessed_adj": "adjective", "bologna_geo": "place", "bologna": "meat", "bow_nou-knot": "weapon",
    "bow_nou-ship": "bend", "celtic": "people", "celtic_adj-nou-sports": "team", "close_adj-nou": "adjective",
    "compress": "v", "content_adj-nou-vrb": "satisfied", "content_nou": "n", "correlate_nou-vrb": "v",
    "dove": "bird", "dove_vrb": "past", "intrigue_nou-vrb": "v", "invalid_adj": "adjective",
    "invalid_nou": "person", "isolate": "v", "jesus": "bible", "jesus_es": "name", "lead_nou": "metal",
    "lead_nou-vrb": "v", "learned_adj": "adjective", "live_adj": "adjective", "minute_adj": "small",
    "minute": "time", "mobile": "adjective", "mobile_geo": "place", "nestle_nam": "name",
    "pasty_adj": "adjective", "pasty_nou": "food", "polish_geo": "proper", "polish": "v", "ravel_nam": "name",
    "ravel_nou": "v", "reading_en": "v", "reading_geo": "place", "read_past": "past",
    "read_present": "present",
    "rerelease": "n", "rodeo_geo": "place", "rodeo": "n", "sake_jp": "drink", "sake": "reason",
    "sow_nou": "animal", "sow": "v", "tear_nou": "drop", "tear_vrb": "rip", "transform": "v",
    "wound_nou-vrb": "n", "wound_vrb": "coiled", "aged": "v",
}  # fmt: skip


@dataclass(frozen=True)
class Example:
    """A word at a site, whether it has the sense that the model scores, and how much that counts."""

    word: str
    site: Site
    is_positive: bool
    weight: float = 1.0


def sense_name(word: str, name: str, senses: Sequence[str]) -> str:
    """The table's name of one of the data's pronunciations; empty for one that the table lacks."""
    if name in _SENSES:
        return _SENSES[name]
    return "v" if name.endswith(_VERB_MARKS) else "n" if "n" in senses else senses[0]


def read_examples(path: Path, table: Homographs) -> list[tuple[str, Example]]:
    """Sentences of the data whose word the table has, each with its text."""
    examples = []
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            word, start = row["homograph"], _character(row["sentence"], int(row["start"]))
            senses = table.senses(word)
            name = sense_name(word, row["wordid"], senses) if senses else ""
            site = site_at(row["sentence"], start) if name in senses else None
            if site is not None and site.word == word:
                examples.append((row["sentence"], Example(word, site, name == scored_sense(word, senses))))
    return examples


def _character(sentence: str, start: int) -> int:
    """The data counts bytes."""
    return len(sentence.encode()[:start].decode("utf-8", "ignore"))


def spoken_examples(table: Homographs, path: Path = SPOKEN_PATH) -> Iterator[Example]:
    """The sentences of ``homographs_spoken.txt``, with some of their choices each."""
    draw = random.Random(2)
    for line in path.read_text(encoding="ascii").splitlines():
        if not line or line.startswith("#"):
            continue
        head, _, pattern = line.partition(": ")
        word, sense = head.split()
        if word != "*":
            texts = sorted({_chosen(pattern, draw) for _ in range(SPOKEN_CHOICES)})
            yield from _filled(texts, word, sense, WRITTEN_WEIGHT, table)
            continue
        for each in table.words():
            if each not in ALONE and set(table.senses(each)) == {"n", "v"}:
                yield from _filled([pattern], each, sense, SPOKEN_WEIGHT, table)


def _filled(
    texts: Sequence[str], word: str, sense: str, weight: float, table: Homographs
) -> Iterator[Example]:
    """Sentences with the word in the place of {}."""
    is_positive = sense == scored_sense(word, table.senses(word))
    for text in texts:
        sentence = text.replace("{}", word)
        start = text.find("{}") if "{}" in text else sentence.find(word.capitalize())
        site = site_at(sentence[0].upper() + sentence[1:], start)
        if site is not None:
            yield Example(word, site, is_positive, weight)


def _chosen(pattern: str, draw: random.Random) -> str:
    text = _OPTIONAL.sub(lambda match: draw.choice([*match[1].split("|"), ""]), pattern)
    return " ".join(_CHOICE.sub(lambda match: draw.choice(match[1].split("|")), text).split())


def is_shared(senses: Sequence[str], word: str) -> bool:
    """Whether a word is noun or adjective in one sense and verb in the other."""
    return "v" in senses and word not in ALONE


def scored_sense(word: str, senses: Sequence[str]) -> str:
    """The sense for which the model's score is positive."""
    return "v" if is_shared(senses, word) else senses[1]


def train(examples: Sequence[Example], table: Homographs) -> dict[str, Any]:
    """Logistic regression over hashed features, the mean of some runs; the arrays of the device's file."""
    words = table.words()
    numbers = {word: index for index, word in enumerate(words)}
    seen = Counter((example.word, example.is_positive) for example in examples if example.weight == 1.0)
    prepared = [
        _Prepared(example, numbers, is_shared(table.senses(example.word), example.word))
        for example in examples
    ]
    runs = [_run(prepared, len(words), seed) for seed in range(1, RUNS + 1)]
    values, found = (np.mean([run[place] for run in runs], axis=0) for place in (0, 1))
    scale = float(np.abs(values).max()) / 127
    for word, number in numbers.items():
        if not (seen[word, False] and seen[word, True]):
            found[number] = np.clip(found[number], -MOST_SURE, MOST_SURE)
    return {
        "weights": np.rint(values / scale).astype(np.int8),
        "scale": np.float32(scale),
        "words": np.array(" ".join(words)),
        "biases": found.astype(np.float16),
        "shared": np.array(" ".join(word for word in words if is_shared(table.senses(word), word))),
    }


def _run(
    prepared: list[_Prepared], n_words: int, seed: int
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Weights of the buckets and biases of the words that one run finds."""
    weights = torch.nn.EmbeddingBag(BUCKETS, 1, mode="sum", include_last_offset=True)
    biases = torch.nn.Embedding(n_words, 1)
    torch.nn.init.zeros_(weights.weight)
    torch.nn.init.zeros_(biases.weight)
    optimizer = torch.optim.AdamW([*weights.parameters(), *biases.parameters()], lr=RATE, weight_decay=DECAY)
    order = random.Random(seed)
    prepared = list(prepared)
    for epoch in range(EPOCHS):
        for group in optimizer.param_groups:
            group["lr"] = RATE * (1 - epoch / EPOCHS)
        order.shuffle(prepared)
        for first in range(0, len(prepared), BATCH):
            _step(prepared[first : first + BATCH], weights, biases, order)
            optimizer.step()
            optimizer.zero_grad()
    return weights.weight.detach().numpy()[:, 0], biases.weight.detach().numpy()[:, 0]


class _Prepared:
    """An example with its features hashed."""

    def __init__(self, example: Example, numbers: dict[str, int], shares: bool) -> None:
        self.number = numbers[example.word]
        self.wanted = float(example.is_positive)
        self.weight = example.weight
        self.own, self.shared = feature_buckets(example.word, example.site)
        self.shares = shares

    def buckets(self, drops_own: bool) -> list[int]:
        """Weights that the example teaches."""
        if not self.shares:
            return self.own
        return self.shared if drops_own else self.own + self.shared


def _step(
    batch: Sequence[_Prepared],
    weights: torch.nn.EmbeddingBag,
    biases: torch.nn.Embedding,
    order: random.Random,
) -> None:
    """Gradients of one batch."""
    places: list[int] = []
    offsets = [0]
    for example in batch:
        places += example.buckets(order.random() < OWN_DROPOUT)
        offsets.append(len(places))
    scores = weights(torch.tensor(places), torch.tensor(offsets))[:, 0]
    scores = scores + biases(torch.tensor([example.number for example in batch]))[:, 0]
    wanted = torch.tensor([example.wanted for example in batch])
    counts = torch.tensor([example.weight for example in batch])
    torch.nn.functional.binary_cross_entropy_with_logits(scores, wanted, counts).backward()


def measure(table: Homographs, examples: Sequence[tuple[str, Example]]) -> dict[str, object]:
    """Share of right senses in all and by word, and the sentences that were missed."""
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    misses = []
    for sentence, example in examples:
        is_right = (table.sense(example.site) == scored_sense(example.word, table.senses(example.word))) is (
            example.is_positive
        )
        counts[example.word][0] += is_right
        counts[example.word][1] += 1
        if not is_right:
            misses.append(f"{example.word}: {sentence}")
    right, tried = (sum(pair[place] for pair in counts.values()) for place in (0, 1))
    per_word = {word: f"{pair[0]}/{pair[1]}" for word, pair in sorted(counts.items())}
    return {
        "right": right,
        "tried": tried,
        "share": round(right / tried, 4),
        "words": per_word,
        "misses": misses,
    }


def is_held_out(sentence: str) -> bool:
    """One sentence in five, by a hash of it."""
    return zlib.crc32(sentence.encode()) % HELD_OUT == 1


def main(arguments: Sequence[str] | None = None) -> None:
    """Train, then measure on what was kept apart."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--train", type=Path, required=True, help="folder of train.tsv")
    options = parser.parse_args(arguments)
    torch.manual_seed(1)
    torch.set_num_threads(1)
    table = Homographs()
    examples = read_examples(options.train / "train.tsv", table)
    words = frozenset(table.words())
    spoken = list(spoken_examples(table))
    taught = [(sentence, example) for sentence, example in examples if example.word in words]
    kept = [example for sentence, example in taught if not is_held_out(sentence)]
    np.savez_compressed(DATA_PATH, **train([*kept, *spoken], table))
    result = measure(Homographs(), [pair for pair in examples if is_held_out(pair[0])])
    RESULT_PATH.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    np.savez_compressed(DATA_PATH, **train([*(example for _, example in taught), *spoken], table))
    share = f"{result['right']} of {result['tried']} right, {result['share']:.2%}"
    print(f"{DATA_PATH}: {DATA_PATH.stat().st_size} bytes; {share}")


if __name__ == "__main__":
    main()
