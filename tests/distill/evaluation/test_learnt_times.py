"""Two students of one teacher, who tells one of them what it predicts, on a corpus of vowels."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from distill.evaluation.learnt_times import LEARNT, TOLD, compare, write_corpora
from distill.manifest import read_manifest

from ..tone_corpus import OPTIONS, SMALL, write_tone_corpus


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tone_corpus(tmp_path_factory.mktemp("corpus"), n=30, told=True)


def test_both_read_the_same_lines_and_one_is_told(corpus: Path, tmp_path: Path) -> None:
    folders = write_corpora(corpus, tmp_path, 12)
    told, learnt = (read_manifest(folders[way]) for way in (TOLD, LEARNT))
    assert [one.id for one in told] == [one.id for one in learnt]
    assert sum(one.split == "train" for one in told) == 12
    assert {one.split for one in told} == {"train", "valid"}
    by_id = {one.id: one for one in read_manifest(corpus)}
    for one, other in zip(told, learnt, strict=True):
        assert one.prosody is not None and one.prosody.is_file() and one.audio.is_file()
        assert other == replace(one, prosody=None) and one.phonemes == by_id[one.id].phonemes


def test_both_are_held_against_what_the_teacher_predicted(
    corpus: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    held_out = {"tone en": read_manifest(corpus)}
    monkeypatch.setattr("distill.evaluation.learnt_times.held_out", lambda *_: held_out)
    teachers: list[float] = []

    def loudest(ours: np.ndarray, theirs: np.ndarray) -> float:
        teachers.append(float(np.abs(theirs).sum()))
        return float(np.abs(ours).max())

    options = replace(OPTIONS, steps=60, batch=4, learning_rate=5e-3, ema=0.9, validate_every=60)
    found = compare(corpus, tmp_path, options, {"loudest": loudest}, (20, 3), SMALL)
    assert list(found) == [TOLD, LEARNT] and len(teachers) == 2 * len(held_out["tone en"])
    for rows in found.values():
        assert list(rows) == ["tone en", "all"]
        assert rows["all"] == pytest.approx(rows["tone en"], nan_ok=True)  # all vowels have one pitch
        assert {"durations", "duration_error_ms", "pitch", "loudest"} == set(rows["all"])
    assert found[TOLD]["all"]["durations"] > 0.8, "silence is short, vowels are long"
    assert 0 < found[TOLD]["all"]["duration_error_ms"] < 100
    assert found[TOLD] != found[LEARNT]
