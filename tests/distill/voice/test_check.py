"""sovits-distill init and check, as commands."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from distill.cli import main
from distill.sound import resample

from ..conftest import environment
from ..teachers.api_v2_server import api_v2_server


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Give status, output and the line of an error."""
    try:
        main(list(arguments))
        status = 0
    except SystemExit as end:
        status = int(end.code or 0)
    captured = capsys.readouterr()
    return status, captured.out, captured.err


@pytest.fixture
def voice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Path:
    """A voice.toml as init writes it, in the current folder."""
    monkeypatch.chdir(tmp_path)
    status, out, _ = run(capsys, "init", "--teacher", "gpt-sovits-http", "--name", "noah")
    assert status == 0 and out == "voice.toml: edit it, then sovits-distill check --config voice.toml\n"
    path = tmp_path / "voice.toml"
    path.write_text(path.read_text("utf-8").replace("127.0.0.1:9880", "127.0.0.1:9"), "utf-8")
    return path


def write_clip(folder: Path, seconds: float) -> None:
    (folder / "ref").mkdir()
    time_s = np.arange(round(seconds * 32_000)) / 32_000
    bursts = 0.3 * np.sin(2 * np.pi * 150 * time_s) * (time_s % 0.5 < 0.35)
    soundfile.write(folder / "ref" / "neutral.wav", bursts, 32_000)
    (folder / "ref" / "neutral.txt").write_text("The house is full.")


def write_speech(folder: Path) -> None:
    """A clip that a full model could clone."""
    (folder / "ref").mkdir()
    text = "The stage is yours, and the house is full tonight. Take a seat, and wait."
    subprocess.run(["espeak-ng", text, "-v", "en-us", "-w", str(folder / "espeak.wav")], check=True)
    audio, rate = soundfile.read(folder / "espeak.wav", dtype="float32")
    soundfile.write(folder / "ref" / "neutral.wav", resample(audio, rate), 32_000, subtype="PCM_16")
    (folder / "ref" / "neutral.txt").write_text(text)


def test_a_fresh_file_lacks_its_clip(voice: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, error = run(capsys, "check")
    assert status == 2 and "3 of 4 findings are errors" in error
    assert "error: all (gpt-sovits-http): teacher; http://127.0.0.1:9: no server answers" in out
    assert "error: neutral (ref/neutral.wav): file; cannot be read" in out
    assert "warning: all (noah): consent" in out


def test_clips_are_measured(voice: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_clip(voice.parent, 2.0)
    status, out, _ = run(capsys, "check", "--json")
    findings = {one["check"]: one for one in json.loads(out)["findings"]}
    assert status == 2
    assert (findings["length"]["severity"], findings["length"]["measured"]) == ("error", 2.0)
    assert findings["noise"]["severity"] == "ok" and findings["consent"]["severity"] == "warning"


def test_the_corpus_is_refused_with_a_bad_clip(voice: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_clip(voice.parent, 2.0)
    status, _, error = run(capsys, "corpus", "--config", "voice.toml", "--out", "corpus")
    assert status == 2 and not (voice.parent / "corpus").exists()
    assert "neutral (ref/neutral.wav): length 2 s, expected 3 to 10; cut the clip" in error


VOICE_OF_ESPEAK = """
[voice]
name = "robot"
licence = "CC0-1.0"
languages = ["en", "ja"]

[teacher]
kind = "espeak-ng"
"""


@pytest.mark.espeak
def test_a_voice_that_can_be_made_is_told_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "voice.toml"
    path.write_text(VOICE_OF_ESPEAK, "utf-8")
    status, out, error = run(capsys, "check", "--config", str(path))
    assert (status, error) == (0, "")
    assert out == f"{path}: all is well; next, sovits-distill run --config {path} --out runs/robot\n"
    status, out, _ = run(capsys, "check", "--config", str(path), "--json")
    assert status == 0 and json.loads(out) == {"findings": []}


@pytest.mark.espeak
def test_a_voice_with_warnings_is_told_how_many(voice: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_speech(voice.parent)
    with api_v2_server() as (url, _):
        voice.write_text(voice.read_text("utf-8").replace("http://127.0.0.1:9", url), "utf-8")
        status, out, error = run(capsys, "check")
    n_warnings = out.count("warning: ")
    assert status == 0 and n_warnings, out + error
    assert f"voice.toml: nothing is in the way, {n_warnings} warning" in out.splitlines()[-1]


@pytest.mark.parametrize("command", ["check", "run"])
@pytest.mark.parametrize(
    ("missing", "named"),
    [
        (["onnx"], "onnx is not installed; install it with"),
        (["soundfile", "matplotlib"], "matplotlib, soundfile are not installed; install them with"),
        (["pyopenjtalk"], "pyopenjtalk is not installed"),  # for Japanese
        (["torch", "transformers"], "torch is not installed"),  # espeak-ng needs no transformers
    ],
)
def test_a_missing_library_is_told_before_anything_is_done(
    command: str, missing: list[str], named: str, tmp_path: Path
) -> None:
    path = tmp_path / "voice.toml"
    path.write_text(VOICE_OF_ESPEAK, "utf-8")
    code = f"import sys\nfor name in {missing!r}: sys.modules[name] = None\n"
    code += "from distill.cli import main\nmain(sys.argv[1:])\n"
    options = ["--config", str(path), *(["--out", str(tmp_path / "out")] if command == "run" else [])]
    done = subprocess.run(
        [sys.executable, "-c", code, command, *options],
        env=environment(), capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"sovits-distill: {named}") and done.stderr.count("\n") == 1, done.stderr
    assert "pip install 'sovits-tiny[distill]'" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_missing_script_is_found(voice: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_clip(voice.parent, 4.0)
    text = voice.read_text("utf-8").replace("[corpus]", '[corpus]\nscript = { en = "gone.txt" }')
    voice.write_text(text, "utf-8")
    _, out, _ = run(capsys, "check")
    assert "error: all (gpt-sovits-http): teacher; cannot read the script" in out


def test_init_never_overwrites(voice: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = voice.read_bytes()
    status, _, error = run(capsys, "init")
    assert status == 2 and "voice.toml is there already" in error
    assert voice.read_bytes() == before
