"""sovits-distill init: what it writes can be loaded, whatever the teacher, and says the defaults."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from distill.config import DistillError
from distill.teachers.settings import KINDS
from distill.voice.config import load_voice_config
from distill.voice.init import write_template


@pytest.mark.parametrize("kind", KINDS)
def test_the_file_can_be_loaded(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "voice.toml"
    write_template(path, kind, "noah")
    voice = load_voice_config(path)
    assert (voice.teacher.kind, voice.voice.name, voice.train.start) == (kind, "noah", "builtin")
    assert "@" not in path.read_text("utf-8")


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_commented_out_is_the_default_or_can_be_used(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "voice.toml"
    write_template(path, kind, "noah")
    before = load_voice_config(path)
    text = path.read_text("utf-8")
    path.write_text(re.sub(r"^# (?=[\[\"a-z_]+\b[^.:]* = |\[)", "", text, flags=re.MULTILINE), "utf-8")
    after = load_voice_config(path)
    assert after.voice.consent is not None and before.voice.consent is None
    defaults = before.gate.model_copy(update={"recogniser": after.gate.recogniser})
    assert after.gate == defaults
    assert after.corpus.model_copy(update={"script": {}}) == before.corpus
    if kind == "gpt-sovits-http":
        own = {"server_folder", "gpt_weights", "sovits_weights", "emotions"}
        assert after.teacher.model_dump(exclude=own) == before.teacher.model_dump(exclude=own)


def test_a_name_that_no_bundle_can_have_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DistillError, match="'Noah B' is no name"):
        write_template(tmp_path / "voice.toml", "flite", "Noah B")


def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    path = tmp_path / "voice.toml"
    path.write_text("mine")
    with pytest.raises(DistillError, match="is there already"):
        write_template(path, "flite", "noah")
    assert path.read_text() == "mine"
