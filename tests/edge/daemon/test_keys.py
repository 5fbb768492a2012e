"""Keys of a say request that decide how its text is read and what it may do: ``markup`` and ``trust``."""

from __future__ import annotations

from typing import Any

import pytest

from edge.messages import SayRequest
from tests.edge.daemon.conftest import Rig

pytestmark = pytest.mark.broker

LOOSE = "[mark:gong]Well [laughs] now."


def test_lenient_leaves_out_what_is_no_tag_and_says_so(rig: Rig) -> None:
    rig.say("one", LOOSE)
    finished = rig.event("one", "finished")
    assert any("laughs" in warning for warning in finished["warnings"])
    assert rig.client.find(lambda heard: heard.topic == f"{rig.root}/mark/gong")


def test_strict_refuses_it_with_its_place(rig: Rig) -> None:
    rig.say("one", LOOSE, markup="strict")
    rejected = rig.event("one", "rejected")
    assert rejected["code"] == "bad_request" and "[laughs] at character 17" in rejected["message"]
    assert rig.response("say", "one")["code"] == "bad_request"
    assert rig.voice.started == []


@pytest.mark.parametrize("cached", [False, True])
def test_text_of_the_public_moves_nothing(rig: Rig, cached: bool) -> None:
    if cached:
        rig.say("zero", LOOSE)
        rig.event("zero", "finished")
    before = len(rig.client.find(lambda heard: "/mark/" in heard.topic))
    rig.say("one", LOOSE, trust="text", emotion="sad")
    finished = rig.event("one", "finished")
    assert any("marks are not obeyed" in warning for warning in finished["warnings"])
    rig.settle()
    assert len(rig.client.find(lambda heard: "/mark/" in heard.topic)) == before


@pytest.mark.parametrize(("key", "value"), [("markup", "loose"), ("trust", "everyone"), ("markup", None)])
def test_other_values_are_refused(rig: Rig, key: str, value: Any) -> None:
    rig.say("one", **{key: value})
    rejected = rig.event("one", "rejected")
    assert rejected["code"] == "bad_request" and key in rejected["message"]


def test_prepared_lines_have_these_keys_too(rig: Rig) -> None:
    items = [{"character": "noah", "text": LOOSE, "markup": "strict"}, {"character": "noah", "text": LOOSE}]
    rig.request("prepare", {"id": "p", "items": items})
    rig.client.wait(lambda heard: heard.topic.endswith("/response/prepare") and heard.json["final"])
    answers = rig.client.find(lambda heard: heard.topic.endswith("/response/prepare"))
    assert answers[-1].json["done"] == 1 and answers[-1].json["failed"][0]["index"] == 0


def test_what_is_asked_for_is_the_same_with_defaults_written_out() -> None:
    short = SayRequest.model_validate({"text": "hello"})
    assert short.content_digest() == SayRequest.model_validate(short.model_dump()).content_digest()
    assert short.content_digest() != SayRequest(text="hello", trust="text").content_digest()
