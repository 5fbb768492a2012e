"""Files of lines over HTTP: ``finished.url`` names them, the door sends them and nothing else."""

from __future__ import annotations

import io
import wave
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

from edge.config import HttpConfig
from edge.demo.broker import free_port
from edge.protocols.file_urls import file_urls
from tests.edge.daemon.conftest import Rig
from tests.edge.daemon.stand_in import SAMPLES_PER_CHARACTER

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")
pytestmark = pytest.mark.broker


def open_rig(start_rig: Callable[..., Rig], **settings: Any) -> Rig:
    return start_rig(http={"port": free_port(), **settings})


def fetch(url: str, **headers: str) -> tuple[int, bytes]:
    try:
        with urlopen(Request(url, headers=headers), timeout=20) as answer:
            return answer.status, answer.read()
    except HTTPError as error:
        return error.code, error.read()


def test_a_file_is_fetched_where_the_event_says(start_rig: Callable[..., Rig]) -> None:
    rig = open_rig(start_rig)
    rig.say("scene4:noah.12", output=["file"])
    url = rig.event("scene4:noah.12", "finished")["url"]
    status, body = fetch(url)
    assert status == 200
    with wave.open(io.BytesIO(body)) as file:
        assert file.getnframes() == 5 * SAMPLES_PER_CHARACTER
    status, part = fetch(url, Range="bytes=0-3")
    assert (status, part) == (206, b"RIFF")


def test_nothing_else_is_sent(start_rig: Callable[..., Rig]) -> None:
    rig = open_rig(start_rig)
    rig.say("one", output=["file"])
    base = rig.event("one", "finished")["url"].removesuffix("one.wav")
    (rig.directory / "audio" / ".hidden.part").write_text("not yet")
    for name in (
        "two.wav",
        ".hidden.part",
        "..%2Fsound.wav",
        "%2E%2E/sound.wav",
        "one.wav%00",
        "a" * 70,
    ):
        assert fetch(base + name)[0] == 404, name


def test_files_need_the_token(start_rig: Callable[..., Rig], tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret\n")
    rig = open_rig(start_rig, token_file=tmp_path / "token")
    rig.say("one", output=["file"])
    url = rig.event("one", "finished")["url"]
    assert fetch(url)[0] == 401
    assert fetch(url, Authorization="Bearer secret")[0] == 200


def test_no_url_without_a_door_or_a_file(start_rig: Callable[..., Rig], rig: Rig) -> None:
    rig.say("one", output=["file"])
    assert "url" not in rig.event("one", "finished")
    other = open_rig(start_rig)
    other.say("two")
    assert "url" not in other.event("two", "finished")


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, "http://127.0.0.1:8020/v1/files/a%3Ab.wav"),
        ({"host": "::1"}, "http://[::1]:8020/v1/files/a%3Ab.wav"),
        ({"public_url": "https://kiosk3.museum"}, "https://kiosk3.museum/v1/files/a%3Ab.wav"),
    ],
)
def test_the_url_is_what_others_reach(settings: dict[str, str], expected: str) -> None:
    assert file_urls(HttpConfig.model_validate(settings))("a:b") == expected


def test_a_door_on_every_address_is_named_by_this_machine(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr("socket.gethostname", lambda: "kiosk3")
    config = HttpConfig(host="0.0.0.0", token_file=tmp_path / "token")
    assert file_urls(config)("a") == "http://kiosk3:8020/v1/files/a.wav"
