"""Lines told without sound: as the same lines with sound where both know, kept through a kill, none held out."""

from __future__ import annotations

from collections.abc import Iterator

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner

from distill.cli import cli
from distill.config import DistillError
from distill.corpus.config import CorpusConfig, Recording
from distill.corpus.plan import plan_told
from distill.corpus.told_lines import tell_lines
from distill.corpus.told_prosody import TOLD, from_row, knows_length, load_prosody
from distill.corpus.utterance import Judge, Studio, student_phonemes
from distill.files import read_rows
from distill.gate import GateConfig
from distill.manifest import Label, label_of
from distill.teachers import Teacher, TeacherError, make_teacher
from distill.teachers.settings import KokoroSettings
from edge.text import FrontEnd

from tests.distill.teachers.kokoro_model import write_model

TEXTS = ["The red fox sleeps.", "Where is the boat, my friend?", "Old moon!", "A tiny light sings"]
HELD_OUT = "The bell is silent."


class Telling:
    """Makes the teacher of a small model; can be sent to another process."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __call__(self, name: str) -> Teacher:
        return make_teacher(KokoroSettings(kind="kokoro", folder=self.folder, voices={"am_michael": 1.0}))


@pytest.fixture(scope="module")
def make(tmp_path_factory: pytest.TempPathFactory) -> Telling:
    folder = tmp_path_factory.mktemp("kokoro") / "model"
    write_model(folder)
    return Telling(folder)


def write_script(path: Path, rows: Iterator[tuple[str, str]] | list[tuple[str, str]]) -> str:
    path.write_text("".join(f"{split}\tsentence\t{text}\n" for split, text in rows), "utf-8")
    return str(path)


@pytest.fixture
def config(tmp_path: Path) -> CorpusConfig:
    said = [("train", "Say this aloud."), ("valid", "It is late."), ("test", HELD_OUT)]
    recording: dict[str, Any] = {
        "character": "noah", "language": "en", "teacher": "noah", "test_lines": {},
        "shares": {"neutral": 0.5, "sad": 0.5},
        "script": [write_script(tmp_path / "said.tsv", said)],
        "told": [write_script(tmp_path / "told.tsv", [("train", text) for text in [*TEXTS, HELD_OUT]])],
    }  # fmt: skip
    return CorpusConfig(recordings=(recording,))


def test_every_training_line_is_told_and_none_that_is_held_out(
    config: CorpusConfig, make: Telling, tmp_path: Path
) -> None:
    corpus = tmp_path / "corpus"
    assert tell_lines(config, corpus, 1, make) == len(TEXTS) + 1
    rows = read_rows(corpus / TOLD)
    assert {row["text"] for row in rows} == {*TEXTS, "Say this aloud."}
    assert {row["emotion"] for row in rows} <= {"neutral", "sad"}
    for row in rows:
        label, told = Label(**label_of(row)), from_row(row)
        assert len(told.starts) == len(label.phonemes) + 1
        assert (np.diff(told.starts) >= 0).all()


def test_a_run_that_was_killed_asks_only_for_the_rest(
    config: CorpusConfig, make: Telling, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus = tmp_path / "corpus"
    tell_lines(config, corpus, 1, make)
    log, whole = corpus / "told" / "progress.jsonl", (corpus / TOLD).read_bytes()
    kept = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join(kept[:2]) + kept[2][:30])  # killed while it wrote the third
    (corpus / TOLD).unlink()
    tell_lines(config, corpus, 1, make)
    assert (corpus / TOLD).read_bytes() == whole
    assert log.read_bytes().startswith(b"".join(kept[:2]))
    assert len(log.read_bytes().splitlines()) == len(kept)


def test_what_is_told_is_what_would_be_said(config: CorpusConfig, make: Telling, tmp_path: Path) -> None:
    (tmp_path / "audio").mkdir()
    (tmp_path / "prosody").mkdir()
    studio = Studio(config, tmp_path, GateConfig(enabled=False), make)
    for one in plan_told(config, FrontEnd(), studio.teacher):
        job = studio.job(*one, gain=1.0)
        said = load_prosody(tmp_path / studio.render(job, Judge("off"))["prosody"])
        told = from_row(studio.tell(job))
        known = knows_length(student_phonemes(job.request.reading)[0])
        assert known.any()
        lengths = [np.diff(prosody.starts)[known] for prosody in (said, told)]
        np.testing.assert_allclose(lengths[1], lengths[0], atol=0.002)
        np.testing.assert_allclose(told.f0, said.f0, atol=0.051)
    studio.close()


@pytest.mark.parametrize(
    ("phonemes", "known"),
    [
        ("SP HH AY1 T AH0 .", "001100"),  # the first begins where it is heard, the last ends so
        ("SP HH AY1 T , T AH0 L .", "001001100"[:9]),
        ("SP a [ k a i ] .", "00011000"),
    ],
)
def test_length_is_open_where_only_the_sound_shows_it(phonemes: str, known: str) -> None:
    found = "".join(str(int(value)) for value in knows_length(phonemes.split()))
    assert found == known


def test_a_teacher_that_cannot_tell_is_named(config: CorpusConfig, tmp_path: Path) -> None:
    silent = config.recordings[0].model_copy(update={"teacher": "espeak-ng"})
    studio = Studio(config, tmp_path, GateConfig(enabled=False))
    (one, *_) = plan_told(config.model_copy(update={"recordings": (silent,)}), FrontEnd(), studio.teacher)
    with pytest.raises(TeacherError, match="espeak-ng tells no prosody without sound; take `told` out"):
        studio.tell(studio.job(*one, gain=1.0))
    studio.close()


def test_a_configuration_without_told_lines_is_refused(config: CorpusConfig, tmp_path: Path) -> None:
    none = replace_told(config, ())
    with pytest.raises(DistillError, match=r"has lines to tell; give it told = "):
        tell_lines(none, tmp_path)


@pytest.mark.parametrize(
    ("dealt", "shares"),
    [
        ({"shares": {"neutral": 0.5, "sad": 0.2}}, {"neutral": 0.5, "sad": 0.2}),
        ({"lines": {"neutral": 300, "happy": 0, "sad": 100}}, {"neutral": 0.75, "sad": 0.25}),
    ],
)
def test_lines_are_told_in_the_proportions_of_those_that_are_said(
    dealt: dict[str, Any], shares: dict[str, float]
) -> None:
    recording = Recording(character="a", language="en", teacher="x", test_lines={}, **dealt)
    assert recording.told_shares() == shares


def test_the_command_says_how_many(config: CorpusConfig, make: Telling, tmp_path: Path) -> None:
    path = tmp_path / "corpus.toml"
    said, told = config.recordings[0].script[0], config.recordings[0].told[0]
    path.write_text(
        f'[corpus]\n\n[teachers.noah]\nkind = "kokoro"\nfolder = "{make.folder}"\nvoices = {{ am_michael = 1 }}\n\n'
        f'[[corpus.recordings]]\ncharacter = "noah"\nlanguage = "en"\nteacher = "noah"\nscript = ["{said}"]\n'
        f'told = ["{told}"]\nshares = {{ neutral = 1.0 }}\ntest_lines = {{}}\n'
    )
    done = CliRunner().invoke(
        cli, ["tell", "--config", str(path), "--corpus", str(tmp_path / "corpus"), "--processes", "1"]
    )
    assert done.exit_code == 0, done.output
    assert f"{len(TEXTS) + 1} lines told" in done.output


def replace_told(config: CorpusConfig, told: tuple[str, ...]) -> CorpusConfig:
    recordings = tuple(one.model_copy(update={"told": told}) for one in config.recordings)
    return config.model_copy(update={"recordings": recordings})
