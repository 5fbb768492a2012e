"""A GPT-SoVITS server as teacher, against a real HTTP server that has the quirks of the original."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from distill.config import checked
from distill.corpus.render import make_corpus
from distill.gate import GateConfig
from distill.teachers import LineRejectedError, LineRequest, TeacherError
from distill.teachers.gpt_sovits_http import HttpTeacher
from distill.teachers.http_sound import NotSoundError, decode
from distill.teachers.settings import HttpSettings
from distill.voice.config import load_voice_config
from edge.text import FrontEnd, Reading

from .api_v2_server import NOTHING_TO_SAY, RATE, State, api_v2_server, hum, wav_header


@pytest.fixture
def server() -> Iterator[tuple[str, State]]:
    with api_v2_server() as address_and_state:
        yield address_and_state


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a clip for two emotions."""
    (tmp_path / "ref").mkdir()
    for name, text in (("neutral", "The house is full."), ("sad", "誰もいない。")):
        soundfile.write(tmp_path / "ref" / f"{name}.wav", hum("x" * 34, 0, 1.0), RATE, subtype="PCM_16")
        (tmp_path / "ref" / f"{name}.txt").write_text(f"{text}\n", "utf-8")
    return tmp_path


def teacher(folder: Path, url: str, **changes: Any) -> HttpTeacher:
    values = {
        "kind": "gpt-sovits-http", "url": url, "backoff_s": 0.01, "retries": 3,
        "emotions": {"neutral": "ref/neutral.wav", "sad": "ref/sad.wav"},
    }  # fmt: skip
    return HttpTeacher(checked(HttpSettings, {**values, **changes}, "test", folder))


def line(text: str = "Hello there, 42 of you.", emotion: str = "neutral", seed: int = 3) -> LineRequest:
    reading = Reading("Hello there, forty two of you." if text[0] == "H" else text, (), (), (), ())
    return LineRequest(text, reading, "en", "noah", emotion, seed=seed)


# --- What is asked for --------------------------------------------------------------------------------------


def test_every_parameter_of_the_api_is_sent(folder: Path, server: tuple[str, State]) -> None:
    url, state = server
    sampling = {"top_k": 5, "top_p": 0.9, "temperature": 0.8, "repetition_penalty": 1.2}
    with teacher(folder, url, sampling=sampling, speed=1.1, cut="cut0", sample_steps=8) as speaker:
        speaker.synthesize(replace(line(), rate=0.9))
    assert state.requests == [
        {
            "text": "Hello there, forty two of you.", "text_lang": "en",
            "ref_audio_path": str(folder / "ref" / "neutral.wav"), "aux_ref_audio_paths": [],
            "prompt_text": "The house is full.", "prompt_lang": "en",
            "top_k": 5, "top_p": 0.9, "temperature": 0.8, "repetition_penalty": 1.2,
            "text_split_method": "cut0", "batch_size": 1, "batch_threshold": 0.75, "split_bucket": True,
            "speed_factor": pytest.approx(0.99), "fragment_interval": 0.3, "seed": 3, "media_type": "wav",
            "streaming_mode": 0, "parallel_infer": True, "sample_steps": 8, "super_sampling": False,
            "overlap_length": 2, "min_chunk_length": 16,
        }
    ]  # fmt: skip


def test_an_emotion_is_its_clip_in_the_language_of_the_clip(folder: Path, server: tuple[str, State]) -> None:
    url, state = server
    with teacher(folder, url) as speaker:
        speaker.synthesize(line(emotion="sad"))
        with pytest.raises(TeacherError, match=r"no reference clip is 'angry'.* has neutral, sad"):
            speaker.synthesize(line(emotion="angry"))
    (request,) = state.requests
    assert Path(request["ref_audio_path"]).name == "sad.wav"
    assert (request["prompt_text"], request["prompt_lang"]) == ("誰もいない。", "ja")


@pytest.mark.parametrize(
    ("server_folder", "sent"),
    [("/data/noah/", "/data/noah/ref/neutral.wav"), ("D:\\voices", "D:\\voices\\ref\\neutral.wav")],
)
def test_clips_are_named_as_the_server_finds_them(folder: Path, server_folder: str, sent: str) -> None:
    with teacher(folder, "http://127.0.0.1:9", server_folder=server_folder) as speaker:
        assert speaker._request(line())["ref_audio_path"] == sent


def test_the_delivery_changes_with_whatever_decides_the_sound(folder: Path) -> None:
    def delivery(emotion: str = "neutral", url: str = "http://127.0.0.1:9", **changes: Any) -> str:
        with teacher(folder, url, **changes) as speaker:
            return speaker.delivery(line(emotion=emotion))

    before = delivery()
    assert delivery(url="http://elsewhere:9", timeout_s=5.0) == before
    assert len({before, delivery(speed=1.1), delivery(sampling={"top_k": 1}), delivery("sad")}) == 4
    (folder / "ref" / "neutral.txt").write_text("The house is empty.")
    changed = delivery()
    soundfile.write(folder / "ref" / "neutral.wav", hum("x" * 30, 9, 1.0), RATE)
    assert len({before, changed, delivery()}) == 3


# --- What comes back ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("streaming_mode", [0, 1, 3])
@pytest.mark.parametrize("media_type", ["wav", "raw"])
def test_the_sound_is_all_of_what_was_said(
    folder: Path, server: tuple[str, State], media_type: str, streaming_mode: int
) -> None:
    with teacher(folder, server[0], media_type=media_type, streaming_mode=streaming_mode) as speaker:
        spoken = speaker.synthesize(line())
    expected = hum("Hello there, forty two of you.", 3, 1.0) / np.float32(32768)
    assert spoken.sample_rate == RATE and spoken.audio.dtype == np.float32
    np.testing.assert_array_equal(spoken.audio[: len(expected)], expected)
    assert len(spoken.audio) - len(expected) == 9600  # the silence after the only piece


def test_ogg_is_read_too(folder: Path, server: tuple[str, State]) -> None:
    with teacher(folder, server[0], media_type="ogg") as speaker:
        spoken = speaker.synthesize(line())
    expected = hum("Hello there, forty two of you.", 3, 1.0) / np.float32(32768)
    assert spoken.sample_rate == RATE
    assert np.corrcoef(spoken.audio[: len(expected)], expected)[0, 1] > 0.99


def test_a_stream_header_may_also_claim_more_than_there_is() -> None:
    audio = hum("some words", 0, 1.0)
    for claimed in (0, 2 * len(audio) + 99, 0xFFFFFFFF - 36):
        decoded, rate = decode(wav_header(claimed, 48_000) + audio.tobytes(), "wav", 0)
        assert rate == 48_000 and len(decoded) == len(audio)


@pytest.mark.parametrize("body", [b"", b"<html>", wav_header(0, RATE)[:36], b"RIFF\0\0\0\0WAVEfmt "])
def test_what_is_no_sound_is_an_error(body: bytes) -> None:
    with pytest.raises(NotSoundError):
        decode(body, "wav", 0)
    with pytest.raises(NotSoundError):
        decode(body, "ogg", 0)


@pytest.mark.parametrize("media_type", ["wav", "raw", "ogg"])
def test_a_second_of_zeros_is_a_failure(folder: Path, server: tuple[str, State], media_type: str) -> None:
    with teacher(folder, server[0], media_type=media_type) as speaker:
        with pytest.raises(LineRejectedError, match="server failed") as rejection:
            speaker.synthesize(line(NOTHING_TO_SAY))
        server[1].failures.append("inside")
        with pytest.raises(LineRejectedError):
            speaker.synthesize(line())
        assert speaker.synthesize(line()).audio.any()
    assert rejection.value.reason == "failed"


def test_a_stream_that_breaks_off_is_a_failure(folder: Path, server: tuple[str, State]) -> None:
    server[1].failures.append("in stream")
    with teacher(folder, server[0], streaming_mode=1) as speaker:
        with pytest.raises(LineRejectedError, match=r"broke off: 0\.8 s of zeros"):
            speaker.synthesize(line())
        assert speaker.synthesize(line()).audio.any()


# --- When things go wrong -----------------------------------------------------------------------------------


def test_a_refusal_says_what_the_server_said_and_is_not_repeated(
    folder: Path, server: tuple[str, State]
) -> None:
    soundfile.write(folder / "ref" / "neutral.wav", hum("x" * 9, 0, 1.0), RATE)
    with teacher(folder, server[0]) as speaker, pytest.raises(TeacherError, match="outside the 3-10 s range"):
        speaker.synthesize(line())
    assert len(server[1].requests) == 1


def test_another_service_at_that_address_is_named(folder: Path, server: tuple[str, State]) -> None:
    with (
        teacher(folder, f"{server[0]}/other") as speaker,
        pytest.raises(TeacherError, match=r"answered 404.*api_v2"),
    ):
        speaker.synthesize(line())


@pytest.mark.parametrize("failure", ["500", "close"])
def test_a_failure_is_tried_again(folder: Path, server: tuple[str, State], failure: str) -> None:
    server[1].failures.extend([failure] * 3)
    with teacher(folder, server[0]) as speaker:
        assert speaker.synthesize(line()).audio.any()
    assert len(server[1].requests) == 4


def test_waits_grow_and_end(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    waits: list[float] = []
    monkeypatch.setattr("distill.teachers.http_client.time.sleep", waits.append)
    with (
        teacher(folder, "http://127.0.0.1:9", retries=9, backoff_s=1.0) as speaker,
        pytest.raises(TeacherError, match=r"127\.0\.0\.1:9: /tts failed .*in 10 tries; start it with"),
    ):
        speaker.synthesize(line())
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60, 60]


def test_a_rehearsal_tells_whether_there_is_a_server(folder: Path, server: tuple[str, State]) -> None:
    with teacher(folder, server[0]) as speaker:
        speaker.rehearse()
    with (
        teacher(folder, "http://127.0.0.1:9") as speaker,
        pytest.raises(TeacherError, match="no server answers"),
    ):
        speaker.rehearse()


def test_a_server_that_is_too_slow_is_told(folder: Path, server: tuple[str, State]) -> None:
    server[1].seconds = 0.5
    with (
        teacher(folder, server[0], timeout_s=0.1, retries=0) as speaker,
        pytest.raises(TeacherError, match="no answer to /tts in time"),
    ):
        speaker.synthesize(line())


def test_a_slow_server_of_one_test_is_over_before_the_next(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with api_v2_server() as (url, state):
        state.seconds = 0.5
        with teacher(folder, url, timeout_s=0.1, retries=0) as speaker, pytest.raises(TeacherError):
            speaker.synthesize(line())
    assert not [thread.name for thread in threading.enumerate() if "process_request" in thread.name]
    assert capfd.readouterr().err == ""


def test_requests_of_several_workers_follow_one_another(folder: Path, server: tuple[str, State]) -> None:
    server[1].seconds = 0.02

    def speak(seed: int) -> bool:
        with teacher(folder, server[0]) as speaker:
            return bool(speaker.synthesize(line(seed=seed)).audio.any())

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(speak, range(16)))
    assert len(server[1].requests) == 16 and server[1].most_at_once == 1


# --- Weights ------------------------------------------------------------------------------------------------


def test_weights_are_loaded_first_and_again_after_a_failure(folder: Path, server: tuple[str, State]) -> None:
    url, state = server
    weights = {"gpt_weights": "GPT_weights/noah-e15.ckpt", "sovits_weights": "SoVITS_weights/noah_e8.pth"}
    both = list(weights.values())
    with teacher(folder, url, **weights) as first, teacher(folder, url, **weights) as second:
        first.synthesize(line())
        first.synthesize(line())
        assert state.loaded == both
        second.synthesize(line())
        assert state.loaded == both * 2  # another process cannot know what the server was told before it came
        state.failures.append("close")  # it may have been started again, with other weights
        first.synthesize(line())
        assert state.loaded == both * 3
        second.synthesize(line())
        assert state.loaded == both * 3
        assert first.origin().version == "noah-e15.ckpt, noah_e8.pth"


def test_missing_weights_are_an_error(folder: Path, server: tuple[str, State]) -> None:
    with (
        teacher(folder, server[0], gpt_weights="missing.ckpt") as speaker,
        pytest.raises(TeacherError, match="set_gpt_weights refuses: change weight failed: no such file"),
    ):
        speaker.synthesize(line())
    assert not server[1].requests


# --- A corpus through it ------------------------------------------------------------------------------------


def test_a_corpus_goes_on_where_the_server_left_it(
    folder: Path, server: tuple[str, State], front_end: FrontEnd
) -> None:
    url, state = server
    script = "\n".join(f"This is line number {n}." for n in ("one", "two", "three", "four", "five", "six"))
    (folder / "lines.txt").write_text(script, "utf-8")
    (folder / "voice.toml").write_text(
        f"""
[voice]
name = "noah"
licence = "test"
languages = ["en"]
[teacher]
kind = "gpt-sovits-http"
url = "{url}"
retries = 0
emotions = {{ neutral = "ref/neutral.wav" }}
[corpus]
script = {{ en = ["lines.txt"] }}
rate_test_lines = 0
""",
        "utf-8",
    )
    voice = load_voice_config(folder / "voice.toml")
    arguments: Any = (voice.corpus_config(), folder / "corpus")
    keywords: Any = {"processes": 1, "gate": GateConfig(enabled=False), "make": voice.make}
    state.failures = [""] * 7 + ["500"]  # levels first, then lines
    with pytest.raises(TeacherError, match="answered 500"):
        make_corpus(*arguments, **keywords)
    done = len((folder / "corpus" / "progress.jsonl").read_text("utf-8").splitlines())
    before = len(state.requests)
    summary = make_corpus(*arguments, **keywords)
    assert done > 0 and sum(summary["lines"].values()) == 6
    assert len(state.requests) - before == 6 - done
    rows = [json.loads(row) for row in (folder / "corpus" / "manifest.jsonl").read_text("utf-8").splitlines()]
    assert {row["split"] for row in rows} == {"train", "valid", "test"}
