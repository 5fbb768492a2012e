"""Factors on the envelopes: tried on training lines alone, each with a student of its own."""

from pathlib import Path

import numpy as np
import pytest

from distill.evaluation.sharpness import grid, scores, training_lines
from distill.manifest import Utterance, read_manifest
from distill.training.train import train

from ..tone_corpus import OPTIONS, SMALL, write_tone_corpus


def test_lines_are_those_of_training_and_the_same_each_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = write_tone_corpus(tmp_path, n=30, told=True)
    monkeypatch.setattr("distill.evaluation.sharpness.LENGTHS", (1, 100))
    chosen = training_lines(corpus, 4)
    assert chosen == training_lines(corpus, 4)
    lines: list[Utterance] = [line for some in chosen.values() for line in some]
    assert lines and {line.split for line in lines} == {"train"}
    assert all(len(some) <= 4 for some in chosen.values())


def test_each_setting_is_heard_by_itself(tmp_path: Path) -> None:
    corpus = write_tone_corpus(tmp_path / "corpus", n=20, told=True)
    student = train(corpus, tmp_path / "run", OPTIONS, SMALL)
    lines = read_manifest(corpus)[:2]
    teachers: list[float] = []

    def peak(ours: np.ndarray, theirs: np.ndarray) -> float:
        teachers.append(float(np.abs(theirs).sum()))
        return float(np.abs(np.fft.rfft(ours)).max())

    rows = scores(student, {"a": lines[:1], "b": lines[1:]}, {"peak": peak})["peak"]
    assert len(teachers) == 2 * len(grid()) and len(set(teachers)) == 2, "the same lines each time"
    assert list(rows) == ["a", "b", "all"] and len(rows["a"]) == len(set(grid()))
    assert len(set(rows["a"].values())) > len(grid()) // 2, "the settings change the sound"
    means = {name: (rows["a"][name] + rows["b"][name]) / 2 for name in rows["a"]}
    assert rows["all"] == pytest.approx(means, abs=2e-3)
