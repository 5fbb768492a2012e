"""A new voice out of a trained student: what is taken over, what is made anew, and that it pays."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import Tensor

from distill.config import DistillError
from distill.training.checkpoint import StudentInfo, load_student, save_student, weights_sha256
from distill.training.train import TrainOptions, train
from distill.training.warm_start import MEAN, Start, Voice, adapt, choose_voices, open_start
from models.sovits_tiny import SovitsTiny

from ..tone_corpus import OPTIONS, SMALL, train_until, write_tone_corpus

CHARACTERS = {"low": 0, "high": 1}
EMOTIONS = {"neutral": 0, "happy": 1, "sad": 2}
LINES = {
    "low en neutral train": 9,
    "low en sad train": 9,
    "high en neutral train": 9,
    "high en happy test": 1,
}


@pytest.fixture
def start() -> Start:
    torch.manual_seed(1)
    config = replace(SMALL, n_characters=2, n_emotions=3)
    info = StudentInfo(config, CHARACTERS, EMOTIONS, 9, {"lines": LINES})
    return Start(SovitsTiny(config), info, {"name": "test", "sha256": "0"})


def rows(student: SovitsTiny) -> tuple[Tensor, Tensor, Tensor]:
    tables = student.encoder.conditioning
    pairs = tables.interaction.weight.reshape(-1, tables.n_emotions, SMALL.encoder_dim)
    return tables.character.weight.detach(), tables.emotion.weight.detach(), pairs.detach()


def test_all_but_the_tables_of_the_voice_is_taken_over(start: Start) -> None:
    student = adapt(start, {"rms": 0}, {"neutral": 0})
    old = start.student.state_dict()
    for key, value in student.state_dict().items():
        if "conditioning" not in key:
            assert torch.equal(value, old[key]), key
    assert [len(table) for table in rows(student)] == [1, 1, 1]


def test_known_names_keep_their_rows_and_sound_as_before(start: Start) -> None:
    student = adapt(start, {"new": 0, "low": 1}, {"neutral": 0, "sad": 1})
    text = [
        torch.tensor([[5, 6, 7]]),
        torch.zeros(1, 3, dtype=torch.long),
        torch.ones(1, 3, dtype=torch.long),
    ]
    with torch.no_grad():
        before = start.student.encoder(*text, *map(torch.tensor, ([0], [2], [1.0])))
        after = student.encoder(*text, *map(torch.tensor, ([1], [1], [1.0])))
    for one, other in zip(before, after, strict=True):
        assert torch.equal(one, other)


def test_a_new_character_begins_as_the_mean_of_those_who_have_spoken(start: Start) -> None:
    character, emotion, pairs = rows(adapt(start, {"new": 0}, {"neutral": 0, "sad": 1, "happy": 2}))
    old_character, old_emotion, old_pairs = rows(start.student)
    torch.testing.assert_close(character[0], old_character.mean(0))
    torch.testing.assert_close(pairs[0, 1], old_pairs[0, 2])  # only low was trained with sad
    assert not pairs[0, 2].any()  # nobody was with happy: high has only a test line
    assert torch.equal(emotion, old_emotion[[0, 2, 1]])


def test_an_unknown_emotion_begins_as_neutral(start: Start) -> None:
    _, emotion, pairs = rows(adapt(start, {"low": 0}, {"neutral": 0, "whisper": 1}))
    assert not emotion[1].any() and not pairs[0, 1].any()


@pytest.mark.parametrize("best", [MEAN, "low", "high"])
def test_a_new_character_begins_as_the_one_with_the_least_loss(start: Start, best: str) -> None:
    student = adapt(start, {"new": 0}, EMOTIONS)
    wanted = Voice.mean(start) if best == MEAN else Voice.of(start, best)

    def score(_: object) -> float:
        return float((rows(student)[0][0] - wanted.row).abs().sum())

    assert choose_voices(student, start, [], {"new": 0}, EMOTIONS, score) == {"new": best}
    assert torch.equal(rows(student)[0][0], wanted.row)


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("corpus")
    return write_tone_corpus(folder, 20, "newcomer", ("neutral", "sad"), pitch=150)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A student that has learnt the vowels from another voice."""
    folder = tmp_path_factory.mktemp("old")
    options = replace(OPTIONS, steps=40, learning_rate=3e-3)
    return train(write_tone_corpus(folder / "corpus", 20), folder / "run", options, SMALL)


def warm(trained: Path) -> TrainOptions:
    return replace(OPTIONS, start=str(trained), steps=12, validate_every=12)


def valid_losses(run: Path) -> list[float]:
    lines = [json.loads(line) for line in (run / "log.jsonl").read_text("utf-8").splitlines()]
    return [row["loss"] for row in lines if row["kind"] == "valid"]


def test_it_is_ahead_from_the_first_step_and_says_where_it_came_from(
    corpus: Path, trained: Path, tmp_path: Path
) -> None:
    student = train(corpus, tmp_path / "warm", warm(trained))
    train(corpus, tmp_path / "cold", replace(warm(trained), start="scratch"), replace(SMALL, n_emotions=2))
    assert valid_losses(tmp_path / "warm")[0] < 0.8 * valid_losses(tmp_path / "cold")[1]

    info = load_student(student)[1]
    assert info.started_from["name"] == "/".join(trained.parts[-2:])  # and not the whole path
    assert info.started_from["sha256"] == weights_sha256(trained)
    assert info.started_from["step"] == 40
    assert info.started_from["characters"]["newcomer"] in ("tone", MEAN)
    assert (info.characters, info.emotions) == ({"newcomer": 0}, {"neutral": 0, "sad": 1})
    assert info.config == replace(SMALL, n_emotions=2)


def test_a_killed_run_goes_on_as_if_nothing_happened(corpus: Path, trained: Path, tmp_path: Path) -> None:
    options = warm(trained)
    whole = train(corpus, tmp_path / "whole", options)
    train_until(6, corpus, tmp_path / "halves", options)
    resumed = train(corpus, tmp_path / "halves", options)
    one, other = (load_student(folder) for folder in (whole, resumed))
    for key, value in one[0].state_dict().items():
        torch.testing.assert_close(other[0].state_dict()[key], value, atol=1e-6, rtol=1e-5)
    assert one[1] == other[1]


def test_another_start_does_not_continue_a_run(corpus: Path, trained: Path, tmp_path: Path) -> None:
    train(corpus, tmp_path, warm(trained))
    with pytest.raises(DistillError, match=r"was begun from .*student, not from scratch"):
        train(corpus, tmp_path, replace(warm(trained), start="scratch"), replace(SMALL, n_emotions=2))


def test_a_student_of_other_languages_is_refused(tmp_path: Path) -> None:
    config = replace(SMALL, n_languages=2)
    info = StudentInfo(config, {"a": 0}, {"neutral": 0}, 0, {})
    save_student(tmp_path, SovitsTiny(config).state_dict(), info)
    with pytest.raises(DistillError, match=r"has n_languages 2, this version has 3; .* --from scratch"):
        open_start(str(tmp_path))


def test_scratch_is_no_student_and_a_missing_one_is_named(tmp_path: Path) -> None:
    assert open_start("scratch") is None
    with pytest.raises(DistillError, match="holds no student"):
        open_start(str(tmp_path))
