"""verify-audio: every layer of a file is read, and what cannot be read is said in one line."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from deploy.audio_check import check_audio
from deploy.cli import main
from deploy.errors import DeployError
from edge.audio import wav_bytes
from edge.labels.aigc import label, with_label
from edge.spec import SAMPLE_RATE
from edge.synthesizer import SpeechRequest, Synthesizer

TEXT = "The harbour lights were going out one by one, and nobody on the pier remembered who had lit them."


@pytest.mark.voice
def test_a_marked_and_labelled_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    synthesizer = Synthesizer.load(threads=1, marked=True)
    speech = synthesizer.synthesize(SpeechRequest(TEXT, "claire"))
    synthesizer.close()
    path = tmp_path / "line.wav"
    path.write_bytes(with_label(wav_bytes(speech.audio, SAMPLE_RATE), label("studio-9", "line-1")))
    main(["verify-audio", str(path), "--json"])
    values = json.loads(capsys.readouterr().out)
    assert values["mark"]["verdict"] == "found" and values["labels"][0]["ProduceID"] == "line-1"
    main(["verify-audio", str(path)])
    out = capsys.readouterr().out
    assert "mark: found" in out and "label: studio-9, line-1" in out


def test_a_file_without_anything(tmp_path: Path) -> None:
    noise = (np.random.default_rng(0).normal(size=64_000) * 3_000).astype(np.int16)
    (tmp_path / "noise.wav").write_bytes(wav_bytes(noise, SAMPLE_RATE))
    found = check_audio(tmp_path / "noise.wav")
    assert (found.mark.verdict, found.labels, found.credentials) == ("not found", [], "")
    assert found.lines()[1:] == ["label: none", "credentials: none found"]


def test_other_sound_files_go_through_soundfile(tmp_path: Path) -> None:
    sf = pytest.importorskip("soundfile")
    stereo = np.random.default_rng(0).normal(size=(44_100, 2)) * 0.1
    for name, subtype in (("a.flac", "PCM_24"), ("b.wav", "FLOAT")):
        sf.write(tmp_path / name, stereo, 44_100, subtype=subtype)
        assert check_audio(tmp_path / name).mark.seconds == 1.0


@pytest.mark.parametrize("content", [b"", b"RIFF\x04\0\0\0WAVE", b"text"])
def test_what_is_no_sound(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.wav").write_bytes(content)
    with pytest.raises(DeployError) as caught:
        check_audio(tmp_path / "x.wav")
    assert "\n" not in str(caught.value)
    with pytest.raises(DeployError, match="No such file"):
        check_audio(tmp_path / "gone.wav")
