"""What a teacher tells: whole steps, its contour on our grid, and training that neither tracks nor aligns."""

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from distill.config import DistillError
from distill.corpus.told_prosody import TOLD, ToldProsody, to_row
from distill.evaluation.speakers import TeacherLines
from distill.manifest import Utterance, read_manifest
from distill.training.checkpoint import load_student
from distill.training.dataset import Line, collate
from distill.training.objective import Objective
from distill.training.told import load_told, told_contour, told_steps
from distill.training.train import load_data, train
from models.sovits_tiny import SovitsTiny

from ..tone_corpus import OPTIONS, SMALL, tone_prosody, train_until, write_tone_corpus

VOICED_FROM = 0.032  # seconds


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tone_corpus(tmp_path_factory.mktemp("told"), n=20, told=True)


def rewrite(corpus: Path, folder: Path, keep: Sequence[str] = (), **changes: object) -> list[Utterance]:
    """The corpus with other values in each row, but for the lines to keep; the sound stays where it is."""
    rows = [json.loads(line) for line in (corpus / "manifest.jsonl").read_text("utf-8").splitlines()]
    moved = [{**row, "audio": str(corpus / row["audio"])} for row in rows]
    moved = [{**row, "prosody": str(corpus / row["prosody"])} for row in moved]
    moved = [row if row["id"] in keep else {**row, **changes} for row in moved]
    (folder / "manifest.jsonl").write_text("\n".join(map(json.dumps, moved)), "utf-8")
    return read_manifest(folder)


@given(
    st.lists(st.tuples(st.floats(0.0, 0.3), st.booleans()), min_size=1, max_size=12),
    st.integers(0, 40),
)
def test_steps_fill_the_line_and_marks_take_nothing(pieces: list[tuple[float, bool]], more: int) -> None:
    phonemes = ["[" if mark else "a" for _, mark in pieces[:-1]] + ["."]
    lengths = [0.0 if symbol == "[" else length for symbol, (length, _) in zip(phonemes, pieces, strict=True)]
    starts = np.concatenate([[0.0], np.cumsum(lengths)])
    n_steps = max(round(starts[-1] / 0.008), len(phonemes)) + more
    steps = told_steps(starts, phonemes, n_steps)
    assert steps.sum() == n_steps
    for symbol, count in zip(phonemes, steps.tolist(), strict=True):
        assert count == 0 if symbol == "[" else count >= 1
    roomy = np.diff(starts, prepend=0.0)[1:] > 0.03  # no neighbour takes from these
    if roomy[[symbol != "[" for symbol in phonemes]].all():
        ends = np.cumsum(steps)[:-1] * 0.008
        assert np.abs(ends - starts[1:-1]).max(initial=0.0) <= 0.0041


def test_a_contour_lies_where_the_teacher_put_it() -> None:
    times = -0.2 + 0.0125 * np.arange(80)
    f0 = np.where((times > 0.1) & (times < 0.5), 100.0 * 2**times, 5.0).astype(np.float32)
    log_f0, voiced = told_contour(ToldProsody(np.zeros(2, np.float32), f0, f0, -0.2, 0.0125), 101)
    grid = 0.008 * np.arange(101)
    inside = (grid > 0.12) & (grid < 0.48)
    np.testing.assert_allclose(np.exp(log_f0[inside]), 100.0 * 2 ** grid[inside], rtol=1e-3)
    assert voiced[inside].all() and not voiced[grid < 0.09].any() and not voiced[grid > 0.51].any()
    assert np.ptp(log_f0[grid > 0.51]) == 0.0  # what lies beyond the voice is a line drawn from its end


def test_a_voiceless_line_has_a_contour() -> None:
    whisper = tone_prosody([0.03, 0.2], 0)
    log_f0, voiced = told_contour(whisper, 30)
    assert not voiced.any() and np.isfinite(log_f0).all()


def test_training_on_told_prosody_tracks_and_aligns_nothing(corpus: Path, tmp_path: Path) -> None:
    data = load_data(corpus, tmp_path, OPTIONS)
    assert len(data.train) == 18 and len(data.valid) == 2
    assert list(tmp_path.iterdir()) == []
    for utterance, example in zip(read_manifest(corpus)[:5], data.train, strict=False):
        starts = np.load(utterance.prosody)["starts"]
        heard = slice(1, -1)
        np.testing.assert_allclose(example.durations[heard] * 0.016, np.diff(starts)[heard], atol=0.0081)
        np.testing.assert_allclose(np.exp(example.log_f0[heard]), 120.0, rtol=1e-3)
        assert example.voicing[2].all() and not example.voicing[0].any()


def test_lines_with_and_without_told_prosody_are_learnt_together(corpus: Path, tmp_path: Path) -> None:
    told = rewrite(corpus, tmp_path)
    own = [u.id for u in told[:10]]
    rewrite(corpus, tmp_path, keep=own, prosody=None)
    out = tmp_path / "out"
    data = load_data(tmp_path, out, OPTIONS)
    assert len(data.train) == 18
    assert set(json.loads((out / "alignment.json").read_text())) == {u.id for u in told[10:]}
    assert {path.stem for path in (out / "features").iterdir()} == {u.id for u in told[10:]}


def test_a_killed_run_on_told_prosody_goes_on(corpus: Path, tmp_path: Path) -> None:
    whole = train(corpus, tmp_path / "whole", OPTIONS, SMALL)
    train_until(3, corpus, tmp_path / "halves", OPTIONS, SMALL)
    resumed = train(corpus, tmp_path / "halves", OPTIONS, SMALL)
    one, other = (load_student(folder)[0].state_dict() for folder in (whole, resumed))
    for key, value in one.items():
        torch.testing.assert_close(other[key], value, atol=1e-6, rtol=1e-5)


# --- Lines without sound ---


def tell_some(corpus: Path, folder: Path, n: int = 8, **changes: object) -> Path:
    """The corpus with lines that are told without sound besides, each vowel of them 0.2 s at 240 Hz."""
    rewrite(corpus, folder)
    rows = [json.loads(line) for line in (folder / "manifest.jsonl").read_text("utf-8").splitlines()[:n]]
    told = to_row(tone_prosody([0.016, 0.2, 0.2, 0.2], 240))
    fields = ("character", "language", "emotion", "text", "phonemes", "languages", "word_starts")
    kept = [
        {name: row[name] for name in fields} | told | {"id": f"told-{row['id']}", "split": "told"}
        for row in rows
    ]
    (folder / TOLD).write_text("".join(json.dumps(row | changes) + "\n" for row in kept), "utf-8")
    return folder


def test_lines_without_sound_have_the_prosody_that_was_told(corpus: Path, tmp_path: Path) -> None:
    data = load_data(tell_some(corpus, tmp_path), tmp_path / "run", OPTIONS)
    assert len(data.told) == 8 and len(data.train) == 18
    for line in data.told:
        np.testing.assert_allclose(line.durations[1:4], 12.5, atol=0.5)
        assert line.knows_length.tolist() == [0, 0, 1, 0, 0]
        np.testing.assert_allclose(np.exp(line.log_f0[2]), 240.0, rtol=1e-3)
        assert line.voicing[2].all() and line.energy is None


def test_lines_of_voices_that_are_not_trained_are_passed_over(corpus: Path, tmp_path: Path) -> None:
    data = load_data(tell_some(corpus, tmp_path, character="other"), tmp_path / "run", OPTIONS)
    assert data.told == []


def test_no_lines_without_sound_are_read_where_none_are_wanted(corpus: Path, tmp_path: Path) -> None:
    data = load_data(tell_some(corpus, tmp_path), tmp_path / "run", replace(OPTIONS, told=0))
    assert data.told == []


def test_lines_without_sound_move_the_prosody_and_leave_the_sound_as_it_is(
    corpus: Path, tmp_path: Path
) -> None:
    data = load_data(tell_some(corpus, tmp_path), tmp_path / "run", OPTIONS)
    objective = Objective(SovitsTiny(SMALL))
    found = []
    for told in ([], data.told[:3]):
        torch.manual_seed(0)
        batch = collate(data.train[:2], 24, np.random.default_rng(0), told)
        assert len(batch["durations"]) == 2 + len(told) and len(batch["audio"]) == 2
        found.append(objective(batch))
    alone, together = found
    assert together.keys() == alone.keys()
    for key in ("log_stft", "convergence", "mel", "energy"):
        torch.testing.assert_close(together[key], alone[key], atol=1e-5, rtol=1e-4)
    assert together["f0"].item() != pytest.approx(
        alone["f0"].item(), abs=0.02
    )  # 240 Hz, not 120, are asked for


def test_a_student_learns_from_them_and_says_how_many_there_were(corpus: Path, tmp_path: Path) -> None:
    folder = tell_some(corpus, tmp_path)
    options = replace(OPTIONS, steps=60, learning_rate=5e-3, told=8, validate_every=60)
    student, info = load_student(train(folder, tmp_path / "run", options, SMALL))
    assert info.corpus["told_lines"] == 8
    silent, _ = load_student(train(folder, tmp_path / "silent", replace(options, told=0), SMALL))
    line = load_data(folder, tmp_path / "run", options).told[0]
    assert pitch(student, line) > pitch(silent, line) + 0.05  # drawn from 120 towards 240 Hz


@torch.no_grad()
def pitch(student: SovitsTiny, line: Line) -> float:
    """Mean log F0 with which a student says a line."""
    ids = (
        torch.from_numpy(values)[None] for values in (line.phoneme_ids, line.language_ids, line.word_starts)
    )
    who = (torch.tensor([index]) for index in line.condition)
    return float(student.encoder(*ids, *who, torch.ones(1))[1][0, 1:4].mean())


def test_the_teacher_is_cut_as_it_told_also_where_training_has_not_been(corpus: Path, tmp_path: Path) -> None:
    rewrite(corpus, tmp_path, split="test")
    lines = TeacherLines(tmp_path, {"1": [1, 2, 3, 4, 5]})
    (line, *_) = found = lines.held_out({"character": "tone"}, 50)
    assert len(found) == 20
    starts = np.load(line.prosody)["starts"]
    segments = lines.record(line).segments
    assert [s.symbol for s in segments] == list(line.phonemes)
    assert [s.start for s in segments] == pytest.approx(starts[:-1])


def test_prosody_that_is_missing_or_of_another_line_names_the_remedy(corpus: Path, tmp_path: Path) -> None:
    line = read_manifest(corpus)[0]
    with pytest.raises(DistillError, match=r"cannot be read .* run sovits-distill corpus again"):
        load_told(replace(line, prosody=tmp_path / "none.npz"))
    damaged = tmp_path / "damaged.npz"
    damaged.write_bytes(line.prosody.read_bytes()[:100])
    with pytest.raises(DistillError, match="cannot be read"):
        load_told(replace(line, prosody=damaged))
    with pytest.raises(DistillError, match="6 times for 4 phonemes"):
        load_told(replace(line, phonemes=line.phonemes[:4]))
