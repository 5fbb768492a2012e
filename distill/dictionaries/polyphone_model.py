"""Pack the network of g2pM into what the device runs: edge/text/data/zh_polyphone_model.npz.

    python -m distill.dictionaries.polyphone_model --package FOLDER

FOLDER holds ``np_ckpt.pkl``, ``char2idx.pkl``, ``class2idx.pkl`` and ``digest_cedict.pkl`` of the package
g2pM 0.1.2.5 (Apache-2.0; Kyubyong Park and Seanie Lee, "g2pM: A Neural Grapheme-to-Phoneme Conversion Package
for Mandarin Chinese Based on a New Open Benchmark Dataset", Interspeech 2020). ``--measure``
writes the share of right readings on sentences of its benchmark CPP to ``polyphones_result.json`` beside this
file, by character and with what was missed; ▁ marks one character of each sentence.

Embeddings become signed bytes with one scale per character. Both directions of the LSTM are put into one
matrix, gates in the order input, forget, output, cell, so that a step of both is one product.
"""

from __future__ import annotations

import argparse
import json
import pickle
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.text.zh.polyphone_model import DATA_PATH
from edge.text.zh.reader import ChineseReader

from .second_list import is_same

RESULT_PATH = Path(__file__).with_name("polyphones_result.json")
Floats = NDArray[np.float32]
_HIDDEN = 32
_GATES = (0, 1, 3, 2)  # of i, f, g, o as torch has them
_ALLOWED = {("numpy.core.multiarray", "_reconstruct"), ("numpy", "ndarray"), ("numpy", "dtype")}


class _Arrays(pickle.Unpickler):
    """Reads arrays and plain containers, and runs nothing else."""

    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise pickle.UnpicklingError(f"{module}.{name} is no array; take the files of g2pM 0.1.2.5")
        if name == "_reconstruct":
            return np.empty(0).__reduce__()[0]
        return super().find_class(module, name)


def read_pickle(path: Path) -> Any:
    """Load one file of the package."""
    with path.open("rb") as file:
        return _Arrays(file).load()


def both_directions(weights: dict[str, Floats]) -> tuple[Floats, Floats, Floats]:
    """Input matrix (64, 256), hidden matrix (64, 256) and bias (256,) of both directions together."""
    ways = ("", "_reverse")
    inputs = [_split(weights[f"lstm.weight_ih_l0{way}"]) for way in ways]
    hidden = [_split(weights[f"lstm.weight_hh_l0{way}"]) for way in ways]
    biases = [_split(weights[f"lstm.bias_ih_l0{way}"] + weights[f"lstm.bias_hh_l0{way}"]) for way in ways]
    nothing = np.zeros((_HIDDEN, _HIDDEN), np.float32)
    return (
        np.concatenate([inputs[way][gate] for gate in range(4) for way in range(2)]).T,
        np.concatenate(
            [
                np.hstack([hidden[way][gate] if way == side else nothing for side in range(2)])
                for gate in range(4)
                for way in range(2)
            ]
        ).T,
        np.concatenate([biases[way][gate] for gate in range(4) for way in range(2)]),
    )


def _split(matrix: Floats) -> list[Floats]:
    """Rows by gate: input, forget, output, cell."""
    return [matrix[gate * _HIDDEN : (gate + 1) * _HIDDEN] for gate in _GATES]


def pack(folder: Path, path: Path) -> None:
    """Write the archive."""
    weights = {
        name: np.asarray(value, np.float32) for name, value in read_pickle(folder / "np_ckpt.pkl").items()
    }
    characters, classes = read_pickle(folder / "char2idx.pkl"), read_pickle(folder / "class2idx.pkl")
    choices = {
        character: [reading for reading in readings if reading in classes]
        for character, readings in read_pickle(folder / "digest_cedict.pkl").items()
    }
    embedding = weights["embedding.weight"]
    scales = np.abs(embedding).max(1) / 127 + 1e-12
    inputs, hidden, bias = both_directions(weights)
    names = sorted(classes, key=classes.get)
    lines = [f"{c} {' '.join(r)}" for c, r in sorted(choices.items()) if len(r) > 1]
    np.savez_compressed(
        path,
        characters=np.array("\n".join(sorted(characters, key=characters.get))),
        classes=np.array(" ".join(names).replace("u:", "v")),
        choices=np.array("\n".join(lines).replace("u:", "v")),
        embedding=np.rint(embedding / scales[:, None]).astype(np.int8),
        scales=scales.astype(np.float16),
        inputs=inputs.astype(np.float16),
        hidden=hidden.astype(np.float16),
        bias=bias,
        first=weights["logit_layer.0.weight"].T.astype(np.float16),
        first_bias=weights["logit_layer.0.bias"],
        second=weights["logit_layer.2.weight"].T.astype(np.float16),
        second_bias=weights["logit_layer.2.bias"],
    )


def measure(sentences: Path, labels: Path) -> dict[str, object]:
    """Share of right readings, in all, apart from neutral tones and by character; all misses."""
    reader = ChineseReader()
    counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])
    misses: Counter[tuple[str, str, str]] = Counter()
    lines = zip(
        sentences.read_text(encoding="utf-8").splitlines(), labels.read_text().splitlines(), strict=True
    )
    for line, label in lines:
        at = line.index("▁")
        text = line.replace("▁", "")
        found, expected = dictionary_reading(reader, text, at), label.strip().replace("u:", "v")
        counts[text[at]][0] += found == expected
        counts[text[at]][1] += 1
        if found != expected:
            misses[text[at], expected, found] += 1
    right, tried = (sum(pair[place] for pair in counts.values()) for place in (0, 1))
    neutral = sum(n for (_, one, other), n in misses.items() if is_same(one, other))
    return {
        "right": right,
        "tried": tried,
        "share": round(right / tried, 4),
        "share_apart_from_neutral_tones": round((right + neutral) / tried, 4),
        "characters": {name: f"{pair[0]}/{pair[1]}" for name, pair in sorted(counts.items())},
        "misses": {" ".join(key): n for key, n in misses.most_common()},
    }


def dictionary_reading(reader: ChineseReader, text: str, at: int) -> str:
    """Reading of one character before any change of tones."""
    for start, words in reader.clauses(text, {}):
        syllables = [syllable for word in words for syllable in word.syllables]
        if start <= at < start + len(syllables):
            return str(syllables[at - start])
    return ""


def main(arguments: Sequence[str] | None = None) -> None:
    """Pack the network, or measure it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--package", type=Path, help="folder of g2pM's files")
    parser.add_argument("--measure", type=Path, nargs=2, metavar=("SENT", "LB"))
    options = parser.parse_args(arguments)
    if options.package:
        pack(options.package, DATA_PATH)
        print(f"{DATA_PATH}: {DATA_PATH.stat().st_size} bytes")
    if options.measure:
        result = measure(*options.measure)
        RESULT_PATH.write_text(json.dumps(result, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        print(f"{result['right']} of {result['tried']} right")


if __name__ == "__main__":
    main()
