"""Letter to sound: phonemes for words that no dictionary has, by a small convolutional network in numpy.

The network is trained by ``distill/dictionaries/train_letters.py``. Weights are stored as signed
bytes with one scale per output.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..symbols import DATA
from .dictionary import PHONEMES

DATA_PATH = DATA / "en_letters.npz"
ALPHABET = "^$abcdefghijklmnopqrstuvwxyz'"  # word start, word end, letters
SLOTS = 2  # phonemes a letter can carry, e.g. x in "box"
BLANK = len(PHONEMES)
GUESS_AFTER = (2, 4)  # layers whose output is read and fed back
ONE_THREAD_PRODUCT = 250_000  # multiplications; OpenBLAS takes a second thread from 262,144 on
NORM_EPSILON = 1e-5
BEAM_READINGS, BEAM_PHONEMES = 8, 6  # readings kept, phonemes tried on each slot
LEAST_LIKELY = 1e-3  # phonemes below it are not tried
LONGEST_PIECE = 40  # letters; longer strings are no words and are read in pieces, which bounds memory

Floats = NDArray[np.float32]
Beams = dict[tuple[int, ...], tuple[float, float]]

_LETTER_IDS = {letter: index for index, letter in enumerate(ALPHABET)}
_VOWEL_LIMIT = next(index for index, phoneme in enumerate(PHONEMES) if not phoneme[-1].isdigit())


class _Packed:
    """Takes arrays out of the file in the order in which ``pack_weights`` put them in."""

    def __init__(self, path: Path) -> None:
        with np.load(path, allow_pickle=False) as archive:
            self._weights, self._values = archive["weights"], archive["values"]
            self.dim, self.hidden, self.kernel, self.layers = (int(n) for n in archive["sizes"])
        self._weight_at = self._value_at = 0

    def values(self, count: int) -> Floats:
        """(count,) numbers stored as they are."""
        self._value_at += count
        taken: Floats = self._values[self._value_at - count : self._value_at]
        return taken

    def matrix(self, rows: int, columns: int) -> Floats:
        """(columns, rows): signed bytes times the scale of their row, ready to multiply from the right."""
        self._weight_at += rows * columns
        weights = self._weights[self._weight_at - rows * columns : self._weight_at].reshape(rows, columns)
        scaled: Floats = np.ascontiguousarray((weights * self.values(rows)[:, None]).T, dtype=np.float32)
        return scaled


class _Block:
    """Depthwise convolution over letters, then two dense layers; residual."""

    def __init__(self, packed: _Packed) -> None:
        dim, hidden = packed.dim, packed.hidden
        self.taps = packed.values(packed.kernel * dim).reshape(packed.kernel, dim)
        self.scale, self.shift = packed.values(dim), packed.values(dim)
        self.expand, self.expand_bias = packed.matrix(hidden, dim), packed.values(hidden)
        self.reduce, self.reduce_bias = packed.matrix(dim, hidden), packed.values(dim)

    def __call__(self, x: Floats) -> Floats:
        """(n, dim) -> (n, dim)."""
        n, half = len(x), len(self.taps) // 2
        padded = np.zeros((n + 2 * half, x.shape[1]), np.float32)
        padded[half : half + n] = x
        # A sum over seven shifted views takes a third of the time of one einsum over windows.
        y = padded[:n] * self.taps[0]
        for shift in range(1, len(self.taps)):
            y += padded[shift : shift + n] * self.taps[shift]
        y = _normalized(y, self.scale, self.shift)
        y = np.maximum(_times(y, self.expand) + self.expand_bias, 0.0)
        y = _times(y, self.reduce) + self.reduce_bias
        result: Floats = x + y
        return result


def _times(x: Floats, matrix: Floats) -> Floats:
    """(n, a) times (a, b), a few rows at a time.

    OpenBLAS gives larger products to all cores and spins until they are done; on a busy machine that has
    cost a hundred times the product itself.
    """
    rows = max(1, ONE_THREAD_PRODUCT // matrix.size)
    product = np.empty((len(x), matrix.shape[1]), np.float32)
    for begin in range(0, len(x), rows):
        np.matmul(x[begin : begin + rows], matrix, out=product[begin : begin + rows])
    return product


def _normalized(x: Floats, scale: Floats, shift: Floats) -> Floats:
    """Layer normalisation over the last axis."""
    centred = x - x.mean(-1, keepdims=True)
    deviation = np.sqrt((centred * centred).mean(-1, keepdims=True) + NORM_EPSILON)
    result: Floats = centred / deviation * scale + shift
    return result


class LetterModel:
    """Reads lower-case words letter by letter."""

    def __init__(self, path: Path = DATA_PATH) -> None:
        packed = _Packed(path)
        classes = SLOTS * (BLANK + 1)
        self._embed = packed.matrix(len(ALPHABET), packed.dim).T
        self._blocks = [_Block(packed) for _ in range(packed.layers)]
        self._scale, self._shift = packed.values(packed.dim), packed.values(packed.dim)
        self._head, self._head_bias = packed.matrix(classes, packed.dim), packed.values(classes)
        self._feedback = packed.matrix(packed.dim, classes)

    def read(self, word: str) -> tuple[str, ...]:
        """Phonemes of a word of the letters a to z and apostrophes; other characters are skipped."""
        letters = [letter for letter in word if letter in _LETTER_IDS and letter not in "^$"]
        phonemes: list[str] = []
        for begin in range(0, len(letters), LONGEST_PIECE):
            ids = [0, *(_LETTER_IDS[letter] for letter in letters[begin : begin + LONGEST_PIECE]), 1]
            phonemes += _decode(self.probabilities(ids))
        return tuple(phonemes)

    def probabilities(self, ids: list[int]) -> Floats:
        """(len(ids) * SLOTS, BLANK + 1): how likely each slot holds each phoneme or nothing."""
        x: Floats = self._embed[ids]
        for index, block in enumerate(self._blocks, start=1):
            x = block(x)
            if index in GUESS_AFTER:
                x = x + _times(self._slots(x).reshape(len(ids), -1), self._feedback)
        return self._slots(x).reshape(len(ids) * SLOTS, BLANK + 1)

    def _slots(self, x: Floats) -> Floats:
        """(n, dim) -> (n, SLOTS, BLANK + 1), each slot adding up to one."""
        scores = _times(_normalized(x, self._scale, self._shift), self._head) + self._head_bias
        scores = scores.reshape(len(x), SLOTS, BLANK + 1)
        powers = np.exp(scores - scores.max(-1, keepdims=True))
        result: Floats = powers / powers.sum(-1, keepdims=True)
        return result


def _decode(probabilities: Floats) -> list[str]:
    """The likeliest phonemes among those with exactly one main stress.

    Prefix beam search (Graves et al. 2006): adds up all ways to place the same phonemes on the slots. One
    word in a hundred more is right than with the best single way, for 0.3 ms.
    """
    beams: Beams = {(): (1.0, 0.0)}  # phonemes -> probability with a blank last, with a phoneme last
    for row in probabilities:
        likely = [(int(index), float(row[index])) for index in np.argsort(row)[-BEAM_PHONEMES:]]
        beams = _extended(beams, [(index, weight) for index, weight in likely if weight > LEAST_LIKELY])
    for ids in sorted(beams, key=lambda ids: -sum(beams[ids])):
        stresses = [index % 3 for index in ids if index < _VOWEL_LIMIT]
        if stresses.count(1) == bool(stresses):
            return [PHONEMES[index] for index in ids]
    return _best_path(probabilities)


def _extended(beams: Beams, likely: list[tuple[int, float]]) -> Beams:
    """The best readings after one more slot."""
    sums: dict[tuple[int, ...], list[float]] = {}
    for ids, (blank_last, phoneme_last) in beams.items():
        whole = blank_last + phoneme_last
        for index, weight in likely:
            if index == BLANK:
                sums.setdefault(ids, [0.0, 0.0])[0] += weight * whole
                continue
            repeats = bool(ids) and ids[-1] == index
            if repeats:
                sums.setdefault(ids, [0.0, 0.0])[1] += weight * phoneme_last
            sums.setdefault((*ids, index), [0.0, 0.0])[1] += weight * (blank_last if repeats else whole)
    best = sorted(sums.items(), key=lambda item: -sum(item[1]))[:BEAM_READINGS]
    return {ids: (pair[0], pair[1]) for ids, pair in best}


def _best_path(probabilities: Floats) -> list[str]:
    """The likeliest phoneme of each slot without repeats and blanks; one vowel gets the main stress."""
    best = probabilities.argmax(-1)
    slots = [
        slot for slot, index in enumerate(best) if index != BLANK and (slot == 0 or index != best[slot - 1])
    ]
    ids = [int(best[slot]) for slot in slots]
    vowels = [place for place, index in enumerate(ids) if index < _VOWEL_LIMIT]
    if vowels:
        _stress(ids, slots, vowels, probabilities)
    return [PHONEMES[index] for index in ids]


def _stress(ids: list[int], slots: list[int], vowels: list[int], probabilities: Floats) -> None:
    """Give stress 1 to the vowel most likely to have it and take it from the others."""
    main = max(vowels, key=lambda place: float(probabilities[slots[place], ids[place] // 3 * 3 + 1]))
    for place in vowels:
        if place == main:
            ids[place] = ids[place] // 3 * 3 + 1
        elif ids[place] % 3 == 1:
            ids[place] += 1
