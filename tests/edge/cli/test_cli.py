from __future__ import annotations

import io
import json
import os
import struct
import subprocess
import sys
import wave
from pathlib import Path
from typing import Any

import click
import numpy as np
import pytest

from edge.audio import ENDLESS_SAMPLES
from edge.cli.main import main
from edge.cli.serve import read_broker, read_sink
from edge.lipsync.viseme_sets import VISEME_SETS
from edge.synthesizer import SpeechRequest, Synthesizer

ROOT = Path(__file__).parents[3]
LINE = "Nine lights, [pause:200ms]one [mark:go]door."


def run(*arguments: str, status: int = 0) -> None:
    """Run the command in this process."""
    try:
        main(arguments)
        ended = 0
    except SystemExit as exit_:
        ended = exit_.code
    assert ended == status


def spawn(*arguments: str, **options: Any) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "edge", *arguments]
    pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    return subprocess.Popen(command, cwd=ROOT, **{**pipes, **options})


def failure(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one line that a wrong command line leaves; nothing else may be printed."""
    run(*arguments, status=2)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1, captured.err
    assert captured.err.startswith("sovits-edge: ")
    return captured.err


def pcm(path: Path) -> np.ndarray:
    with wave.open(str(path), "rb") as file:
        assert (file.getnchannels(), file.getsampwidth(), file.getframerate()) == (1, 2, 32_000)
        return np.frombuffer(file.readframes(file.getnframes()), "<i2")


# ---- say


def test_say_writes_what_the_synthesizer_speaks(
    tmp_path: Path, tiny_voice: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "line.wav"
    run(
        "say",
        LINE,
        "-o",
        str(out),
        "--bundle",
        str(tiny_voice),
        "--character",
        "ava",
        "--rate",
        "1.3",
        "--json",
    )
    whole = Synthesizer.load(tiny_voice).synthesize(SpeechRequest(LINE, "ava", rate=1.3))
    facts = json.loads(capsys.readouterr().out)
    heard = pcm(out)
    assert np.abs(heard.astype(int) - whole.audio.astype(int)).max() <= 1
    assert facts["audio_ms"] == pytest.approx(len(heard) / 32, abs=0.1)
    assert 0 < facts["first_audio_ms"] <= facts["synthesis_ms"]
    assert facts["rtf"] == pytest.approx(facts["synthesis_ms"] / facts["audio_ms"], abs=1e-4)
    assert facts["marks"] == [{"name": "go", "t_ms": pytest.approx(whole.marks[0].sample / 32, abs=0.1)}]
    assert facts["character"] == "ava"


def test_say_without_a_character_takes_the_first_of_the_bundle(
    tmp_path: Path, tiny_voice: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run("say", LINE, "-o", str(tmp_path / "a.wav"), "--bundle", str(tiny_voice), "--json")
    assert json.loads(capsys.readouterr().out)["character"] == "noah"


def test_say_tells_what_it_did_otherwise_than_asked(
    tmp_path: Path, tiny_voice: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = (
        "say",
        "Go.",
        "-o",
        str(tmp_path / "a.wav"),
        "--bundle",
        str(tiny_voice),
        "--character",
        "claire",
    )
    run(*arguments, "--emotion", "sad")
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "warning: claire has no emotion 'sad'" in captured.err


@pytest.mark.parametrize("name", sorted(VISEME_SETS))
def test_say_writes_lipsync_in_every_form(tmp_path: Path, tiny_voice: Path, name: str) -> None:
    track = tmp_path / "line.json"
    voice = ("--bundle", str(tiny_voice))
    run("say", LINE, "-o", str(tmp_path / "a.wav"), *voice, "--lipsync", str(track), "--viseme-set", name)
    facts = json.loads(track.read_text(encoding="utf-8"))
    seconds = len(pcm(tmp_path / "a.wav")) / 32_000
    assert [word["text"].lower() for word in facts["words"]] == ["nine", "lights", "one", "door"]
    assert facts["phonemes"][0]["t"] == 0
    assert facts["phonemes"][-1]["t"] + facts["phonemes"][-1]["d"] == pytest.approx(seconds, abs=0.016)
    assert facts["visemes"]


def test_sound_in_a_pipe_has_a_header_without_an_end(tiny_voice: Path) -> None:
    process = spawn("say", LINE, "-o", "-", "--bundle", str(tiny_voice), "--json")
    sound, errors = process.communicate(timeout=60)
    assert process.returncode == 0, errors
    assert sound[:4] == b"RIFF"
    assert struct.unpack("<I", sound[40:44])[0] == 2 * ENDLESS_SAMPLES
    facts = json.loads(errors)  # not on standard output, where the sound is
    assert len(sound) - 44 == 2 * round(facts["audio_ms"] * 32)


def test_sound_redirected_to_a_file_has_its_true_length(tmp_path: Path, tiny_voice: Path) -> None:
    out = tmp_path / "line.wav"
    with out.open("wb") as file:
        process = spawn("say", LINE, "-o", "-", "--bundle", str(tiny_voice), stdout=file)
        _, errors = process.communicate(timeout=60)
        assert process.returncode == 0, errors
    assert 2 * len(pcm(out)) == out.stat().st_size - 44


def test_raw_sound_is_the_same_without_the_header(tmp_path: Path, tiny_voice: Path) -> None:
    arguments = ("say", LINE, "--bundle", str(tiny_voice), "-o")
    run(*arguments, str(tmp_path / "a.wav"))
    run(*arguments, str(tmp_path / "a.pcm"), "--raw")
    assert (tmp_path / "a.pcm").read_bytes() == (tmp_path / "a.wav").read_bytes()[44:]


@pytest.mark.parametrize("arguments", [(), ("-",)])
def test_text_comes_from_standard_input(
    arguments: tuple[str, ...],
    tmp_path: Path,
    tiny_voice: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"\xef\xbb\xbfNine lights.\n")))
    run("say", *arguments, "-o", str(tmp_path / "a.wav"), "--bundle", str(tiny_voice), "--json")
    assert json.loads(capsys.readouterr().out)["normalized"].lower() == "nine lights."


def test_a_reader_that_leaves_ends_the_command_quietly(tiny_voice: Path) -> None:
    process = spawn(
        "say", "Nine lights. " * 150, "-o", "-", "--raw", "--bundle", str(tiny_voice), "--threads", "1"
    )
    assert process.stdout is not None and process.stderr is not None
    process.stdout.read(64)
    process.stdout.close()
    with process.stderr:
        assert process.stderr.read() == b""
    assert process.wait(timeout=60) == 141


# ---- errors


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["say", "x", "-o", "{tmp}/a.wav", "--character", "nobody"],
            "the characters are noah, ava, claire, mei; 'nobody' is not one",
        ),
        (["say", "x", "-o", "{tmp}/a.wav", "--rate", "9"], "expected 0.5 to 2"),
        (["say", "   ", "-o", "{tmp}/a.wav"], "empty"),
        (["say", "[emotion:]", "-o", "{tmp}/a.wav", "--markup", "strict"], "emotion"),
        (["say", "x", "-o", "{tmp}/no/such/folder/a.wav"], "cannot be written: No such file or directory"),
        (["say", "x", "-o", "{tmp}"], "cannot be written: Is a directory"),
        (["say", "x", "-o", "{tmp}/a.wav", "--lipsync", "{tmp}/no/a.json"], "a.json: cannot be written"),
        (
            ["say", "x", "--raw"],
            "--raw goes with -o: name a file, or - for a pipe; see sovits-edge say --help",
        ),
        (["say", "x", "-o", "{tmp}/a.wav", "--viseme-set", "disney"], "'disney' is not one of"),
        (["sing"], "No such command 'sing'"),
        (["serve", "--config", "{tmp}/none.toml"], "none.toml: no such file"),
        (["serve", "--broker", "http://x"], "expected mqtt://HOST[:PORT]"),
        (["serve", "--sink", "wav"], "expected alsa, alsa:CARD, wav:FILE or null"),
        (["serve", "--device", "Kiosk 3"], "device"),
    ],
)
def test_an_error_is_one_line_and_status_2(
    arguments: list[str], said: str, tmp_path: Path, tiny_voice: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    voice = ["--bundle", str(tiny_voice)] if arguments[0] == "say" else []
    line = failure(capsys, *(argument.format(tmp=tmp_path) for argument in arguments), *voice)
    assert said in line


def test_a_missing_bundle_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = failure(capsys, "voices", "--bundle", str(tmp_path / "venue.voice"))
    assert "venue.voice: no such bundle" in line


def test_text_that_is_not_utf8_says_how_to_mend_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO("你好".encode("gb18030"))))
    assert "iconv" in failure(capsys, "phonemes", "-")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full on this system")
def test_a_full_disk_is_an_error_of_one_line(tiny_voice: Path, capsys: pytest.CaptureFixture[str]) -> None:
    line = failure(capsys, "say", "x", "-o", "/dev/full", "--bundle", str(tiny_voice))
    assert "/dev/full: cannot be written: No space left on device" in line


# ---- voices, phonemes, serve


def test_voices_lists_who_speaks_what(tiny_voice: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run("voices", "--bundle", str(tiny_voice))
    assert "noah" in capsys.readouterr().out
    run("voices", "--bundle", str(tiny_voice), "--json")
    facts = json.loads(capsys.readouterr().out)
    assert [character["name"] for character in facts["characters"]] == ["noah", "ava", "claire", "mei"]
    assert facts["characters"][3]["languages"] == ["ja"]


def test_phonemes_has_one_language_per_phoneme(capsys: pytest.CaptureFixture[str]) -> None:
    run("phonemes", "[emotion:sad]Hello 世界！", "--json")
    facts = json.loads(capsys.readouterr().out)
    assert set(facts) == {"normalized", "phonemes", "languages"}
    assert len(facts["phonemes"]) == len(facts["languages"])
    assert facts["phonemes"] == ["HH", "AH0", "L", "OW1", "sh", "ir4", "j", "ie4", "!"]
    assert facts["languages"] == ["en"] * 4 + ["zh"] * 5


def test_phonemes_shows_every_word(capsys: pytest.CaptureFixture[str]) -> None:
    run("phonemes", "Hello, world.")
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[1:] == [
        ["en", "HH", "AH0", "L", "OW1", "Hello"],
        ["en", ","],
        ["en", "W", "ER1", "L", "D", "world"],
        ["en", "."],
    ]


def test_broker_addresses() -> None:
    assert read_broker("mqtt://venue") == {"mqtt.host": "venue", "mqtt.port": 1883, "mqtt.username": None}
    secure = read_broker("mqtts://show@10.0.0.2")
    assert secure == {"mqtt.host": "10.0.0.2", "mqtt.port": 8883, "mqtt.username": "show", "mqtt.tls": {}}
    assert read_broker("mqtt://[::1]:1884")["mqtt.host"] == "::1"
    for wrong in ("venue", "mqtt://", "mqtt://venue:99999", "mqtt://venue/topic", "mqtt://show:secret@venue"):
        with pytest.raises(click.UsageError):
            read_broker(wrong)


def test_sinks() -> None:
    assert read_sink("null") == {"type": "null"}
    assert read_sink("wav:/tmp/a.wav") == {"type": "wav", "path": "/tmp/a.wav"}
    assert read_sink("alsa") == {"type": "alsa"}
    assert read_sink("alsa:USB") == {"type": "alsa", "device": "USB"}
    assert read_sink("alsa:3") == {"type": "alsa", "device": 3}


# ---- help and start-up


@pytest.mark.parametrize("command", ["say", "serve", "voices", "phonemes"])
def test_help_has_examples(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    run(command, "--help")
    text = capsys.readouterr().out
    assert f"  sovits-edge {command}" in text and "Examples:" in text


def test_help_loads_nothing_heavy() -> None:
    """Start-up is paid by every line that a shell script speaks."""
    code = "import sys; from edge.cli.main import main; main(['--help']); print(*sys.modules)"
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, env=environment, timeout=60
    )
    assert result.returncode == 0, result.stderr
    heavy = {"numpy", "onnxruntime", "pydantic", "paho", "soundfile", "importlib.metadata"}
    assert not heavy & set(result.stdout.split())
