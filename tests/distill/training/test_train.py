"""The loop on a handful of synthetic lines: it learns, resumes exactly and saves what it learnt."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from distill.config import DistillError
from distill.training.checkpoint import load_student
from distill.training.objective import WEIGHTS
from distill.training.train import SaveTimes, TrainOptions, train

from ..tone_corpus import OPTIONS, SMALL, train_until, write_tone_corpus


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tone_corpus(tmp_path_factory.mktemp("corpus"))


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_student(folder)[0].state_dict()


def test_a_killed_run_goes_on_as_if_nothing_happened(corpus: Path, tmp_path: Path) -> None:
    whole = train(corpus, tmp_path / "whole", OPTIONS, SMALL)
    interrupted = tmp_path / "halves"
    train_until(3, corpus, interrupted, OPTIONS, SMALL)
    resumed = train(corpus, interrupted, OPTIONS, SMALL)
    for key, value in weights(whole).items():
        torch.testing.assert_close(weights(resumed)[key], value, atol=1e-6, rtol=1e-5)


def test_a_run_killed_before_its_first_regular_save_does_not_begin_anew(corpus: Path, tmp_path: Path) -> None:
    whole = train(corpus, tmp_path / "whole", OPTIONS, SMALL)
    slow = replace(OPTIONS, save_every=250, save_seconds=0.0)  # every step takes too long
    train_until(2, corpus, tmp_path / "halves", slow, SMALL)
    state = torch.load(tmp_path / "halves" / "state.pt", weights_only=True)
    assert state["step"] == 2 and load_student(tmp_path / "halves" / "student")[1].step == 2
    resumed = train(corpus, tmp_path / "halves", slow, SMALL)
    for key, value in weights(whole).items():
        torch.testing.assert_close(weights(resumed)[key], value, atol=1e-6, rtol=1e-5)


def test_state_is_saved_by_steps_and_by_time() -> None:
    now = 1000.0
    saves = SaveTimes(steps=10, seconds=60.0, clock=lambda: now)
    saved = []
    for step in range(1, 41):
        now += 1.0 if step <= 20 else 25.0  # fast at first, then slow
        if saves.due(step):
            saved.append(step)
    assert saved == [10, 20, 23, 26, 29, 30, 33, 36, 39, 40]


def test_losses_fall(corpus: Path, tmp_path: Path) -> None:
    options = TrainOptions(**{**OPTIONS.__dict__, "steps": 100, "learning_rate": 3e-3, "validate_every": 10})
    train(corpus, tmp_path, options, SMALL)
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    valid = [row for row in rows if row["kind"] == "valid"]
    for term in ("mel", "log_stft", "duration"):
        assert valid[-1][term] < 0.8 * valid[1][term], term
    assert [row["step"] for row in valid] == list(range(0, 101, 10))
    weighted = sum(WEIGHTS[term] * value for term, value in valid[0].items() if term in WEIGHTS)
    assert valid[0]["loss"] == pytest.approx(weighted, abs=1e-3)


def test_steps_of_prosody_alone_leave_the_decoder_as_it_is(corpus: Path, tmp_path: Path) -> None:
    first = train(corpus, tmp_path / "first", OPTIONS, SMALL)
    options = replace(OPTIONS, start=str(first), steps=3, prosody_steps=3)
    before, after = weights(first), weights(train(corpus, tmp_path / "second", options))
    changed = {key.partition(".")[0] for key, value in before.items() if not torch.equal(value, after[key])}
    assert changed == {"encoder"}


def test_a_run_killed_in_the_prosody_alone_goes_on(corpus: Path, tmp_path: Path) -> None:
    options = replace(OPTIONS, prosody_steps=4)
    whole = train(corpus, tmp_path / "whole", options, SMALL)
    train_until(3, corpus, tmp_path / "halves", options, SMALL)
    resumed = train(corpus, tmp_path / "halves", options, SMALL)
    for key, value in weights(whole).items():
        torch.testing.assert_close(weights(resumed)[key], value, atol=1e-6, rtol=1e-5)


def test_a_run_killed_in_front_of_its_adversary_goes_on(corpus: Path, tmp_path: Path) -> None:
    options = replace(OPTIONS, adversarial_steps=4)
    whole = train(corpus, tmp_path / "whole", options, SMALL)
    train_until(3, corpus, tmp_path / "halves", options, SMALL)
    assert "adversary" in torch.load(tmp_path / "halves" / "state.pt", weights_only=True)
    resumed = train(corpus, tmp_path / "halves", options, SMALL)
    plain = train(corpus, tmp_path / "plain", OPTIONS, SMALL)
    for key, value in weights(whole).items():
        torch.testing.assert_close(weights(resumed)[key], value, atol=1e-6, rtol=1e-5)
    assert any(not torch.equal(value, weights(plain)[key]) for key, value in weights(whole).items())


def test_the_adversary_comes_with_the_last_steps(corpus: Path, tmp_path: Path) -> None:
    options = replace(OPTIONS, steps=100, adversarial_steps=50, validate_every=100)
    train(corpus, tmp_path, options, SMALL)
    rows = [json.loads(line) for line in (tmp_path / "log.jsonl").read_text().splitlines()]
    found = {row["step"]: "adversarial" in row for row in rows if row["kind"] == "train"}
    assert found == {50: False, 100: True}


def test_missing_corpus_names_the_remedy(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="sovits-distill corpus"):
        train(tmp_path / "nowhere", tmp_path / "out", OPTIONS, SMALL)


def test_a_corpus_without_training_lines_is_refused(corpus: Path, tmp_path: Path) -> None:
    rows = [json.loads(line) for line in (corpus / "manifest.jsonl").read_text("utf-8").splitlines()]
    held_out = [{**row, "audio": str(corpus / row["audio"]), "split": "valid"} for row in rows[:4]]
    (tmp_path / "manifest.jsonl").write_text("\n".join(map(json.dumps, held_out)), "utf-8")
    with pytest.raises(DistillError, match="no training line"):
        train(tmp_path, tmp_path / "out", OPTIONS, SMALL)


def test_other_characters_do_not_continue_a_run(corpus: Path, tmp_path: Path) -> None:
    train(corpus, tmp_path, OPTIONS, SMALL)
    with pytest.raises(DistillError, match="other characters, emotions or sizes; choose another --out"):
        train(corpus, tmp_path, OPTIONS, replace(SMALL, n_characters=2))


def test_defaults_suit_what_training_begins_with() -> None:
    scratch = TrainOptions.starting_from("scratch", {"steps": None, "batch": 4})
    warm = TrainOptions.starting_from("builtin", {"steps": None, "warmup": 5})
    assert (scratch.steps, scratch.learning_rate, scratch.batch) == (12_000, 1.2e-3, 4)
    assert scratch == TrainOptions(batch=4)
    assert warm.start == "builtin" and warm.warmup == 5
    assert warm.steps < scratch.steps and warm.learning_rate < scratch.learning_rate
