"""Hundreds of random requests, cuts and stops at random moments: every request ends exactly once."""

from __future__ import annotations

import random
import time
from collections import defaultdict
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from edge.messages import TERMINAL_EVENTS
from edge.playback.sink import NullSink
from tests.edge.daemon.broker import wait_until
from tests.edge.daemon.conftest import Rig
from tests.edge.daemon.stand_in import level

pytestmark = pytest.mark.broker
N_STEPS = 400
OUTPUTS = (["play"], ["play"], ["play", "lipsync"], ["audio"], ["play", "audio", "file"], ["file", "lipsync"])


def random_line(chance: random.Random, number: int) -> dict[str, Any]:
    return {
        "id": f"race-{number}",
        "character": chance.choice(["noah", "ava"]),
        "text": f"{number} " + "x" * chance.randrange(12) + chance.choice(["", "", "", " breaks"]),
        "priority": chance.randrange(10),
        "interrupt": chance.choice(["none", "none", "lower", "character", "all"]),
        "output": chance.choice(OUTPUTS),
        "cache": chance.choice(["use", "bypass"]),
        "not_before_ms": chance.choice([0, 0, 30]),
        "deadline_ms": chance.choice([50, 5000]),
    }


def storm(rig: Rig, chance: random.Random) -> set[str]:
    sent = set()
    for number in range(N_STEPS):
        action = chance.random()
        if action < 0.7:
            line = random_line(chance, number)
            sent.add(line["id"])
            for _ in range(chance.choice([1, 1, 1, 2])):
                rig.request("say", line)
        elif action < 0.9 and sent:
            rig.request("cancel", {"id": chance.choice(sorted(sent))})
        else:
            rig.client.say(f"{rig.root}/stop" + chance.choice(["", "/noah", "/ava"]), "")
        time.sleep(chance.choice([0, 0, 0, 0.002, 0.01, 0.03]))
    return sent


@pytest.mark.parametrize("seed", [1, 2])
def test_every_request_ends_exactly_once(start_rig: Callable[..., Rig], seed: int) -> None:
    rig = start_rig(queue={"max_lines": 8}, sink=NullSink(10))
    rig.voice.chunk_delay_s = 0.001
    sent = storm(rig, random.Random(seed))

    def stories() -> dict[str, list[dict[str, Any]]]:
        found: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for event in rig.client.events():
            if not event.get("duplicate"):
                found[event["id"]].append(event)
        return found

    def over() -> bool:
        told = stories()
        return all(told[name] and told[name][-1]["event"] in TERMINAL_EVENTS | {"rejected"} for name in sent)

    wait_until(over, what="an end for every request", every_s=0.3)
    rig.settle()
    for name, story in stories().items():
        steps = [event["event"] for event in story if event["event"] != "rejected"]
        assert sum(step in TERMINAL_EVENTS for step in steps) == (1 if steps else 0), (name, steps)
        assert steps == sorted(steps, key=["accepted", "started", "first_audio", *TERMINAL_EVENTS].index)
        if steps:
            assert [event["seq"] for event in story if event["event"] != "rejected"] == list(
                range(len(steps))
            )
    assert (
        rig.error is None and rig.daemon._core.state.lines == {} and rig.daemon._core.state.active.lines == []
    )
    rig.say("afterwards", "all is well")
    rig.event("afterwards", "finished")
    assert rig.lamp("state")[-1] in ("speaking", "idle")


def test_interrupting_lines_never_sound_at_the_same_time(rig: Rig) -> None:
    chance = random.Random(3)
    texts = [f"{number} and so on" for number in range(25)]
    for number, text in enumerate(texts):
        rig.say(f"cut-{number}", text, interrupt="all")
        if number % 3:  # however busy the machine is, two of three are heard before they are cut
            rig.event(f"cut-{number}", "first_audio")
        time.sleep(chance.uniform(0.02, 0.12))
    rig.event("cut-24", "finished")
    levels = [level(text) for text in texts]
    heard = rig.sound()
    level_parts = heard[:-1][
        np.diff(heard) == 0
    ]  # a fade passes through other lines' levels, without staying
    steady = [int(value) for value in level_parts if int(value) in levels]
    order = [steady[0]] + [after for before, after in pairwise(steady) if before != after]
    assert order == [value for value in levels if value in order]
    assert len(order) >= 15 and order[-1] == levels[-1]
