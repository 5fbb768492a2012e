"""A corpus of several characters by one model: dealt out by text, levelled, with prosody beside the sound."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import soundfile as sf

from distill.corpus.config import Recording
from distill.manifest import read_manifest
from distill.corpus.plan import plan_lines
from distill.script import Line
from distill.sound import level_dbfs, quieter
from distill.teachers.base import PhonemeProsody
from distill.corpus.told_prosody import load_prosody, tell
from edge.spec import SAMPLE_RATE, ZERO_LENGTH_SYMBOLS
from edge.text import FrontEnd

from tests.distill.teachers.kokoro_model import write_model

ROOT = Path(__file__).parents[3]
LINES = [
    f"The {adjective} {noun} {verb}."
    for adjective in ("red", "tiny", "old")
    for noun in ("fox", "boat", "moon")
    for verb in ("sleeps", "sings")
]
SHARES = {"neutral": 0.6, "sad": 0.4}


def recording(**changes: object) -> Recording:
    values = {"character": "noah", "language": "en", "teacher": "x", "shares": SHARES, "test_lines": {}}
    return Recording.model_validate(values | changes)


def dealt(lines: list[str], shares: dict[str, float] = SHARES, seed: int = 1) -> dict[str, str]:
    script = [Line("train", "sentence", text) for text in lines]
    return {line.text: emotion for _, emotion, _, line in plan_lines(recording(shares=shares), script, seed)}


def test_a_script_that_grows_moves_no_line_to_another_emotion() -> None:
    before, after = dealt(LINES), dealt(["A new line.", *LINES, "Another."])
    assert set(before) == set(LINES)
    assert all(after[text] == emotion for text, emotion in before.items())
    assert set(after) > set(before)


def test_emotions_have_their_shares_and_the_rest_is_not_said() -> None:
    many = [f"Line number {n}." for n in range(3000)]
    counts = Counter(dealt(many, {"neutral": 0.5, "sad": 0.2}).values())
    assert counts["neutral"] == pytest.approx(1500, abs=120)
    assert counts["sad"] == pytest.approx(600, abs=90)
    assert dealt(many[:50]) != dealt(many[:50], seed=2)


@pytest.mark.parametrize("wrong", [{"lines": {"neutral": 3}}, {"shares": {"neutral": 0.8, "sad": 0.4}}])
def test_shares_and_numbers_do_not_mix(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="shares stand in place of lines"):
        recording(**wrong)


# --- Prosody in the time of the trimmed sound ---


def test_silence_that_is_counted_to_a_phoneme_goes_to_the_pause() -> None:
    reading = FrontEnd().read("Go, go.", "en")
    sound = np.sin(np.arange(SAMPLE_RATE) * 0.1).astype(np.float32)
    sound[12800:19200] = 0.0  # silent from 0.4 to 0.6 s
    starts = np.array([0.1, 0.2, 0.55, 0.7, 0.8, 0.9, 1.0])[: len(reading.phonemes) + 1]
    assert reading.phonemes[2] == ","
    told = tell(
        PhonemeProsody(starts, np.ones(4, np.float32), np.ones(4, np.float32), 0.0125),
        reading,
        0.0,
        sound,
        0.0,
    )
    assert told is not None
    assert told.starts[3] == pytest.approx(0.4, abs=0.005)  # the leading silence is the first
    assert told.starts[2] == pytest.approx(0.2)


def test_a_pause_that_is_heard_as_sound_stays_where_it_was_told() -> None:
    reading = FrontEnd().read("Go, go.", "en")
    sound = np.sin(np.arange(SAMPLE_RATE) * 0.1).astype(np.float32)
    starts = np.linspace(0.1, 0.9, len(reading.phonemes) + 1)
    told = tell(
        PhonemeProsody(starts, np.ones(4, np.float32), np.ones(4, np.float32), 0.0125),
        reading,
        0.05,
        sound,
        0.1,
    )
    assert told is not None
    assert told.starts[1:-1] == pytest.approx(starts[:-1] - 0.05)
    assert (told.first_s, told.starts[-1]) == (-0.05, 1.0)


# --- The command ---


@pytest.fixture
def config(tmp_path: Path) -> Path:
    write_model(tmp_path / "model")
    (tmp_path / "lines.txt").write_text("\n".join(LINES))
    (tmp_path / "ja.txt").write_text("猫が鳴く\n犬が走る。\n鳥、飛ぶ！\n馬が跳ぶ\n魚が泳ぐ。\n")
    (tmp_path / "own.lexicon").write_text("fox = F AA1 K S\n")
    parts = ['[corpus]\nlexicon = "own.lexicon"\n\n[gate]\nenabled = false\n']
    for name, voices in (("noah", "am_michael = 1.0"), ("mei", "jf_alpha = 2.0, am_michael = 1.0")):
        parts.append(f'[teachers.{name}]\nkind = "kokoro"\nfolder = "model"\nvoices = {{ {voices} }}\n')
    for name, language, script in (("noah", "en", "lines.txt"), ("mei", "ja", "ja.txt")):
        parts.append(
            f'[[corpus.recordings]]\ncharacter = "{name}"\nlanguage = "{language}"\nteacher = "{name}"\n'
            f'script = ["{tmp_path / script}"]\nshares = {{ neutral = 0.7, happy = 0.3 }}\n'
            "test_lines = { neutral = 2 }\n"
        )
    path = tmp_path / "corpus.toml"
    path.write_text("\n".join(parts))
    return path


def _rows(out: Path) -> int:
    path = out / "progress.jsonl"
    return path.read_bytes().count(b"\n") if path.exists() else 0


def command(config: Path, out: Path) -> list[str]:
    return [
        sys.executable,
        "-m",
        "distill",
        "corpus",
        "--config",
        str(config),
        "--out",
        str(out),
        "--processes",
        "1",
    ]


def test_the_corpus_is_whole_after_a_kill(config: Path, tmp_path: Path) -> None:
    out = tmp_path / "corpus"
    process = subprocess.Popen(
        command(config, out), cwd=ROOT, stderr=subprocess.DEVNULL, start_new_session=True
    )
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline and _rows(out) < 3 and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    rows = (out / "progress.jsonl").read_text("utf-8").splitlines(keepends=True)
    sounds = [out / json.loads(row)["audio"] for row in rows if row.endswith("\n")]
    done = {path: path.stat().st_mtime_ns for path in sounds}
    assert done
    subprocess.run(command(config, out), cwd=ROOT, check=True, capture_output=True, text=True, timeout=300)
    _check_corpus(out)
    assert {path: path.stat().st_mtime_ns for path in done} == done


def _check_corpus(out: Path) -> None:
    utterances = read_manifest(out)
    assert {(u.character, u.language) for u in utterances} == {("noah", "en"), ("mei", "ja")}
    assert len([u for u in utterances if u.character == "noah"]) == len(LINES)
    rows = [json.loads(row) for row in (out / "manifest.jsonl").read_text("utf-8").splitlines()]
    calm = []
    for row in rows:
        audio, rate = sf.read(out / row["audio"], dtype="float32")
        assert rate == SAMPLE_RATE
        told = load_prosody(out / row["prosody"])
        assert len(told.starts) == len(row["phonemes"]) + 1
        assert (told.starts[0], told.starts[-1]) == (0.0, pytest.approx(len(audio) / SAMPLE_RATE, abs=1e-4))
        assert (np.diff(told.starts) >= 0).all()
        marks = [symbol in ZERO_LENGTH_SYMBOLS for symbol in row["phonemes"]]
        assert not np.diff(told.starts)[marks].any()
        assert told.first_s < 0 < told.step_s
        assert quieter(audio, -50.0)[:3].all()
        if row["emotion"] == "neutral" and row["split"] == "train":
            calm.append((row["character"], audio))
    for character in ("noah", "mei"):
        assert level_dbfs([audio for name, audio in calm if name == character]) == pytest.approx(
            -26.0, abs=1.0
        )
    fox = next(row for row in rows if "fox" in row["text"])
    assert "AA1" in fox["phonemes"]
    origins = json.loads((out / "corpus.json").read_text("utf-8"))["teachers"]
    assert origins["mei"]["licence"] == "Apache-2.0"


def test_a_teacher_of_no_section_is_named(config: Path, tmp_path: Path) -> None:
    config.write_text(config.read_text().replace('teacher = "mei"', 'teacher = "moi"'))
    done = subprocess.run(
        command(config, tmp_path / "corpus"), cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "no teacher is called 'moi'" in done.stderr
