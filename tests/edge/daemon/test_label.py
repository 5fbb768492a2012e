"""Labels as a client meets them: in the status, with the sound, in files, and acknowledged by a screen."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from edge.bundle.audit import AuditLog
from edge.labels.aigc import read_labels
from tests.edge.daemon.broker import wait_until
from tests.edge.daemon.conftest import Rig

pytestmark = pytest.mark.broker


def shown(rig: Rig, name: str) -> bool:
    rig.request("status", {"id": name})
    return bool(rig.response("status", name)["label"]["shown"])


def test_the_status_says_what_a_screen_has_to_show(start_rig: Callable[..., Rig]) -> None:
    rig = start_rig(label={"profile": "cn"})
    rig.request("status", {"id": "s"})
    label = rig.response("status", "s")["label"]
    assert label["profile"] == "cn" and label["texts"]["zh"] == "AI生成" and not label["shown"]
    rig.say("one", output=["audio"])
    meta = rig.client.wait(lambda heard: heard.topic == f"{rig.root}/audio/one/meta").json
    assert meta["label"]["ai_generated"] and meta["label"]["profile"] == "cn"


def test_a_screen_says_that_it_shows_it_and_an_old_word_does_not_count(
    start_rig: Callable[..., Rig],
) -> None:
    rig = start_rig()
    rig.client.say(f"{rig.root}/label/shown", "", retain=True)
    rig.client.say(f"{rig.root}/label/shown", "screen-1", retain=True)
    rig.settle()
    assert not shown(rig, "before")
    rig.client.say(f"{rig.root}/label/shown", "screen-1")
    rig.settle()
    assert shown(rig, "after")


def test_files_carry_the_label_of_a_producer_that_is_known(start_rig: Callable[..., Rig]) -> None:
    rig = start_rig(label={"profile": "cn", "producer": "0011STUDIO"})
    rig.say("one", output=["file"])
    path = Path(rig.event("one", "finished")["path"])
    assert [label["ContentProducer"] for label in read_labels(path.read_bytes())] == ["0011STUDIO"]


def test_a_device_without_labels_says_who_answers_for_it(start_rig: Callable[..., Rig]) -> None:
    rig = start_rig(label={"profile": "none", "attestation": "rehearsal stage, no public, J. Doe"})
    log = AuditLog(rig.directory / "audit.jsonl")
    wait_until(lambda: [entry for entry in log.entries() if entry["event"] == "label_none"])
    rig.say("one", output=["file"])
    assert read_labels(Path(rig.event("one", "finished")["path"]).read_bytes()) == []
