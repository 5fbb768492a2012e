"""A small network that reads the sentence and says how likely each reading of a character is.

g2pM's (Apache-2.0): an embedding of 64, one LSTM of 32 in each direction, two dense layers. Packed by
``distill/dictionaries/polyphone_model.py``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..symbols import DATA
from .pinyin import is_sayable

DATA_PATH = DATA / "zh_polyphone_model.npz"
_SENTENCE = re.compile(r"[^。！？!?…\n]{1,100}[。！？!?…\n]?|.", re.DOTALL)  # as the network learnt from
_SIDE_BY_SIDE = 16  # sentences; products of more rows are spread over threads, which costs more than it gains
_UNKNOWN = 1

Floats = NDArray[np.float32]


class PolyphoneModel:
    """Scores for the readings of characters in a sentence."""

    def __init__(self, path: Path = DATA_PATH) -> None:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
        names = str(arrays["characters"]).split("\n")
        self._ids = {name: index for index, name in enumerate(names)}
        self._begin, self._end = 2, 3  # rows of the sentence's ends, as g2pM has them
        classes = {name: index for index, name in enumerate(str(arrays["classes"]).split(" "))}
        lines = (line.split(" ") for line in str(arrays["choices"]).split("\n"))
        sayable = (
            (character, [name for name in readings if is_sayable(name)]) for character, *readings in lines
        )
        self._choices = {
            character: (readings, np.array([classes[reading] for reading in readings]))
            for character, readings in sayable
            if readings
        }
        self._embedding = arrays["embedding"]
        self._scales = arrays["scales"].astype(np.float32)
        self._inputs, self._hidden = _halved(arrays["inputs"]), _halved(arrays["hidden"])
        self._bias = _halved(arrays["bias"][None])[0]
        self._first, self._first_bias = arrays["first"].astype(np.float32), arrays["first_bias"]
        self._second, self._second_bias = arrays["second"].astype(np.float32), arrays["second_bias"]

    def knows(self, character: str) -> bool:
        """Whether the character has several readings here."""
        return character in self._choices

    def scores(self, text: str, places: Sequence[int]) -> list[dict[str, float]]:
        """Score of each reading (pinyin with tone digit) of the characters at some places.

        Args:
            text: the line; each sentence is read for itself.
            places: indices of characters that ``knows`` names, ascending.

        Returns:
            For each place the readings and their unnormalised log probabilities.
        """
        left = list(places)[::-1]
        asked: list[tuple[str, list[int]]] = []  # a sentence and places in it
        for match in _SENTENCE.finditer(text):
            own = []
            while left and left[-1] < match.end():
                own.append(left.pop() - match.start())
            if own:
                asked.append((match.group(), own))
        results = []
        for first in range(0, len(asked), _SIDE_BY_SIDE):
            some = asked[first : first + _SIDE_BY_SIDE]
            states = self._states([sentence for sentence, _ in some])
            for row, (sentence, own) in enumerate(some):
                hidden = np.maximum(states[[at + 1 for at in own], row] @ self._first + self._first_bias, 0)
                results += [
                    self._read_out(sentence[at], vector) for at, vector in zip(own, hidden, strict=True)
                ]
        return results

    def _read_out(self, character: str, hidden: Floats) -> dict[str, float]:
        readings, columns = self._choices[character]
        values = hidden @ self._second[:, columns] + self._second_bias[columns]
        return dict(zip(readings, values.tolist(), strict=True))

    def _states(self, sentences: Sequence[str]) -> Floats:
        """(T, n_sentences, 64): both directions of the LSTM at the characters, behind each sentence's start.

        T is the longest sentence's length and 2; what lies behind the end of a shorter one means nothing.
        """
        ids = [
            [self._begin, *(self._ids.get(character, _UNKNOWN) for character in text), self._end]
            for text in sentences
        ]
        longest = max(map(len, ids))
        forward = np.array([row + [self._end] * (longest - len(row)) for row in ids]).T
        backward = np.array([row[::-1] + [self._end] * (longest - len(row)) for row in ids]).T
        steps = self._input_steps(forward)
        steps[:, :, :, 1] = self._input_steps(backward)[:, :, :, 1]
        states = self._run(steps.reshape(longest, len(ids), -1))
        half = states.shape[2] // 2
        for row, numbers in enumerate(ids):
            states[: len(numbers), row, half:] = states[len(numbers) - 1 :: -1, row, half:].copy()
        return states

    def _input_steps(self, ids: NDArray[np.int64]) -> Floats:
        """(T, n_sentences, 4, 2, 32): what the characters give to each gate of each direction."""
        embedded = self._embedding[ids] * self._scales[ids, None]
        steps: Floats = embedded @ self._inputs + self._bias
        return steps.reshape(*ids.shape, 4, 2, -1)

    def _run(self, steps: Floats) -> Floats:
        """(T, n_sentences, 64): the hidden states of both directions, each in its own order of steps."""
        size = steps.shape[2] // 4
        states = np.zeros((*steps.shape[:2], size), np.float32)
        state, cell = states[0], states[0]
        for index, step in enumerate(steps):
            gates = np.tanh(step + state @ self._hidden)
            opened = gates[:, : 3 * size] * 0.5 + 0.5  # a sigmoid, as its argument was halved
            cell = opened[:, size : 2 * size] * cell + opened[:, :size] * gates[:, 3 * size :]
            state = opened[:, 2 * size :] * np.tanh(cell)
            states[index] = state
        return states


def _halved(matrix: NDArray[np.float16]) -> Floats:
    """Columns of the three gates by half: sigmoid(x) is (1 + tanh(x / 2)) / 2."""
    result = matrix.astype(np.float32)
    result[:, : result.shape[1] * 3 // 4] *= 0.5
    return result
