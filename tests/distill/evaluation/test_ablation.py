"""Parts of a student replaced by the teacher's, on a corpus of vowels."""

from pathlib import Path

import numpy as np
import pytest

from distill.evaluation.ablation import Ablation, scores
from distill.manifest import read_manifest
from distill.training.checkpoint import load_student
from distill.training.train import train

from ..tone_corpus import OPTIONS, SMALL, write_tone_corpus


@pytest.fixture(scope="module")
def ablation(tmp_path_factory: pytest.TempPathFactory) -> Ablation:
    folder = tmp_path_factory.mktemp("ablation")
    corpus = write_tone_corpus(folder / "corpus", n=20, told=True)
    return Ablation(*load_student(train(corpus, folder / "run", OPTIONS, SMALL)))


def test_fitted_envelopes_come_nearer_than_a_student_that_has_learnt_nothing(
    ablation: Ablation, tmp_path: Path
) -> None:
    line = read_manifest(write_tone_corpus(tmp_path, n=1, told=True))[0]
    found = ablation.variants(line)
    teacher = found["teacher"]

    def distance(sound: np.ndarray) -> float:
        ours, theirs = (np.abs(np.fft.rfft(x[: len(teacher)], 1 << 16)) for x in (sound, teacher))
        return float(np.linalg.norm(ours - theirs) / np.linalg.norm(theirs))

    assert distance(found["fitted envelopes"]) < 0.7 * distance(found["told prosody"])
    assert len(found["told prosody"]) == len(teacher)  # with the teacher's times
    assert all(np.isfinite(sound).all() for sound in found.values())


def test_scores_are_means_by_voice_and_of_all(ablation: Ablation, tmp_path: Path) -> None:
    lines = read_manifest(write_tone_corpus(tmp_path, n=2, told=True))
    judges = {"length": lambda ours, _: float(len(ours)), "same": lambda *both: float(both[0] is both[1])}
    found = scores(ablation, {"a": lines[:1], "b": lines[1:]}, judges)
    assert found["same"]["all"] == {name: float(name == "teacher") for name in found["same"]["all"]}
    rows = found["length"]
    n = {name: len(ablation.variants(lines[0])[name]) for name in ("teacher", "told prosody")}
    assert rows["a"]["teacher"] == n["teacher"] and rows["a"]["told prosody"] == n["told prosody"]
    assert rows["all"]["teacher"] == pytest.approx((rows["a"]["teacher"] + rows["b"]["teacher"]) / 2)
