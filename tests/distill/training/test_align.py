"""The learnt alignment against the times that a real synthesiser tells of its own phonemes."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from distill.evaluation.alignment import Deviation, differences
from distill.evaluation.speakers import segments_from_steps
from distill.manifest import Utterance, read_manifest
from distill.training.align import AlignmentData, cut, enough_epochs, share_alike, train_aligner
from distill.training.features import extract
from edge.text.symbols import SYMBOL_TO_ID

from ..conftest import render_corpus
from ..tone_corpus import write_tone_corpus

LINES = """
[corpus]

[[corpus.recordings]]
character = "claire"
language = "en"
teacher = "flite"
lines = { neutral = 300 }
valid_lines = 1
test_lines = { neutral = 1 }
"""


@pytest.fixture
def claire(tmp_path: Path) -> list[Utterance]:
    (tmp_path / "lines.toml").write_text(LINES, "utf-8")
    render_corpus(tmp_path / "lines.toml", tmp_path / "corpus")
    return read_manifest(tmp_path / "corpus")


@pytest.mark.flite
def test_boundaries_are_found_where_the_teacher_tells_them(claire: list[Utterance]) -> None:
    data = AlignmentData(claire, [extract(u.audio) for u in claire])
    durations = cut(train_aligner(data, epochs=enough_epochs(len(claire)), seed=1), data)
    apart = [
        differences(segments_from_steps(u.phonemes, durations[u.id].tolist()), u.phoneme_times, u.language)
        for u in claire
    ]
    found = Deviation.of(np.concatenate(apart))
    assert found.n > 2500
    assert found.median_ms < 16.0  # two steps
    assert abs(found.bias_ms) < 8.0
    assert found.within_40 > 85.0
    for utterance, measured in zip(claire, data.features, strict=True):
        assert durations[utterance.id].sum() == len(measured.mel)


def test_equal_neighbours_share_what_they_last() -> None:
    shared = share_alike([5, 5, 7, 5, 5, 5], np.array([24, 3, 4, 2, 2, 7]))
    assert shared.tolist() == [14, 13, 4, 4, 4, 3]
    assert share_alike([1], np.array([4])).tolist() == [4]


def test_the_halves_of_a_long_vowel_are_cut_alike_across_a_pitch_mark(tmp_path: Path) -> None:
    utterance = read_manifest(write_tone_corpus(tmp_path, 1))[0]
    symbols = ("SP", "o", "]", "o", ".")
    long = replace(utterance, phonemes=symbols, languages=("ja",) * 5, word_starts=(0, 1, 0, 0, 0))
    assert list(long.phoneme_ids) == [SYMBOL_TO_ID[symbol] for symbol in symbols]
    data = AlignmentData([long], [extract(long.audio)])
    steps = cut(train_aligner(data, epochs=1, seed=1), data)[long.id]
    assert steps[2] == 0 and 0 <= steps[1] - steps[3] <= 1 and steps.sum() == len(data.features[0].mel)


def test_few_lines_are_passed_more_often() -> None:
    assert [enough_epochs(n) for n in (1, 300, 1000, 8000)] == [40, 27, 10, 10]
