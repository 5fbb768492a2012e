"""Times that are moved are found out by the sound alone."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from distill.corpus.measure_boundaries import Timed, best_shift, left_over, log_mel
from distill.manifest import read_manifest
from distill.training.told import told_times

from ..tone_corpus import write_tone_corpus


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> list[Timed]:
    corpus: Path = write_tone_corpus(tmp_path_factory.mktemp("tones"), n=30, told=True)
    found = []
    for line in read_manifest(corpus):
        starts = told_times(line)  # the outermost phonemes are not looked at, so there is one more on either side
        padded = np.concatenate([starts[:1], starts, starts[-1:]])
        found.append(Timed(["x", *line.phonemes, "x"], padded, log_mel(line.audio)))
    return found


def test_true_times_leave_least(lines: list[Timed]) -> None:
    shift, left = best_shift(lines)
    assert abs(shift) < 3.0
    assert left[0] < 0.8 * min(left[-20], left[20])  # a window of 16 ms hears a sound before it begins


@pytest.mark.parametrize("moved_ms", [-20.0, 12.0])
def test_a_shift_of_all_times_is_found(lines: list[Timed], moved_ms: float) -> None:
    moved = [replace(line, starts=line.starts + moved_ms / 1000.0) for line in lines]
    assert best_shift(moved)[0] - best_shift(lines)[0] == pytest.approx(-moved_ms, abs=3.0)
    assert left_over(moved) > 1.05 * left_over(lines)


def test_too_few_lines_say_nothing(lines: list[Timed]) -> None:
    with pytest.raises(ValueError, match="too few lines"):
        best_shift(lines[:3])
