from __future__ import annotations

import json
import re
from pathlib import Path
from typing import get_args

import pytest

from edge.errors import EdgeError, RequestError
from edge.messages import RETRYABLE_CODES, Accepted, Code, SayRequest
from edge.protocols.payload import validate
from edge.topics import Address, Topics, is_name

TOPICS = Topics("venue/sovits", "kiosk3")
CODES = set(get_args(Code))


@pytest.mark.parametrize(
    ("tail", "address"),
    [
        ("say/noah", Address("say", "noah")),
        ("say/UPPER", Address("say", "UPPER")),
        ("line/scene4", Address("line", "scene4")),
        ("stop", Address("stop", "")),
        ("stop/noah", Address("stop", "noah")),
        ("request/say", Address("request", "say")),
        ("health", Address("health", "")),
        ("say/", Address("say", "")),
        ("say", Address("say", "")),
        ("say/noah/x", Address("say", "noah/x")),
        ("sayings/noah", None),
        ("event/noah", None),
        ("state", None),
        ("health/x", None),
        ("", None),
    ],
)
def test_topics_are_taken_apart(tail: str, address: Address | None) -> None:
    assert TOPICS.read(f"venue/sovits/kiosk3/{tail}") == address


def test_topics_of_others_are_not_ours() -> None:
    assert TOPICS.read("venue/sovits/kiosk33/say/noah") is None
    assert TOPICS.read("venue/sovits/kiosk3") is None
    assert TOPICS.own("event/noah") == "venue/sovits/kiosk3/event/noah"


def test_the_daemon_never_subscribes_to_everything() -> None:
    assert f"{TOPICS.root}/#" not in TOPICS.subscriptions()
    assert not any(topic.startswith(f"{TOPICS.root}/event") for topic in TOPICS.subscriptions())
    assert len(TOPICS.subscriptions()) == 7


@pytest.mark.parametrize(
    ("name", "good"), [("noah", True), ("a_b-9", True), ("x" * 64, True), ("x" * 65, False)]
)
def test_names(name: str, good: bool) -> None:
    assert is_name(name) is good


@pytest.mark.parametrize("name", ["", "Noah", "a b", "a/b", "+", "#", "..", "诺亚", "a\n"])
def test_bad_names(name: str) -> None:
    assert not is_name(name)


def test_the_example_of_the_contract_is_understood_whole() -> None:
    example = {
        "id": "scene4-noah-12", "character": "noah", "text": "[emotion:sad]我本可以拯救所有人。",
        "language": "auto", "emotion": "sad", "emotion_strength": 1.0, "rate": 1.0, "pitch": 0, "volume": 1.0,
        "priority": 5, "interrupt": "none", "deadline_ms": 3000, "not_before_ms": 0,
        "output": ["play", "lipsync"], "audio": {"format": "pcm16", "chunk_bytes": 16384},
        "visemes": "oculus", "reply_to": "unity/kiosk3/replies", "cache": "use",
        "markup": "lenient", "trust": "show",
    }  # fmt: skip
    request, warnings = validate(SayRequest, example)
    assert warnings == []
    assert json.loads(request.model_dump_json(exclude={"line"})) == example
    assert set(example) | {"line"} == set(SayRequest.model_fields)


@pytest.mark.parametrize(
    ("key", "low", "high", "outside"),
    [
        ("emotion_strength", 0, 1.5, (-0.1, 1.6)),
        ("rate", 0.5, 2.0, (0.4, 2.1)),
        ("pitch", -12, 12, (-12.5, 13)),
        ("volume", 0, 2, (-1, 2.5)),
        ("priority", 0, 9, (-1, 10)),
        ("deadline_ms", 1, 3_600_000, (0, 3_600_001)),
        ("not_before_ms", 0, 3_600_000, (-1, 3_600_001)),
    ],
)
def test_ranges(key: str, low: float, high: float, outside: tuple[float, float]) -> None:
    for value in (low, high):
        assert getattr(validate(SayRequest, {key: value})[0], key) == value
    for value in (*outside, str(low), True, None if key != "deadline_ms" else "x", [low]):
        with pytest.raises(RequestError):
            validate(SayRequest, {key: value})


def test_whole_numbers_may_be_written_as_floats_but_not_as_text() -> None:
    assert validate(SayRequest, {"priority": 7.0})[0].priority == 7
    for value in (7.5, "7", True):
        with pytest.raises(RequestError):
            validate(SayRequest, {"priority": value})


def test_the_digest_tells_repetitions_from_conflicts() -> None:
    def digest(**keys: object) -> str:
        return validate(SayRequest, {"text": "x", **keys})[0].content_digest()

    assert digest(id="a", reply_to="b") == digest(id="c") == digest(rate=1, priority=5)
    assert (
        len({digest(), digest(text="y"), digest(rate=1.1), digest(output=["file"]), digest(deadline_ms=5)})
        == 5
    )


def test_events_leave_out_what_they_do_not_have() -> None:
    event = Accepted(
        id="a", seq=0, event_id="b-1", boot_id="b", character="noah", t_mono_ms=1, position=0, cached=False
    )
    assert set(json.loads(event.to_json())) == {
        "id", "event", "seq", "event_id", "boot_id", "character", "t_mono_ms", "position", "cached",
    }  # fmt: skip


def test_retryable_codes_are_codes() -> None:
    assert RETRYABLE_CODES < CODES


def test_every_error_class_has_a_code_of_the_contract() -> None:
    classes = [EdgeError, *EdgeError.__subclasses__()]
    assert {cls.code for cls in classes} <= CODES


def test_the_guide_names_every_code_and_every_key() -> None:
    guide = Path("docs/mqtt-protocol.md").read_text(encoding="utf-8")
    words = set(re.findall(r"`([a-z0-9_]+)`", guide))
    assert words >= CODES
    assert set(SayRequest.model_fields) <= words
