"""The corpus: who says what, trimmed and levelled sound, labels as the student reads them, kill and go on."""

from __future__ import annotations

import fcntl
import json
import os
import signal
import subprocess
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
import soundfile

from distill import sound
from distill.corpus.config import BUILTIN
from distill.voice.config import load_recipe
from distill.config import DistillError
from distill.corpus.config import CorpusConfig, Recording
from distill.corpus.render import make_corpus
from distill.manifest import read_manifest
from distill.corpus.plan import plan, plan_lines
from distill.script import Line, load_script
from distill.corpus.utterance import Judge, Studio, student_phonemes
from distill.teachers import LineRequest, TeacherError
from edge.spec import SAMPLE_RATE
from edge.text import FrontEnd

from ..conftest import corpus_command, environment, render_corpus


def recording(**changes: Any) -> Recording:
    settings: dict[str, Any] = {
        "character": "noah", "language": "en", "teacher": "espeak-ng",
        "lines": {"neutral": 5, "sad": 3}, "test_lines": {"neutral": 4, "sad": 2}, "rate_test_lines": 4,
    }  # fmt: skip
    return Recording(**{**settings, **changes})


def script() -> list[Line]:
    counts = {"train": 30, "valid": 6, "test": 8}
    lines = [Line(split, "pattern", f"{split} {i}") for split, n in counts.items() for i in range(n)]
    return [*lines, Line("train", "drill", "drill 0"), Line("train", "short", "short 0")]


def rows(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "manifest.jsonl").read_text("utf-8").splitlines()]


# --- Plan ---------------------------------------------------------------------------------------------------


def test_lines_are_dealt_once_and_drills_go_to_everybody() -> None:
    dealt = list(plan_lines(recording(), script(), seed=1))
    train = [line.text for split, _, _, line in dealt if split == "train"]
    assert len(train) == len(set(train)) == 8
    assert {"drill 0", "short 0"} <= set(train)
    assert all(line.split == split.removesuffix("_rate") for split, _, _, line in dealt)


def test_every_emotion_validates_and_is_tested_on_the_same_lines() -> None:
    dealt = list(plan_lines(recording(), script(), seed=1))
    valid = Counter(emotion for split, emotion, _, _ in dealt if split == "valid")
    assert valid == {"neutral": 3, "sad": 3}
    tested = {
        emotion: [line.text for split, mood, _, line in dealt if split == "test" and mood == emotion]
        for emotion in ("neutral", "sad")
    }
    assert tested["sad"] == tested["neutral"][:2] == ["test 0", "test 1"]
    assert [rate for split, _, rate, _ in dealt if split == "test_rate"] == [1.1, 0.9, 1.1, 0.9]


def test_validation_lines_can_be_few() -> None:
    dealt = list(plan_lines(recording(valid_lines=1), script(), seed=1))
    assert sum(split == "valid" for split, *_ in dealt) == 1


def test_a_short_script_is_dealt_again_but_no_emotion_says_a_line_twice() -> None:
    dealt = list(plan_lines(recording(lines={"neutral": 99, "sad": 20}), script(), seed=1))
    said = {mood: [one.text for split, m, _, one in dealt if split == "train" and m == mood]
            for mood in ("neutral", "sad")}  # fmt: skip
    assert {mood: len(texts) for mood, texts in said.items()} == {"neutral": 32, "sad": 20}
    assert all(len(texts) == len(set(texts)) for texts in said.values())


@pytest.mark.espeak
def test_a_training_line_is_said_once_for_each_take_with_another_seed(tmp_path: Path) -> None:
    one = recording(
        lines={"neutral": 2}, takes=3, valid_lines=1, test_lines={"neutral": 1}, rate_test_lines=0
    )
    config = CorpusConfig(seed=5, recordings=(one,))
    planned = list(plan(config, FrontEnd(), Studio(config, tmp_path).teacher))
    seeds = [(split, request.seed) for split, _, request in planned]
    assert seeds == [*[("train", 5 + take) for take in range(3)] * 2, ("valid", 5), ("test", 5)]


@pytest.mark.espeak
def test_a_line_that_cannot_be_read_is_quoted(tmp_path: Path, front_end: FrontEnd) -> None:
    path = tmp_path / "lines.txt"
    path.write_text("\n".join("!" * n for n in range(1, 10)), encoding="utf-8")
    config = CorpusConfig(recordings=(recording(script=(str(path),)),))
    with pytest.raises(DistillError, match=r"en line .!+. cannot be read"):
        list(plan(config, front_end, Studio(config, tmp_path).teacher))


def test_the_seed_decides_who_says_what() -> None:
    first, same, other = (list(plan_lines(recording(), script(), seed)) for seed in (1, 1, 2))
    assert first == same != other


def test_new_test_lines_leave_training_and_validation_as_they_were() -> None:
    changed = [line for line in script() if line.split != "test"] + [Line("test", "sentence", "new")]
    before, after = (
        [one for one in plan_lines(recording(), lines, seed=1) if not one[0].startswith("test")]
        for lines in (script(), changed)
    )
    assert before == after


def test_the_built_in_configuration_asks_for_lines_that_the_script_has() -> None:
    for one in load_recipe(BUILTIN).corpus.recordings:
        lines = Counter(line.split for line in load_script(one.script, one.language))
        # One emotion may ask for more: it then says the whole script.
        assert sum(one.lines.values()) <= lines["train"] or len(one.lines) == 1, one
        assert max(*one.test_lines.values(), one.rate_test_lines) <= lines["test"], one


def test_the_label_is_what_the_student_is_given(front_end: FrontEnd) -> None:
    phonemes, languages, starts = student_phonemes(front_end.read("Hello there", "en"))
    assert phonemes == ["SP", "HH", "AH0", "L", "OW1", "DH", "EH1", "R", "."]
    assert set(languages) == {"en"} and len(languages) == len(starts) == len(phonemes)
    assert starts == [0, 1, 0, 0, 0, 1, 0, 0, 0]


def test_no_second_full_stop(front_end: FrontEnd) -> None:
    assert student_phonemes(front_end.read("你好！", "zh"))[0] == ["SP", "n", "i2", "h", "ao3", "!"]


# --- Sound --------------------------------------------------------------------------------------------------


def burst(before_s: float, sounding_s: float, after_s: float) -> sound.Audio:
    tone = 0.2 * np.sin(2 * np.pi * 200 * np.arange(round(sounding_s * SAMPLE_RATE)) / SAMPLE_RATE)
    ends = (round(before_s * SAMPLE_RATE), round(after_s * SAMPLE_RATE))
    return np.pad(tone, ends).astype(np.float32)


def test_silence_is_cut_to_what_is_asked_for() -> None:
    audio, moved = sound.trim(burst(0.32, 0.64, 0.5), leading_s=0.016, trailing_s=0.1)
    assert moved == pytest.approx(0.304, abs=1e-9)
    assert len(audio) / SAMPLE_RATE == pytest.approx(0.016 + 0.64 + 0.1, abs=0.004)
    assert not audio[:500].any() and audio[513:600].any()


def test_lacking_silence_is_added_before_but_not_after() -> None:
    audio, moved = sound.trim(burst(0.0, 0.64, 0.02), leading_s=0.016, trailing_s=0.1)
    assert moved == pytest.approx(-0.016)
    assert not audio[:512].any()
    assert len(audio) / SAMPLE_RATE == pytest.approx(0.016 + 0.66, abs=0.001)


def test_a_silent_line_is_an_error() -> None:
    with pytest.raises(ValueError, match="silent"):
        sound.trim(np.zeros(32_000, np.float32), 0.016, 0.1)


def test_level_is_that_of_the_sounding_parts() -> None:
    amplitude_db = 20 * np.log10(0.2 / np.sqrt(2))
    assert sound.level_dbfs([burst(0.5, 0.64, 3.0)]) == pytest.approx(amplitude_db, abs=0.1)


def test_resampling_keeps_pitch_and_length() -> None:
    tone = np.sin(2 * np.pi * 1000 * np.arange(22_050) / 22_050).astype(np.float32)
    audio = sound.resample(tone, 22_050)
    assert len(audio) == SAMPLE_RATE
    assert np.abs(np.fft.rfft(audio)).argmax() == 1000


def test_clipping_is_refused_and_leaves_no_file(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"lower level_dbfs by 6\.0 dB"):
        sound.save_flac(tmp_path / "loud.flac", np.full(100, 2.0, np.float32))
    assert not list(tmp_path.iterdir())


# --- The corpus of real teachers ----------------------------------------------------------------------------


@pytest.mark.espeak
@pytest.mark.flite
class TestSmallCorpus:
    def test_every_planned_line_is_there(self, small_corpus: Path, small_config: Path) -> None:
        config = load_recipe(small_config).corpus
        planned = list(plan(config, FrontEnd(), Studio(config, small_corpus).teacher))
        assert [
            (r["split"], r["teacher"], r["text"], r["emotion"], r["rate"]) for r in rows(small_corpus)
        ] == [
            (split, teacher, request.text, request.emotion, request.rate)
            for split, teacher, request in planned
        ]

    def test_training_can_read_it(self, small_corpus: Path) -> None:
        for utterance in read_manifest(small_corpus):
            assert len(utterance.phoneme_ids) == len(utterance.language_ids) == len(utterance.word_starts)
            assert utterance.audio.is_file()

    def test_sound_is_mono_32_khz_trimmed_and_as_long_as_told(self, small_corpus: Path) -> None:
        for row in rows(small_corpus):
            path = small_corpus / row["audio"]
            info = soundfile.info(path)
            assert (info.samplerate, info.channels, info.subtype) == (SAMPLE_RATE, 1, "PCM_16")
            audio, _ = soundfile.read(path, dtype="float32")
            assert row["seconds"] == pytest.approx(len(audio) / SAMPLE_RATE, abs=1e-4)
            loud = np.flatnonzero(sound.sounding(audio)) * sound.STEP / SAMPLE_RATE
            assert loud[0] == pytest.approx(0.016, abs=0.005), row["id"]
            assert len(audio) / SAMPLE_RATE - loud[-1] <= 0.1 + 0.005, row["id"]

    def test_neutral_speech_of_everybody_has_the_level_of_the_configuration(self, small_corpus: Path) -> None:
        levels = {}
        for character in ("noah", "claire", "mei"):
            chosen = [
                r for r in rows(small_corpus)
                if (r["character"], r["emotion"], r["split"]) == (character, "neutral", "train")
            ]  # fmt: skip
            lines = [soundfile.read(small_corpus / r["audio"], dtype="float32")[0] for r in chosen]
            levels[character] = sound.level_dbfs(lines)
        assert all(level == pytest.approx(-26.0, abs=0.3) for level in levels.values()), levels

    def test_what_is_quieter_in_one_emotion_stays_quieter(self, small_corpus: Path) -> None:
        by_emotion: dict[str, list[sound.Audio]] = {"neutral": [], "sad": []}
        for row in rows(small_corpus):
            if row["character"] == "noah" and row["split"] == "train":
                by_emotion[row["emotion"]].append(
                    soundfile.read(small_corpus / row["audio"], dtype="float32")[0]
                )
        assert sound.level_dbfs(by_emotion["sad"]) < sound.level_dbfs(by_emotion["neutral"]) - 1.0

    def test_phoneme_times_fit_into_the_line(self, small_corpus: Path) -> None:
        told = [row for row in rows(small_corpus) if "phoneme_times" in row]
        assert {row["teacher"] for row in told} == {"espeak-ng", "flite"}
        for row in told:
            starts = [start for _, start in row["phoneme_times"]]
            assert starts == sorted(starts) and starts[0] <= 0.05
            sounds = [
                start for name, start in row["phoneme_times"] if not name.startswith("_") and name != "pau"
            ]
            assert sounds[-1] < row["seconds"]

    def test_summary_names_the_origin_of_the_sound_and_what_was_never_said(self, small_corpus: Path) -> None:
        summary = json.loads((small_corpus / "corpus.json").read_text("utf-8"))
        assert set(summary["teachers"]) == {"espeak-ng", "flite", "openjtalk"}
        assert "CC-BY-3.0" in summary["teachers"]["openjtalk"]["licence"]
        assert sum(summary["lines"].values()) == len(rows(small_corpus))
        assert summary["lines"]["noah zh sad test"] == 1
        assert "ZH" in summary["never_spoken"]["claire en"]  # of three lines
        claire = [r for r in rows(small_corpus) if (r["character"], r["split"]) == ("claire", "train")]
        said = {phoneme for row in claire for phoneme in row["phonemes"]}
        assert said.isdisjoint(summary["never_spoken"]["claire en"])

    def test_a_second_run_renders_nothing(self, small_corpus: Path, small_config: Path) -> None:
        times = {path: path.stat().st_mtime_ns for path in (small_corpus / "audio").iterdir()}
        before = (small_corpus / "manifest.jsonl").read_bytes()
        make_corpus(load_recipe(small_config).corpus, small_corpus, processes=1)
        assert {path: path.stat().st_mtime_ns for path in (small_corpus / "audio").iterdir()} == times
        assert (small_corpus / "manifest.jsonl").read_bytes() == before

    def test_sound_that_no_line_needs_is_removed(self, small_corpus: Path, small_config: Path) -> None:
        wanted = {path.name for path in (small_corpus / "audio").iterdir()}
        kept = min(wanted)
        (small_corpus / "audio" / "noah-zh-neutral-000000000000.flac").touch()
        (small_corpus / "audio" / f"{kept}.123.part").touch()
        make_corpus(load_recipe(small_config).corpus, small_corpus, processes=1)
        assert {path.name for path in (small_corpus / "audio").iterdir()} == wanted

    def test_a_killed_run_goes_on_to_the_same_corpus(
        self, small_corpus: Path, small_config: Path, tmp_path: Path
    ) -> None:
        killed_after(small_config, tmp_path, n_lines=4)
        assert not (tmp_path / "manifest.jsonl").exists()
        with (tmp_path / "progress.jsonl").open("ab") as progress:
            progress.write(
                '{"id": "noah-zh-neutral-0000", "text": "你'.encode()[:-1]
            )  # torn inside a character
        render_corpus(small_config, tmp_path)
        assert rows(tmp_path) == rows(small_corpus)
        for row in rows(tmp_path):
            assert (tmp_path / row["audio"]).read_bytes() == (small_corpus / row["audio"]).read_bytes(), row[
                "id"
            ]


def killed_after(config: Path, folder: Path, n_lines: int) -> None:
    """Start the command, kill it once some lines are done, and see its workers leave."""
    process = subprocess.Popen(corpus_command(config, folder), env=environment(), stderr=subprocess.DEVNULL)
    progress = folder / "progress.jsonl"
    deadline = time.monotonic() + 120
    while not progress.exists() or progress.read_bytes().count(b"\n") < n_lines:
        assert process.poll() is None and time.monotonic() < deadline
        time.sleep(0.01)
    workers = psutil.Process(process.pid).children(recursive=True)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    assert workers
    _, alive = psutil.wait_procs(workers, timeout=60)
    assert not alive


# --- Rejections and faults ----------------------------------------------------------------------------------


def tiny(level_dbfs: float = -26.0) -> CorpusConfig:
    one = recording(lines={"neutral": 6}, valid_lines=1, test_lines={"neutral": 1}, rate_test_lines=0)
    return CorpusConfig(level_dbfs=level_dbfs, recordings=(one,))


@pytest.mark.espeak
def test_lines_that_would_clip_are_left_out_and_counted(tmp_path: Path) -> None:
    summary = make_corpus(tiny(level_dbfs=-6.0), tmp_path, processes=1)
    assert summary["rejected"]["noah-en-neutral clipping"] >= 4
    assert len(rows(tmp_path)) == 8 - sum(summary["rejected"].values())
    assert len(rows(tmp_path)) == len(list((tmp_path / "audio").iterdir()))


@pytest.mark.flite
def test_a_line_said_otherwise_than_labelled_is_rejected(tmp_path: Path, front_end: FrontEnd) -> None:
    text = "Please read the message."
    reading = front_end.read("Please write the message.", "en")
    (tmp_path / "audio").mkdir()
    studio = Studio(tiny(), tmp_path)
    wrong = LineRequest(text, reading, "en", "claire")
    assert "rejected" not in studio.render(
        studio.job("train", "flite", wrong, 1.0), Judge("off")
    )  # it speaks the reading
    heteronym = LineRequest(text, front_end.read("Could you read the message, please?", "en"), "en", "claire")
    row = studio.render(studio.job("train", "flite", heteronym, 1.0), Judge("off"))
    assert row["rejected"] == "phonemes" and "r eh d" in row["detail"]
    assert len(list((tmp_path / "audio").iterdir())) == 1


@pytest.mark.espeak
@pytest.mark.parametrize(("text", "label"), [("Hello.", "en"), ("我有CD。", "zh")])
def test_a_line_that_a_teacher_cannot_write_is_rejected_not_fatal(
    tmp_path: Path, front_end: FrontEnd, text: str, label: str
) -> None:
    reading = front_end.read(text, label)
    if label == "en":
        reading = replace(reading, phonemes=("QQ", *reading.phonemes[1:]))
    studio = Studio(tiny(), tmp_path)
    row = studio.render(
        studio.job("train", "espeak-ng", LineRequest(text, reading, label, "noah"), 1.0), Judge("off")
    )
    assert row["rejected"] == "phoneme" and "has no sound for" in row["detail"]


def test_a_folder_in_use_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(DistillError, match="another run is at work"):
            make_corpus(tiny(), tmp_path)


@pytest.mark.espeak
def test_a_character_without_neutral_lines_is_an_error(tmp_path: Path) -> None:
    one = recording(lines={"sad": 2}, valid_lines=0, test_lines={}, rate_test_lines=0)
    with pytest.raises(DistillError, match="noah en has no neutral lines"):
        make_corpus(CorpusConfig(recordings=(one,)), tmp_path)


def test_an_unknown_teacher_is_an_error(tmp_path: Path) -> None:
    config = CorpusConfig(recordings=(recording(teacher="hal"),))
    with pytest.raises(TeacherError, match="'hal'; expected one of espeak-ng, flite, openjtalk"):
        make_corpus(config, tmp_path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[corpus]\nrecordings = []\nloudness = 3\n", "loudness"),
        ("[corpus\n", "is not TOML"),
        ('[corpus]\n[[corpus.recordings]]\ncharacter = "noah"\n', "language"),
    ],
)
def test_a_wrong_configuration_is_named(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "corpus.toml"
    path.write_text(text)
    with pytest.raises(DistillError, match=message):
        load_recipe(path).corpus
