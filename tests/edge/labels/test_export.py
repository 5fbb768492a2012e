"""Labels in files that no daemon writes: those of the command and of the Python interface."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from deploy.audio_check import check_audio
from edge import Voice
from edge.bundle.audit import AuditLog
from edge.bundle.bundle import workshop
from edge.errors import ConfigError
from edge.labels.aigc import read_labels
from edge.labels.export import Export
from edge.labels.policy import LabelConfig
from edge.labels.rhythm import rhythm
from edge.synthesizer import SpeechRequest, Synthesizer
from tests.edge.bundle.trust.studio import Voice as PersonalVoice
from tests.edge.cli.test_cli import failure, pcm, run, spawn
from tests.edge.labels.test_credentials import studio  # noqa: F401 - a fixture

LINE = "The doors open in five minutes."
RHYTHM = rhythm()
SAY = ("say", LINE, "--producer", "studio-9")


@pytest.fixture
def say(tmp_path: Path, tiny_voice: Path, capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    """Speak into a file, and give what the command tells of it."""

    def run_it(name: str, *more: str) -> Any:
        run("say", LINE, "-o", str(tmp_path / name), "--bundle", str(tiny_voice), "--json", *more)
        return json.loads(capsys.readouterr().out)

    return run_it


@pytest.mark.parametrize("name", ["line.wav", "line.flac", "line.ogg", "line.FLAC"])
def test_a_file_names_its_producer_once(say: Callable[..., Any], tmp_path: Path, name: str) -> None:
    if name != "line.wav":
        pytest.importorskip("soundfile")
    facts = say(name, "--producer", "studio-9")
    content = (tmp_path / name).read_bytes()
    found = read_labels(content)
    assert [one["ContentProducer"] for one in found] == ["studio-9"] and found == [facts["label"]]
    assert content.count(b"AIGC") == 1
    assert check_audio(tmp_path / name).labels == found
    again = say(name, "--producer", "studio-9")
    assert again["label"]["ProduceID"] != facts["label"]["ProduceID"]


def test_a_labelled_wav_is_whole_and_sounds_the_same(say: Callable[..., Any], tmp_path: Path) -> None:
    say("plain.wav")
    say("labelled.wav", "--producer", "studio-9")
    assert np.array_equal(pcm(tmp_path / "plain.wav"), pcm(tmp_path / "labelled.wav"))
    content = (tmp_path / "labelled.wav").read_bytes()
    assert int.from_bytes(content[4:8], "little") == len(content) - 8
    assert read_labels((tmp_path / "plain.wav").read_bytes()) == []


def test_a_flac_file_holds_the_line_to_the_bit(say: Callable[..., Any], tmp_path: Path) -> None:
    sf = pytest.importorskip("soundfile")
    say("line.wav")
    say("line.flac")
    audio, rate = sf.read(tmp_path / "line.flac", dtype="int16")
    assert rate == 32_000 and np.array_equal(audio, pcm(tmp_path / "line.wav"))


@pytest.mark.parametrize(("name", "told"), [("line.mp3", "name a .wav"), ("line.opus", "name a .wav")])
def test_a_format_that_is_not_written_is_refused_first(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], name: str, told: str
) -> None:
    assert told in failure(capsys, "say", LINE, "-o", str(tmp_path / name), "--bundle", str(tmp_path / "no"))
    assert not (tmp_path / name).exists()


def test_a_chosen_profile_is_heard_and_is_no_part_of_the_times(
    say: Callable[..., Any], tmp_path: Path
) -> None:
    plain = say("plain.wav")
    facts = say("cn.wav", "--label-profile", "cn")
    heard = pcm(tmp_path / "cn.wav")
    assert np.array_equal(heard[: len(RHYTHM)], RHYTHM)
    assert np.array_equal(heard[-len(pcm(tmp_path / "plain.wav")) :], pcm(tmp_path / "plain.wav"))
    assert facts["label_ms"] > 900 and facts["audio_ms"] == pytest.approx(
        plain["audio_ms"] + facts["label_ms"], abs=0.2
    )
    spoken_ms = facts["audio_ms"] - facts["label_ms"]
    assert facts["rtf"] == pytest.approx(facts["synthesis_ms"] / spoken_ms, rel=0.01)


def test_the_policy_of_a_device_comes_from_its_configuration(
    say: Callable[..., Any], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "sovits.toml"
    config.write_text('[label]\nprofile = "us-ca"\nproducer = "studio-9"\n')
    assert say("line.wav", "--config", str(config))["label"]["ContentProducer"] == "studio-9"
    told = failure(capsys, "say", LINE, "-o", str(tmp_path / "a.wav"), "--label-profile", "eu-artt")
    assert "label.profile" in told
    assert not (tmp_path / "a.wav").exists()


def test_nothing_stands_behind_sound_in_a_pipe(tiny_voice: Path) -> None:
    process = spawn(*SAY, "-o", "-", "--bundle", str(tiny_voice))
    content, _ = process.communicate(timeout=60)
    assert process.returncode == 0 and b"AIGC" not in content


def test_a_redirected_file_is_labelled_too(tmp_path: Path, tiny_voice: Path) -> None:
    command = (*SAY, "-o", "-", "--bundle", str(tiny_voice))
    with (tmp_path / "line.wav").open("wb") as file, spawn(*command, stdout=file) as process:
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert len(read_labels((tmp_path / "line.wav").read_bytes())) == 1
    assert len(pcm(tmp_path / "line.wav")) > 16_000


def test_a_device_without_labels_notes_who_answers_for_it(say: Callable[..., Any], tmp_path: Path) -> None:
    config = tmp_path / "sovits.toml"
    words = "rehearsal stage, no public, J. Doe"
    config.write_text(
        f'state_dir = "{tmp_path}/state"\n[label]\nproducer = "x"\n'
        f'profile = "none"\nattestation = "{words}"\n'
    )
    assert say("line.wav", "--config", str(config))["label"] == {}
    entries = AuditLog(tmp_path / "state" / "audit.jsonl").entries()
    assert [entry["attestation"] for entry in entries] == [words]


def test_an_attestation_that_cannot_be_noted_is_none(tmp_path: Path, tiny_voice: Path) -> None:
    (tmp_path / "state").write_text("in the way")
    label = {"label.profile": "none", "label.attestation": "rehearsal stage, no public, J. Doe"}
    with pytest.raises(ConfigError, match="has to be noted"):
        Voice(tiny_voice, threads=1, config={"state_dir": tmp_path / "state", **label})


def test_files_are_signed_where_a_certificate_is_named(
    say: Callable[..., Any],
    studio: Path,  # noqa: F811
    tmp_path: Path,
) -> None:
    config = tmp_path / "sovits.toml"
    config.write_text(
        f'[label]\nproducer = "studio-9"\ncertificate = "{studio}/device-chain.pem"\n'
        f'certificate_key = "{studio}/device.key"\n'
    )
    say("line.wav", "--config", str(config))
    found = check_audio(tmp_path / "line.wav", studio / "studio.pem")
    assert found.credentials == "Trusted" and len(found.labels) == 1


# --- The Python interface -----------------------------------------------------------------------------------


def test_a_program_writes_the_same_labels(tiny_voice: Path, tmp_path: Path) -> None:
    pytest.importorskip("soundfile")
    values = {"label.profile": "cn", "label.producer": "studio-9"}
    with Voice(tiny_voice, threads=1, config=values) as voice:
        first = voice.save(tmp_path / "one.wav", LINE)
        second = voice.save(tmp_path / "two.flac", LINE)
        bare = voice.say(LINE)
        with pytest.raises(ConfigError):
            voice.save(tmp_path / "three.mp3", LINE)
    assert np.array_equal(pcm(tmp_path / "one.wav"), first.audio)
    assert np.array_equal(first.audio[: len(RHYTHM)], RHYTHM)
    assert len(second.audio) == len(bare.audio), "one interaction, one label"
    for name in ("one.wav", "two.flac"):
        assert [one["ContentProducer"] for one in read_labels((tmp_path / name).read_bytes())] == ["studio-9"]


def test_marks_and_words_move_along(tiny_voice: Path, tmp_path: Path) -> None:
    text = "Nine lights, [mark:go]one door."
    with Voice(tiny_voice, threads=1, config={"label.profile": "eu-art"}) as voice:
        plain, labelled = voice.say(text), voice.save(tmp_path / "one.wav", text)
    by = len(labelled.audio) - len(plain.audio)
    assert by > len(RHYTHM)
    assert [mark.sample - by for mark in labelled.marks] == [mark.sample for mark in plain.marks]
    assert labelled.timeline.words[0].t - plain.timeline.words[0].t == pytest.approx(by / 32_000, abs=1e-3)


@pytest.fixture
def person(tmp_path: Path) -> Iterator[Synthesizer]:
    voice = Synthesizer.load(PersonalVoice(tmp_path / "noah.voice").write(), threads=1, gate=workshop)
    yield voice
    voice.close()


def test_the_voice_of_a_person_says_what_it_is(person: Synthesizer, tmp_path: Path) -> None:
    """As in the daemon: nobody has to choose a profile for that."""
    export = Export(LabelConfig(), person, tmp_path)
    line = person.prepare(SpeechRequest(LINE, "noah"))
    announced = export.announced(line)
    assert announced.label is not None
    words = [re.sub(r"\W", "", word.text).lower() for word in announced.label.timeline.words]
    assert words == ["this", "voice", "is", "generated", "by", "ai"]
    assert len(list(export.stream(line, announced))) > 1
    assert export.announced(line).label is None, "the interaction goes on"


def test_the_command_loads_nothing_of_this_before_it_is_needed() -> None:
    code = "import sys, edge.cli.main; print({'numpy', 'pydantic', 'soundfile', 'c2pa'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
