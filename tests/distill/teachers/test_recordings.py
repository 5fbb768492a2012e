"""Recordings as teacher: folders and lists, three languages, lines of their own."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from distill.config import checked
from distill.corpus.render import make_corpus
from distill.gate import GateConfig
from distill.teachers import LineRejectedError, LineRequest, TeacherError
from distill.teachers.recordings import RecordingsTeacher
from distill.teachers.settings import RecordingsSettings
from distill.voice.config import load_voice_config
from edge.text import FrontEnd, Reading

NUMBERS = "one two three four five six seven eight nine ten eleven twelve".split()


def record(
    path: Path, text: str | None = None, pitch: float = 200.0, rate: int = 24_000, channels: int = 1
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    tone = 0.1 * np.sin(2 * np.pi * pitch * np.arange(rate) / rate)
    soundfile.write(path, np.stack([tone] * channels, axis=1), rate, subtype="PCM_16")
    if text is not None:
        path.with_suffix(".txt").write_text(text, "utf-8")


def teacher(folder: Path, **changes: Any) -> RecordingsTeacher:
    values = {"kind": "recordings", "folder": "clips", **changes}
    return RecordingsTeacher(checked(RecordingsSettings, values, "test", folder))


def request(text: str, language: str = "en", emotion: str = "neutral", rate: float = 1.0) -> LineRequest:
    return LineRequest(text, Reading(text, (), (), (), ()), language, "noah", emotion, rate)


def write_list(folder: Path, *rows: str) -> None:
    (folder / "noah.list").write_text("\n".join(rows) + "\n", "utf-8")


def test_a_folder_is_an_emotion_and_letters_tell_the_language(tmp_path: Path) -> None:
    clips = tmp_path / "clips"
    record(clips / "a.wav", "The house\nis full.")
    record(clips / "b.flac", "这里没有人。")
    record(clips / "sad" / "c.wav", "誰もいない。")
    record(clips / "Wütend" / "deep" / "d.wav", "Get out!")
    with teacher(tmp_path, emotions={"Wütend": "angry"}) as speaker:
        said = {
            (language, own.emotion, own.line.text)
            for language in ("zh", "en", "ja")
            for own in speaker.lines(language)
        }
        assert said == {
            ("en", "neutral", "The house is full."), ("zh", "neutral", "这里没有人。"),
            ("ja", "sad", "誰もいない。"), ("en", "angry", "Get out!"),
        }  # fmt: skip


def test_a_list_of_the_format_of_gpt_sovits(tmp_path: Path) -> None:
    record(tmp_path / "clips" / "a.wav", pitch=300.0)
    record(tmp_path / "clips" / "sad" / "b.wav")
    record(tmp_path / "clips" / "c.wav")
    write_list(
        tmp_path,
        "a.wav|noah|ZH|你好。",
        "sad/b.wav|noah|JP|こんにちは。",
        r"D:\work\slicer\c.wav|noah|EN|Get out!|angry",
        "gone.wav|ava|EN|Somebody else.",
    )
    with teacher(tmp_path, transcripts="noah.list", speaker="noah") as speaker:
        assert [(own.emotion, own.line.text) for own in speaker.lines("zh")] == [("neutral", "你好。")]
        assert [own.emotion for own in speaker.lines("ja")] == ["sad"]
        assert [own.emotion for own in speaker.lines("en")] == ["angry"]
        spoken = speaker.synthesize(request("你好。", "zh"))
    assert spoken.sample_rate == 24_000
    assert np.abs(np.fft.rfft(spoken.audio)).argmax() == 300


def test_two_channels_become_one(tmp_path: Path) -> None:
    record(tmp_path / "clips" / "a.wav", "Hello.", channels=2)
    spoken = teacher(tmp_path).synthesize(request("Hello."))
    assert spoken.audio.shape == (24_000,) and spoken.audio.dtype == np.float32
    assert np.abs(spoken.audio).max() == pytest.approx(0.1, abs=0.001)


def test_a_text_is_held_out_in_every_emotion_or_in_none(tmp_path: Path) -> None:
    for emotion in ("", "sad"):
        for number in NUMBERS:
            record(tmp_path / "clips" / emotion / f"{number}.wav", f"Number {number}.")
    with teacher(tmp_path, test_share=0.2, valid_share=0.1) as speaker:
        lines = speaker.lines("en")
    splits = {own.line.text: own.line.split for own in lines}
    assert all(own.line.split == splits[own.line.text] for own in lines)
    assert Counter(splits.values()) == {"train": 7, "test": 3, "valid": 2}


def test_the_delivery_is_the_file(tmp_path: Path) -> None:
    record(tmp_path / "clips" / "a.wav", "Hello.")
    before = teacher(tmp_path).delivery(request("Hello."))
    assert teacher(tmp_path).delivery(request("Hello.")) == before
    record(tmp_path / "clips" / "a.wav", "Hello.", pitch=210.0)
    assert teacher(tmp_path).delivery(request("Hello.")) != before


@pytest.mark.parametrize(
    "wanted", [request("Hi."), request("Hello.", rate=1.1), request("Hello.", "en", "sad")]
)
def test_what_nobody_recorded_is_rejected(tmp_path: Path, wanted: LineRequest) -> None:
    record(tmp_path / "clips" / "a.wav", "Hello.")
    with pytest.raises(LineRejectedError, match="nobody recorded"):
        teacher(tmp_path).synthesize(wanted)


def test_a_damaged_file_leaves_out_its_line(tmp_path: Path) -> None:
    record(tmp_path / "clips" / "a.wav", "Hello.")
    (tmp_path / "clips" / "a.wav").write_bytes(b"not sound")
    with pytest.raises(LineRejectedError, match=r"a\.wav") as rejection:
        teacher(tmp_path).synthesize(request("Hello."))
    assert rejection.value.reason == "unreadable"


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ("a.wav|noah|EN", r"line 1: expected path\|speaker"),
        ("a.wav|noah|KO|안녕", "'KO' cannot be taught"),
        ("b.wav|noah|EN|Hello.", r"there is no b\.wav"),
        ("a.wav|noah|EN|Hello.|Très triste", "no name of an emotion"),
    ],
)
def test_a_wrong_row_is_named(tmp_path: Path, row: str, message: str) -> None:
    record(tmp_path / "clips" / "a.wav")
    write_list(tmp_path, row)
    with pytest.raises(TeacherError, match=message):
        teacher(tmp_path, transcripts="noah.list").lines("en")


def test_a_missing_transcript_is_an_error(tmp_path: Path) -> None:
    record(tmp_path / "clips" / "a.wav")
    with pytest.raises(TeacherError, match=r"cannot read .*a\.txt; write there"):
        teacher(tmp_path).lines("en")
    (tmp_path / "clips" / "a.txt").touch()
    with pytest.raises(TeacherError, match=r"a\.txt is empty"):
        teacher(tmp_path).lines("en")


def test_an_empty_folder_and_a_missing_language_are_errors(tmp_path: Path) -> None:
    with pytest.raises(TeacherError, match="there are no recordings"):
        teacher(tmp_path).lines("en")
    record(tmp_path / "clips" / "a.wav", "Hello.")
    with pytest.raises(TeacherError, match="no recordings in ja; leave it out"):
        teacher(tmp_path).lines("ja")


def test_a_corpus_of_recordings_says_their_lines(tmp_path: Path, front_end: FrontEnd) -> None:
    for number in NUMBERS:
        record(tmp_path / "clips" / f"{number}.wav", f"Number {number}.")
    record(tmp_path / "clips" / "sad" / "x.wav", "Nobody is here.")
    (tmp_path / "voice.toml").write_text(
        '[voice]\nname = "noah"\nlicence = "mine"\nlanguages = ["en"]\n'
        '[teacher]\nkind = "recordings"\nfolder = "clips"\n'
    )
    voice = load_voice_config(tmp_path / "voice.toml")
    gate = GateConfig(enabled=False)
    summary = make_corpus(voice.corpus_config(), tmp_path / "corpus", processes=1, gate=gate, make=voice.make)
    assert summary is not None
    assert summary["teachers"]["recordings"]["licence"] == "mine"
    manifest = (tmp_path / "corpus" / "manifest.jsonl").read_text("utf-8").splitlines()
    said = {(row["text"], row["emotion"]) for row in map(json.loads, manifest)}
    assert said == {*((f"Number {number}.", "neutral") for number in NUMBERS), ("Nobody is here.", "sad")}
