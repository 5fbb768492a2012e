"""A speaking channel for each character: two speak at once, each with a queue of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from tests.edge.daemon.conftest import Rig
from tests.edge.daemon.stand_in import SAMPLES_PER_CHARACTER, level

pytestmark = pytest.mark.broker
NOAH, AVA = "a line of some length for him", "and another one that is hers"


@pytest.fixture
def stage(start_rig: Callable[..., Rig]) -> Rig:
    return start_rig(queue={"channel": "character"})


def both_sound(rig: Rig, **keys: Any) -> None:
    rig.say("noah", NOAH, **keys)
    rig.say("ava", AVA, character="ava", **keys)
    rig.event("noah", "first_audio")
    rig.event("ava", "first_audio")


def test_two_characters_are_heard_at_once_and_added_up(stage: Rig) -> None:
    both_sound(stage)
    assert stage.event("noah", "finished")["underruns"] == stage.event("ava", "finished")["underruns"] == 0
    heard, together = stage.sound(), level(NOAH) + level(AVA)
    n_together = np.count_nonzero(heard == together)
    assert n_together > 15 * SAMPLES_PER_CHARACTER
    for text in (NOAH, AVA):
        assert n_together + np.count_nonzero(heard == level(text)) == len(text) * SAMPLES_PER_CHARACTER


def test_each_has_its_own_lamp(stage: Rig) -> None:
    both_sound(stage)
    stage.settle()
    assert stage.lamp("character/noah/state")[-1] == stage.lamp("character/ava/state")[-1] == "speaking"
    stage.event("noah", "finished")
    stage.event("ava", "finished")
    stage.settle()
    assert stage.lamp("character/noah/state")[-1] == stage.lamp("character/ava/state")[-1] == "idle"


def test_one_character_is_stopped_and_the_other_goes_on(stage: Rig) -> None:
    both_sound(stage)
    stage.say("noah-2", "never heard")
    stage.event("noah-2", "accepted")
    stage.client.say(f"{stage.root}/stop/noah", "")
    assert stage.event("noah", "cancelled")["by"] == stage.event("noah-2", "cancelled")["by"] == "stop"
    assert stage.event("ava", "finished")["underruns"] == 0


def test_stop_silences_everyone(stage: Rig) -> None:
    both_sound(stage)
    stage.client.say(f"{stage.root}/stop", "")
    assert stage.event("noah", "cancelled")["by"] == stage.event("ava", "cancelled")["by"] == "stop"


@pytest.mark.parametrize(("interrupt", "ava_ends"), [("lower", "finished"), ("all", "cancelled")])
def test_what_an_interrupt_cuts_off(stage: Rig, interrupt: str, ava_ends: str) -> None:
    both_sound(stage, priority=3)
    stage.say("new", "now me", interrupt=interrupt, priority=9)
    assert stage.event("noah", "cancelled")["by"] == "interrupt"
    stage.event("ava", ava_ends)
    stage.event("new", "finished")


def test_lines_of_one_character_still_come_one_by_one(stage: Rig) -> None:
    for name in ("one", "two", "three"):
        stage.say(name, f"line {name}")
    stage.event("three", "finished")
    assert [event["id"] for event in stage.client.events() if event["event"] == "started"] == [
        "one", "two", "three",
    ]  # fmt: skip
    heard = stage.sound()
    for name in ("one", "two", "three"):
        text = f"line {name}"
        assert np.count_nonzero(heard == level(text)) == len(text) * SAMPLES_PER_CHARACTER
