"""What rounding costs: a student that predicts all rightly is held back by the frames of both alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from distill.corpus.config import Recording
from distill.evaluation import rounding
from distill.evaluation.rounding import FRAME_MS, compared, label_of, sentences, student_lengths, summary
from distill.files import read_json
from distill.script import load_lines
from distill.teachers import LineRequest, make_teacher
from distill.teachers.settings import KokoroSettings
from distill.training.checkpoint import load_student
from edge.prosody import MAX_DRIFT, sounded_mask, whole_durations
from edge.text import FrontEnd

from ..teachers.kokoro_model import write_model

BUILTIN = Path(__file__).parents[3] / "distill" / "students" / "builtin"


def line(text: str = "猫が、窓から落ちた。", language: str = "ja") -> LineRequest:
    return LineRequest(text, FrontEnd().read(text, language), language, "noah")


def test_what_is_known_without_sound_is_compared_at_its_place() -> None:
    label = label_of(line())
    n = len(label.phonemes)
    ours = np.arange(n, dtype=np.float64)
    theirs = ours[1:]  # without the leading silence, and the full stop is of the reading
    pairs = compared((ours, ours), (theirs, theirs), label)
    told, predicted = pairs["predicted"]
    assert np.array_equal(told, predicted) and 3 < len(told) < n - 3
    pause = label.phonemes.index(",")
    assert not {pause - 1, pause, n - 2, n - 1} & set(told.astype(int)), "silence may be counted to these"


def test_frames_alone_bound_the_agreement_of_a_perfect_student() -> None:
    rng, found = np.random.default_rng(0), []
    for _ in range(40):
        label = label_of(line("時間になると扉が静かに開きました。"))
        lengths = rng.gamma(12.0, 5.5, len(label.phonemes))  # 66 ms
        spoken = whole_durations(lengths / FRAME_MS, sounded_mask(label.phonemes)) * FRAME_MS
        said = 25 * np.maximum(np.rint(lengths / 25), 1)
        found.append(compared((lengths, spoken), (lengths[1:], said[1:]), label))
    result = summary(found)
    assert result["predicted"] == 1.0 and result["sentences"] == 40
    assert 0.85 < result["teacher_rounding"] < 0.97 and 0.95 < result["student_rounding"] < 0.99
    bound = result["teacher_rounding"] * result["student_rounding"]
    assert result["spoken"] == pytest.approx(bound, abs=0.03)


def test_a_student_speaks_the_frames_of_its_prediction() -> None:
    student, info = load_student(BUILTIN)
    label = label_of(line())
    predicted, spoken = student_lengths(student.eval(), info, label)
    assert len(predicted) == len(label.phonemes) and (spoken % FRAME_MS == 0).all()
    assert abs(predicted.sum() - spoken.sum()) <= MAX_DRIFT * FRAME_MS


def test_sentences_are_held_out() -> None:
    recording = Recording(character="noah", language="en", teacher="t", lines={"neutral": 1}, test_lines={})
    chosen = [one.text for one in sentences(recording, FrontEnd(), 7)]
    held_out = {one.text for one in load_lines("en", name="heldout")}
    assert len(chosen) == 7 and set(chosen) <= held_out


def test_the_command_writes_every_voice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_model(tmp_path / "kokoro")
    settings = KokoroSettings(kind="kokoro", folder=tmp_path / "kokoro", voices={"am_michael": 1.0})
    loaded = rounding.load_recipe

    def load(path: Path) -> object:
        recipe = loaded(path)
        monkeypatch.setattr(type(recipe), "make", lambda *_: make_teacher(settings))
        return recipe

    monkeypatch.setattr(rounding, "load_recipe", load)
    arguments = ["--student", str(BUILTIN), "--out", str(tmp_path / "rounding.json"), "--lines", "2"]
    result = CliRunner().invoke(rounding.main, arguments, catch_exceptions=False)
    assert result.exit_code == 0
    voices = read_json(tmp_path / "rounding.json")["voices"]
    assert len(voices) == 8 and all(voice["sentences"] == 2 for voice in voices.values())
