"""What a teacher tells of a line, in the place of what the tracker and the aligner would find.

Its times and its F0 are exact, and cost no measuring: of Kokoro's voices the tracker misses one voiced point
in five and is 0.2 to 0.4 semitones off in the others. Energy is measured all the same: the student's is the
level of the sound, which a teacher's own unit says little about.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from edge.prosody import sounded_mask
from edge.spec import HOP_LENGTH, SAMPLE_RATE

from ..config import DistillError
from ..corpus.told_prosody import TOLD, ToldProsody, from_row, knows_length, load_prosody
from ..files import read_rows
from ..manifest import Label, Utterance, label_of
from .dataset import Line, make_line
from .features import F0_FLOOR, FINE_HOP, Features, believable, log_contour, read_whole_frames

STEP_S = FINE_HOP / SAMPLE_RATE


def load_told(utterance: Utterance) -> tuple[Features, NDArray[np.int32]]:
    """Read the sound of a line and what its teacher told.

    Returns:
        The features, without the frames that an aligner needs, and (P,) steps of 8 ms.

    Raises:
        DistillError: the file of the prosody is missing, damaged, or of another line.
    """
    told = _read(utterance)
    audio = read_whole_frames(utterance.audio)
    n_steps = 2 * len(audio) // HOP_LENGTH
    log_f0, voiced = told_contour(told, n_steps + 1)
    return Features(audio, log_f0, voiced), told_steps(told.starts, utterance.phonemes, n_steps)


def load_told_lines(corpus: Path, condition: Callable[[Label], tuple[int, int] | None]) -> Iterator[Line]:
    """Read what the teachers told of lines without sound; there may be none.

    Args:
        corpus: folder.
        condition: gives the indices of character and emotion, or None to pass a line over.
    """
    path = corpus / TOLD
    for row in read_rows(path) if path.is_file() else ():
        label = Label(**label_of(row))
        where = condition(label)
        if where is None:
            continue
        told = from_row(row)
        n_steps = 2 * math.ceil(float(told.starts[-1]) / (2 * STEP_S))
        steps = told_steps(told.starts, label.phonemes, n_steps)
        contour, sure = believable(*told_contour(told, n_steps + 1))
        line = make_line(label, contour, sure, steps, where)
        known = knows_length(label.phonemes).astype(np.float32)
        yield replace(line, knows_length=known)


def told_times(utterance: Utterance) -> NDArray[np.float64]:
    """Return (P + 1,) seconds at which the phonemes begin, and the end; its teacher tells them."""
    return _read(utterance).starts.astype(np.float64)


def told_steps(starts: NDArray[np.floating], phonemes: Sequence[str], n_steps: int) -> NDArray[np.int32]:
    """Return (P,) whole steps of 8 ms that add up to ``n_steps``, 0 for pitch marks, else at least 1.

    Args:
        starts: (P + 1,) seconds.
        phonemes: P symbols.
        n_steps: of the sound.
    """
    least = np.cumsum(sounded_mask(phonemes))  # the earliest end of each phoneme
    most = n_steps - (least[-1] - least)  # and the latest, for those behind it need their steps
    ends = np.rint(np.asarray(starts[1:], np.float64) / STEP_S).astype(np.int64)
    ends[-1] = n_steps
    slack = np.maximum.accumulate(ends - least)  # the end of a pitch mark is that of the phoneme before
    ends = np.clip(slack + least, least, most)
    return np.diff(ends, prepend=0).astype(np.int32)


def told_contour(told: ToldProsody, n_points: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return (n_points,) log F0 every 8 ms, interpolated where unvoiced; (n_points,) where it is voiced."""
    places = (np.arange(n_points) * STEP_S - told.first_s) / told.step_s
    voiced = told.f0 >= F0_FLOOR
    log_f0 = np.interp(places, np.arange(len(voiced)), log_contour(told.f0, voiced)).astype(np.float32)
    near = np.clip(np.rint(places).astype(np.int64), 0, len(voiced) - 1)
    return log_f0, voiced[near]


def _read(utterance: Utterance) -> ToldProsody:
    assert utterance.prosody is not None
    try:
        told = load_prosody(utterance.prosody)
    except (OSError, ValueError) as error:
        remedy = "delete it and the line's row in progress.jsonl, then run sovits-distill corpus again"
        raise DistillError(f"{utterance.prosody} cannot be read ({error}); {remedy}") from error
    wanted = len(utterance.phonemes) + 1
    if len(told.starts) != wanted:
        message = f"{utterance.prosody} has {len(told.starts)} times for {wanted - 1} phonemes"
        raise DistillError(f"{message}; it is of another line: run sovits-distill corpus again")
    return told
