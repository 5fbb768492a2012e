"""voice.toml: what it says in short is what the corpus is told at length; what is wrong is named."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import pytest

from distill.config import DistillError
from distill.corpus.config import BUILTIN
from distill.script import load_lines, load_script
from distill.teachers import make_teacher
from distill.teachers.gpt_sovits_http import HttpTeacher
from distill.teachers.settings import GptSovitsSettings, HttpSettings
from distill.voice.config import VoiceConfig, load_recipe, load_voice_config

VOICE = """
[voice]
name = "noah"
licence = "all rights reserved"
languages = ["zh", "en"]
"""
NATIVE = """
[teacher]
kind = "gpt-sovits"
gpt_weights = "weights/noah-e15.ckpt"
sovits_weights = "weights/noah_e8_s208.pth"
hubert = "/models/chinese-hubert-base"
roberta = "/models/chinese-roberta-wwm-ext-large"
sampling = { top_k = 5 }
[teacher.emotions]
neutral = "ref/neutral.wav"
sad = { audio = "ref/sad.wav", text = "誰もいない。", more = ["ref/more.wav"] }
"""
HTTP = """
[teacher]
kind = "gpt-sovits-http"
emotions = { neutral = "ref/neutral.wav" }
"""


def load(folder: Path, text: str) -> VoiceConfig:
    path = folder / "voice.toml"
    path.write_text(text, "utf-8")
    return load_voice_config(path)


def teacher(kind: str, more: str = "") -> str:
    return f'[teacher]\nkind = "{kind}"\n{more}\n'


# --- What follows from it -----------------------------------------------------------------------------------


def test_the_short_form_is_said_at_length(tmp_path: Path) -> None:
    corpus = """
[corpus]
seed = 5
level_dbfs = -24.0
script = { zh = ["builtin", "show.txt"], en = "lines.txt" }
lines = { neutral = 100, sad = 40 }
takes = 3
test_lines = 10
[train]
from = "scratch"
[gate]
attempts = 6
"""
    voice = load(tmp_path, VOICE + NATIVE + corpus)
    config = voice.corpus_config()
    assert (config.seed, config.level_dbfs, config.leading_silence_s) == (5, -24.0, 0.016)
    chinese, english = config.recordings
    assert chinese.script == ("builtin", str(tmp_path / "show.txt"))
    assert english.script == (str(tmp_path / "lines.txt"),)
    assert (english.character, english.language, english.teacher) == ("noah", "en", "gpt-sovits")
    assert english.lines == {"neutral": 100, "sad": 40} and english.takes == 3
    assert english.test_lines == {"neutral": 10, "sad": 10} and english.rate_test_lines == 24
    assert voice.train.start == "scratch" and voice.gate.attempts == 6 and voice.folder == tmp_path


KOKORO = teacher("kokoro", "voices = { am_michael = 1.0 }")


def test_a_teacher_that_tells_does_so_of_the_lines_of_the_package_or_of_the_given_ones(
    tmp_path: Path,
) -> None:
    chinese, english = load(tmp_path, VOICE + KOKORO).corpus_config().recordings
    assert chinese.told == english.told == ("builtin", "scene")
    more = '[corpus]\ntold = { zh = ["scene", "show.txt"], en = [] }\n'
    chinese, english = load(tmp_path, VOICE + KOKORO + more).corpus_config().recordings
    assert (chinese.told, english.told) == (("scene", str(tmp_path / "show.txt")), ())


def test_a_teacher_that_cannot_tell_is_asked_for_nothing(tmp_path: Path) -> None:
    assert all(not recording.told for recording in load(tmp_path, VOICE + HTTP).corpus_config().recordings)
    with pytest.raises(DistillError, match=r"corpus.told: gpt-sovits-http tells no prosody .* leave it out"):
        load(tmp_path, VOICE + HTTP + '[corpus]\ntold = { zh = "scene" }\n')


def test_paths_begin_at_the_file_and_clips_have_transcripts(tmp_path: Path) -> None:
    (tmp_path / "ref").mkdir()
    (tmp_path / "ref" / "neutral.txt").write_text("\ufeff你好，\n世界。\n", "utf-8")
    voice = load(tmp_path, VOICE + NATIVE)
    assert isinstance(voice.teacher, GptSovitsSettings)
    assert voice.teacher.gpt_weights == tmp_path / "weights" / "noah-e15.ckpt"
    assert voice.teacher.hubert == Path("/models/chinese-hubert-base")
    assert voice.teacher.emotion_names() == ("neutral", "sad")
    neutral, sad = voice.references()["neutral"], voice.references()["sad"]
    assert neutral.audio == tmp_path / "ref" / "neutral.wav"
    assert (neutral.transcript(), neutral.spoken_language()) == ("你好， 世界。", "zh")
    assert (sad.transcript(), sad.spoken_language()) == ("誰もいない。", "ja")
    assert sad.more == (tmp_path / "ref" / "more.wav",)


def test_the_teacher_travels_to_other_processes(tmp_path: Path) -> None:
    voice = load(tmp_path, VOICE + HTTP)
    with pickle.loads(pickle.dumps(voice.make))("gpt-sovits-http") as made:
        assert isinstance(made, HttpTeacher)
        assert made.origin().licence == "all rights reserved"  # that of the voice


@pytest.mark.parametrize("kind", ["espeak-ng", "flite"])
def test_a_voice_that_nobody_heard(tmp_path: Path, kind: str) -> None:
    more = 'voice = "rms"' if kind == "flite" else "pitch = 1.2\nformants = 0.9"
    voice = load(tmp_path, VOICE.replace('"zh", ', "") + teacher(kind, more))
    assert voice.references() == {}
    (recording,) = voice.corpus_config().recordings
    assert next(iter(recording.lines)) == "neutral" and recording.teacher == kind


def test_a_file_of_recordings_is_a_recipe_too(tmp_path: Path) -> None:
    for path in (BUILTIN, BUILTIN.with_name("stand-ins.toml")):
        recipe = load_recipe(path)
        speaking = {recording.character for recording in recipe.corpus.recordings}
        assert speaking == {"noah", "ava", "claire", "mei"}
        assert not recipe.references
    assert recipe.make is make_teacher  # these need no settings
    (tmp_path / "voice.toml").write_text(VOICE + HTTP, "utf-8")
    assert list(load_recipe(tmp_path / "voice.toml").references) == ["neutral"]


def test_what_decides_the_corpus_changes_its_inputs(tmp_path: Path) -> None:
    (tmp_path / "ref").mkdir()
    (tmp_path / "ref" / "neutral.wav").write_bytes(b"1")
    before = load(tmp_path, VOICE + HTTP).corpus_inputs()
    assert load(tmp_path, VOICE + HTTP).corpus_inputs() == before
    assert load(tmp_path, VOICE + HTTP + "[corpus]\ntakes = 2\n").corpus_inputs() != before
    (tmp_path / "ref" / "neutral.wav").write_bytes(b"22")
    assert load(tmp_path, VOICE + HTTP).corpus_inputs() != before


# --- Scripts ------------------------------------------------------------------------------------------------


def test_a_file_of_lines_is_held_out_in_part(tmp_path: Path) -> None:
    texts = [f"This is line {n}." for n in range(40)]
    path = tmp_path / "lines.txt"
    path.write_text("# of the show\n\n" + "\n".join([*texts, texts[0]]), "utf-8")
    lines = load_script([str(path)], "en")
    assert [line.text for line in lines] == texts
    splits = [line.split for line in lines]
    assert (splits.count("test"), splits.count("valid")) == (4, 2)
    path.write_text("\n".join(reversed(texts)), "utf-8")
    assert {(line.text, line.split) for line in load_script([str(path)], "en")} == {
        (line.text, line.split) for line in lines
    }


def test_lines_of_the_show_come_beside_those_of_the_package(tmp_path: Path) -> None:
    builtin = load_lines("en")
    (tmp_path / "show.tsv").write_text(
        f"train\tsentence\tA new one.\ntrain\tdrill\t{builtin[0].text}\n", "utf-8"
    )
    lines = load_script([str(tmp_path / "show.tsv"), "builtin"], "en")
    assert len(lines) == len(builtin) + 1
    assert (
        next(line for line in lines if line.text == builtin[0].text).kind == "drill"
    )  # the first one counts


def test_more_lines_of_the_package_come_beside_its_script() -> None:
    both = load_script(["builtin", "builtin-more"], "en")
    assert both == [*load_lines("en"), *load_lines("en", name="builtin-more")]


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("lines.txt", "One.\nTwo.\n", "2 lines of en, none of them for train"),
        ("lines.tsv", "train\tOne.\n", "line 1: expected split, kind and text"),
        ("lines.txt", None, "No such file"),
    ],
)
def test_a_wrong_script_is_named(tmp_path: Path, name: str, text: str | None, message: str) -> None:
    if text is not None:
        (tmp_path / name).write_text(text, "utf-8")
    with pytest.raises(DistillError, match=message):
        load_script([str(tmp_path / name)], "en")


# --- What is wrong ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (VOICE, r"has no \[teacher\]; write a whole file with: sovits-distill init"),
        (VOICE + teacher("hal"), "hal.*'gpt-sovits', 'gpt-sovits-http', 'recordings', 'espeak-ng'"),
        (VOICE + HTTP + "[voices]\n", "voices: Extra inputs"),
        (VOICE + HTTP + "[corpus]\nloudness = 3\n", "corpus.loudness: Extra inputs"),
        (VOICE.replace("noah", "Noah B."), "voice.name"),
        (VOICE + teacher("gpt-sovits-http", 'emotions = { sad = "ref/sad.wav" }'), "no clip is neutral"),
        (VOICE + NATIVE.replace("top_k = 5", "top_k = 0"), "sampling.top_k"),
        (VOICE + NATIVE.replace("roberta =", "# "), "Chinese needs the folder of chinese-roberta"),
        (VOICE + teacher("flite"), "voice.languages: flite does not speak zh"),
        (VOICE + HTTP + '[corpus]\nscript = { ja = "x.txt" }\n', "corpus.script: ja is not one of"),
        (VOICE + HTTP + '[corpus]\nscript = "x.txt"\n', "expected a table by language"),
        (VOICE + HTTP + "[corpus]\nlines = { neutral = 5, sad = 5 }\n", "the teacher's emotions are neutral"),
        (VOICE + HTTP + "[corpus]\nlines = 0\n", "neutral lines set the level"),
        (VOICE + teacher("recordings", 'folder = "x"') + "[corpus]\nlines = 5\n", "say their own lines"),
        (VOICE + teacher("espeak-ng", 'emotions = ["sad"]'), "expected neutral"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, text: str, message: str) -> None:
    text = text if "[teacher]" in text or message.startswith("has no") else text + HTTP
    with pytest.raises(DistillError, match=message):
        load(tmp_path, text)


def test_chinese_without_roberta_has_to_be_wished_for(tmp_path: Path) -> None:
    voice = load(tmp_path, VOICE + NATIVE.replace("roberta =", "without_roberta = true #"))
    assert isinstance(voice.teacher, GptSovitsSettings) and voice.teacher.roberta is None


@pytest.mark.parametrize("value", [{"url": "127.0.0.1:9880"}, {"media_type": "aac"}, {"streaming_mode": 4}])
def test_settings_of_the_server_have_limits(value: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(value))):
        HttpSettings.model_validate({"kind": "gpt-sovits-http", "emotions": {"neutral": "a.wav"}, **value})
