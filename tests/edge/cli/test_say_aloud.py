"""`say` without -o: on the sound card, or else in a file with a name; never in silence."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.cli.output import free_path
from edge.errors import SinkError
from edge.synthesizer import SpeechRequest, Synthesizer

from .test_cli import LINE, ROOT, failure, pcm, run


class PortAudioError(Exception):
    """As sounddevice has it."""


class Card:
    """Stands for the sounddevice module and its one stream."""

    def __init__(self) -> None:
        self.heard = bytearray()
        self.calls: list[str] = []
        self.options: dict[str, Any] = {}
        self.no_card = self.no_stream = self.unplugged = False

    def query_devices(self, kind: str) -> dict[str, str]:
        if self.no_card:
            raise PortAudioError("Error querying device -1")
        return {"name": f"HDA Analog ({kind})"}

    def RawOutputStream(self, **options: Any) -> Card:
        if self.no_stream:
            raise PortAudioError("Invalid sample rate [PaErrorCode -9997]")
        self.options = options
        return self

    def start(self) -> None:
        self.calls.append("start")

    def write(self, pcm: bytes) -> None:
        if self.unplugged and len(self.heard) > 8000:
            raise PortAudioError("Unanticipated host error [PaErrorCode -9999]")
        self.heard += pcm

    def stop(self) -> None:
        self.calls.append("stop")

    def abort(self) -> None:
        self.calls.append("abort")

    def close(self) -> None:
        self.calls.append("close")


@pytest.fixture
def card(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Card:
    monkeypatch.chdir(tmp_path)
    card = Card()
    monkeypatch.setattr("edge.cli.speaker.load_backend", lambda: card)
    return card


@pytest.fixture
def voice(tiny_voice: Path) -> list[str]:
    return ["--bundle", str(tiny_voice)]


def test_a_line_is_played_to_its_end(
    card: Card, voice: list[str], tiny_voice: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    run("say", LINE, *voice, "--json")
    captured = capsys.readouterr()
    assert captured.err == "sovits-edge: playing on HDA Analog (output)\n"
    assert card.options["samplerate"] == 32_000 and card.options["channels"] == 1
    assert card.options["dtype"] == "int16" and card.calls == ["start", "stop", "close"]
    heard = np.frombuffer(bytes(card.heard), "<i2")
    whole = Synthesizer.load(tiny_voice).synthesize(SpeechRequest(LINE, "noah"))
    assert np.abs(heard.astype(int) - whole.audio.astype(int)).max() <= 1
    facts = json.loads(captured.out)
    assert facts["audio_ms"] == pytest.approx(len(heard) / 32, abs=0.1) and facts["first_audio_ms"] > 0
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("lacking", "reason"), [("no_card", "Error querying device -1"), ("no_stream", "Invalid sample rate")]
)
def test_without_a_card_there_is_a_file(
    lacking: str,
    reason: str,
    card: Card,
    voice: list[str],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
) -> None:
    setattr(card, lacking, True)
    run("say", LINE, *voice)
    run("say", LINE, *voice)
    told = capsys.readouterr().err.splitlines()
    assert told[0].startswith(f"sovits-edge: cannot play: {reason}")
    assert told[1] == "sovits-edge: writing nine-lights-one-door.wav instead"
    assert told[3] == "sovits-edge: writing nine-lights-one-door-2.wav instead"
    assert len(pcm(tmp_path / "nine-lights-one-door.wav")) == len(
        pcm(tmp_path / "nine-lights-one-door-2.wav")
    )


def test_without_the_extra_the_file_comes_with_the_remedy(
    voice: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    run("say", "你好，世界。", *voice)
    assert "pip install 'sovits-tiny[audio]'" in capsys.readouterr().err
    assert len(pcm(tmp_path / "你好-世界.wav")) > 0


def test_a_card_that_is_unplugged_is_an_error(
    card: Card, voice: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    card.unplugged = True
    run("say", LINE, *voice, status=2)
    told = capsys.readouterr().err.splitlines()
    assert "HDA Analog (output) stopped playing: Unanticipated host error" in told[-1]
    assert "-o FILE" in told[-1] and card.calls == ["start", "close"]


def test_an_interrupted_line_falls_silent(
    card: Card, voice: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    stream = Synthesizer.stream

    def interrupted(self: Synthesizer, line: Any) -> Any:
        for chunk in stream(self, line):
            yield chunk
            raise KeyboardInterrupt

    monkeypatch.setattr(Synthesizer, "stream", interrupted)
    run("say", LINE, *voice, status=130)
    assert "stop" not in card.calls and card.calls[-1] == "close"


def test_no_place_at_all_is_an_error_of_one_line(
    card: Card, voice: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    card.no_card = True
    monkeypatch.setattr("edge.cli.output.free_path", lambda text: Path("/proc/none/x.wav"))
    run("say", LINE, *voice, status=2)
    assert "/proc/none/x.wav: cannot be written" in capsys.readouterr().err.splitlines()[-1]


def test_bare_sound_needs_a_place(voice: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert "--raw goes with -o" in failure(capsys, "say", "x", "--raw", *voice)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Mind the gap.", "mind-the-gap.wav"),
        ("../../etc/passwd", "etc-passwd.wav"),
        ("--help", "help.wav"),
        ("…！？", "line.wav"),
        ("x" * 2000, "x" * 12 + ".wav"),
        ("你终究还是选择了怀疑我本可以拯救所有人", "你终究还是选择了怀疑我本.wav"),
        (
            "one two three four five six seven eight nine ten eleven",
            "one-two-three-four-five-six-seven-eight-nine-ten.wav",
        ),
    ],
)
def test_a_file_is_named_after_what_is_said(
    text: str, name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    path = free_path(text)
    assert str(path) == name and len(os.fsencode(name)) < 64
    path.touch()
    assert str(free_path(text)) == name.replace(".wav", "-2.wav")


def _has_portaudio() -> bool:
    if find_spec("sounddevice") is None:
        return False
    try:
        import sounddevice  # noqa: F401
    except OSError:
        return False
    return Path("/usr/share/alsa/alsa.conf").exists()


@pytest.mark.skipif(not _has_portaudio(), reason="no PortAudio: apt-get install libportaudio2, extra audio")
def test_a_line_goes_through_portaudio(tmp_path: Path, tiny_voice: Path) -> None:
    heard, settings = tmp_path / "heard.raw", tmp_path / "asound.conf"
    settings.write_text(
        "</usr/share/alsa/alsa.conf>\n"
        f'pcm.!default {{ type file; slave.pcm "null"; file "{heard}"; format "raw"; hint.show on }}\n'
    )
    done = subprocess.run(
        [sys.executable, "-m", "edge", "say", LINE, "--bundle", str(tiny_voice)],
        cwd=tmp_path, env={**os.environ, "PYTHONPATH": str(ROOT), "ALSA_CONFIG_PATH": str(settings)},
        capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0 and "playing on default" in done.stderr, done.stderr
    whole = Synthesizer.load(tiny_voice).synthesize(SpeechRequest(LINE, "noah")).audio
    played = heard.read_bytes()
    assert len(played) >= whole.nbytes
    loud = np.frombuffer(played[: len(played) // 2 * 2], "<i2").astype(int)
    assert np.abs(loud).max() == pytest.approx(np.abs(whole.astype(int)).max(), abs=2)


def test_the_speaker_waits_for_its_thread(card: Card) -> None:
    from edge.cli.speaker import open_speaker

    card.unplugged = True
    with open_speaker(32_000) as speaker:
        speaker.write(b"\0" * 50_000)
        with pytest.raises(SinkError, match="stopped playing"):
            speaker.finish()
