"""Origin: whose voice it is follows from the teacher; a consent record has to name these very recordings."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest

from distill.config import DistillError
from distill.voice.card import voice_card, write_card
from distill.voice.check import check_voice
from distill.voice.config import VoiceConfig, load_voice_config
from quantize.card import read_card
from tests.distill.voice.test_card import LINES, TEACHERS
from tests.edge.bundle.trust.studio import consent, sealed

VOICE = """
[voice]
name = "noah"
licence = "all rights reserved"
languages = ["en"]
{more}
[teacher]
kind = "gpt-sovits-http"
emotions = {{ neutral = {{ audio = "ref.wav", text = "The house is full.", more = ["more.wav"] }} }}
"""
HASHES = [hashlib.sha256(content).hexdigest() for content in (b"clip", b"more")]


def voice(folder: Path, more: str = "", record: dict[str, Any] | None = None) -> VoiceConfig:
    (folder / "ref.wav").write_bytes(b"clip")
    (folder / "more.wav").write_bytes(b"more")
    if record is not None:
        (folder / "consent.json").write_bytes(sealed(record, [4]))
        more = 'consent_record = "consent.json"\n' + more
    (folder / "voice.toml").write_text(VOICE.format(more=more), "utf-8")
    return load_voice_config(folder / "voice.toml")


def record_of(*hashes: str, characters: tuple[str, ...] = ("noah",)) -> dict[str, Any]:
    return consent(voice={"characters": list(characters), "references": list(hashes)})


def refused(folder: Path, record: dict[str, Any], *words: str, more: str = "") -> None:
    with pytest.raises(DistillError) as caught:
        voice(folder, more, record).origin()
    for word in words:
        assert word in str(caught.value)


def test_clips_of_a_person_are_named_by_hash(tmp_path: Path) -> None:
    origin = voice(tmp_path).origin()
    assert (origin.kind, list(origin.references)) == ("person", HASHES)


def test_a_record_of_these_clips_fits(tmp_path: Path) -> None:
    assert voice(tmp_path, record=record_of(*HASHES, "0" * 64)).origin().kind == "person"


def test_a_record_of_other_clips_or_characters_does_not(tmp_path: Path) -> None:
    refused(tmp_path, record_of(HASHES[0]), "does not name the recording", HASHES[1][:12])
    refused(tmp_path, record_of(*HASHES, characters=("ava",)), "is about ava, not noah")
    refused(tmp_path, record_of(*HASHES), "leave one of them out", more='synthetic = "made by a program"')


def test_a_record_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(DistillError, match=r"cannot read .*consent\.json"):
        voice(tmp_path, 'consent_record = "consent.json"').origin()
    (tmp_path / "consent.json").write_text("{}")
    with pytest.raises(DistillError, match=r"consent\.json: sovits-consent/1"):
        voice(tmp_path, 'consent_record = "consent.json"').origin()


def test_a_free_synthesiser_imitates_nobody(tmp_path: Path) -> None:
    text = '[voice]\nname = "a"\nlicence = "CC0-1.0"\nlanguages = ["en"]\n[teacher]\nkind = "espeak-ng"\n'
    (tmp_path / "voice.toml").write_text(text, "utf-8")
    origin = load_voice_config(tmp_path / "voice.toml").origin()
    assert origin.kind == "synthetic" and "espeak-ng" in origin.statement
    assert voice(tmp_path, 'synthetic = "morphed from noise"').origin().statement == "morphed from noise"


def test_recordings_have_one_hash_that_names_and_order_do_not_change(tmp_path: Path) -> None:
    folder = tmp_path / "takes"
    folder.mkdir()
    head = '[voice]\nname = "noah"\nlicence = "x"\nlanguages = ["en"]\n'
    (tmp_path / "voice.toml").write_text(f'{head}[teacher]\nkind = "recordings"\nfolder = "takes"\n', "utf-8")
    config = load_voice_config(tmp_path / "voice.toml")
    with pytest.raises(DistillError, match="no recordings"):
        config.origin()
    (folder / "a.wav").write_bytes(b"1")
    (folder / "b.wav").write_bytes(b"2")
    (folder / "b.txt").write_text("not sound")
    (before,) = config.origin().references
    (folder / "a.wav").rename(folder / "c.wav")
    assert config.origin().references == (before,)
    (folder / "c.wav").write_bytes(b"3")
    assert config.origin().references != (before,)


def test_check_says_what_is_wrong_with_the_record(tmp_path: Path) -> None:
    def finding(config: VoiceConfig) -> list[tuple[str, str]]:
        return [(one.severity, one.advice) for one in check_voice(config) if one.check == "consent"]

    ((severity, advice),) = finding(voice(tmp_path))
    assert severity == "warning" and "consent_record" in advice
    ((severity, advice),) = finding(voice(tmp_path, record=record_of(HASHES[0])))
    assert severity == "error" and "does not name the recording" in advice
    assert finding(voice(tmp_path, record=record_of(*HASHES))) == []


def test_origin_and_record_reach_the_card(tmp_path: Path) -> None:
    config = voice(tmp_path, record=record_of(*HASHES))
    values = config.voice.model_dump(mode="json") | {"origin": config.origin().model_dump(mode="json")}
    write_card(tmp_path / "card.toml", voice_card(values, LINES, TEACHERS, ["neutral", "sad", "happy"]))
    card = read_card(tmp_path / "card.toml")
    assert card.origin == config.origin()
    assert card.consent_record == tmp_path / "consent.json"
