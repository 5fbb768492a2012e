"""A daemon whose synthesiser is a child process: what the show sees when the child is lost."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge.config import EdgeConfig
from edge.daemon.service import MakeEngine, open_engine
from edge.engine.pair import PairEngine
from edge.engine.process import ProcessEngine
from edge.engine.thread import ThreadEngine
from tests.edge.daemon.conftest import Rig, wait_until
from tests.edge.daemon.stand_in import level
from tests.edge.engine.bench import FAULTY, HANG_S, PATIENT_HANG_S

pytestmark = pytest.mark.broker
TEXT = "a line that is long enough to be cut"


def faulty(folder: Path, **faults: Any) -> MakeEngine:
    settings = {"folder": str(folder), "faults": {TEXT: faults.pop("faults", [])}, **faults}
    hang_s = HANG_S if {"hang", "SIGSTOP"} & set(settings["faults"][TEXT]) else PATIENT_HANG_S
    return lambda _, emit: ProcessEngine(settings, emit, module=FAULTY, hang_s=hang_s)


@pytest.mark.parametrize("fault", ["SIGKILL", "SIGSTOP", "runner"])
def test_a_lost_child_is_seen_and_not_heard(
    start_rig: Callable[..., Rig], tmp_path: Path, fault: str
) -> None:
    rig = start_rig(make_engine=faulty(tmp_path, faults=[fault]))
    rig.say("a", TEXT, output=["play", "file"])
    finished = rig.event("a", "finished")
    assert rig.names("a") == ["accepted", "started", "first_audio", "finished"]
    assert finished["audio_ms"] == len(TEXT) * 25
    sounding = rig.sound()[rig.sound() != 0]
    assert (sounding == level(TEXT)).all() and len(sounding) == len(TEXT) * 25 * 32
    wait_until(lambda: rig.lamp("state")[-1] == "idle")
    told = "runner_error: the synthesiser process "
    wait_until(lambda: json.loads(rig.lamp("status")[-1])["last_error"].startswith(told))


def test_degraded_is_shown_while_there_is_no_child(start_rig: Callable[..., Rig], tmp_path: Path) -> None:
    rig = start_rig(make_engine=faulty(tmp_path, faults=["SIGSEGV"] * 2, load=["", "", "bundle"]))
    rig.say("a", TEXT, output=["file"])
    failed = rig.event("a", "failed")
    assert (failed["code"], failed["stage"], failed["retryable"]) == ("runner_error", "synthesis", True)
    rig.client.wait(lambda heard: heard.topic == f"{rig.root}/state" and heard.payload == b"degraded")
    rig.say("b", "another", output=["file"])
    ends = [
        rig.client.wait(
            lambda heard: (
                "/event/" in heard.topic
                and heard.json["id"] == "b"
                and heard.json["event"] in ("finished", "failed")
            )
        )
    ]
    assert len(ends) == 1
    wait_until(lambda: rig.lamp("state")[-1] == "idle", 30)
    rig.say("c", "and one more", output=["file"])
    rig.event("c", "finished")


def test_a_time_out_of_the_core_replaces_the_child_and_ends_nothing_else(
    start_rig: Callable[..., Rig], tmp_path: Path
) -> None:
    make = faulty(tmp_path, faults=["hang"])

    def patient(config: EdgeConfig, emit: Any) -> Any:
        engine = make(config, emit)
        engine._hang_s = 600.0  # type: ignore[attr-defined]
        return engine

    rig = start_rig(make_engine=patient, engine_timeout_s=4.0)  # which a child that is well keeps at any load
    rig.say("a", TEXT)
    assert rig.event("a", "failed")["code"] == "runner_timeout"
    rig.say("b", "another")
    rig.event("b", "finished")


def test_stop_is_obeyed_while_the_child_hangs(start_rig: Callable[..., Rig], tmp_path: Path) -> None:
    rig = start_rig(make_engine=faulty(tmp_path, faults=["hang"] * 3))
    rig.occupy("a", TEXT)
    rig.request("stop")
    rig.event("a", "cancelled")
    assert "failed" not in rig.names("a")


def test_the_configuration_chooses(tmp_path: Path) -> None:
    settings = {"state_dir": tmp_path, "sink": {"type": "null"}}
    for keys, kind in (
        ({}, PairEngine),
        ({"engine_second": False}, ProcessEngine),
        ({"threads": 1}, ProcessEngine),
        ({"runner": "tensorrt"}, ProcessEngine),
        ({"runner": "auto"}, ProcessEngine),
        ({"engine": "thread"}, ThreadEngine),
    ):
        engine = open_engine(EdgeConfig.model_validate({**settings, **keys}), lambda _: None)
        assert type(engine) is kind, keys
        engine.close()


def test_a_show_is_prepared_by_two_and_one_is_killed(start_rig: Callable[..., Rig], tmp_path: Path) -> None:
    settings = {"folder": str(tmp_path), "faults": {}, "chunk_delay_s": 0.01}
    rig = start_rig(
        make_engine=lambda _, emit: PairEngine(settings, emit, module=FAULTY, hang_s=PATIENT_HANG_S)
    )
    items = [{"character": "noah", "text": f"line {n} of a show"} for n in range(300)]
    rig.request("prepare", {"id": "show", "items": items})
    engine: Any = rig.daemon._engine
    wait_until(lambda: len(engine.pids) == 2, PATIENT_HANG_S)
    rig.say("heard", "somebody is heard meanwhile")
    rig.event("heard", "finished")
    wait_until(lambda: engine._second is not None and engine._second._lines, PATIENT_HANG_S)
    os.kill(engine.pids[1], signal.SIGKILL)
    answer = rig.client.wait(
        lambda heard: heard.topic == f"{rig.root}/response/prepare" and heard.json["final"],
        timeout_s=PATIENT_HANG_S,
    ).json
    assert (answer["done"], answer["n_failed"]) == (len(items), 0)
    assert "degraded" not in rig.lamp("state")
    for n in (0, 150, 299):
        rig.say(f"kept-{n}", f"line {n} of a show", cache="only")
        assert rig.event(f"kept-{n}", "finished")["cached"] is True
