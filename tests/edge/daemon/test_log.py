"""What the daemon tells of its lines on standard error."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.edge.daemon.broker import Client
from tests.edge.daemon.conftest import Rig

pytestmark = pytest.mark.broker
TINY_VOICE = Path(__file__).parents[2] / "data" / "tiny_voice"


def about(caplog: pytest.LogCaptureFixture, line: str) -> list[dict[str, object]]:
    found = [getattr(record, "fields", {}) for record in caplog.records]
    return [values for values in found if values.get("line") == line]


def test_the_end_of_each_line_is_told_with_its_fields(
    start_rig: Callable[..., Rig], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "edge.daemon.line_log")
    rig = start_rig()
    rig.say("good", "a secret")
    rig.event("good", "finished")
    rig.say("bad", "this breaks in the middle of it")
    rig.event("bad", "failed")
    rig.say("nobody", "hello", character="nobody")
    rig.response("say", "nobody")
    (good,), (bad,), (nobody,) = (about(caplog, line) for line in ("good", "bad", "nobody"))
    assert good["event"] == "finished" and good["character"] == "noah" and good["audio_ms"] == 200.0
    assert bad["event"] == "failed" and bad["code"] == "runner_error" and bad["stage"] == "synthesis"
    assert nobody["event"] == "rejected" and nobody["code"] == "unknown_character"
    assert "secret" not in caplog.text


def test_a_burst_does_not_fill_the_log(rig: Rig, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "edge.daemon.line_log")
    for number in range(300):
        rig.say(f"x{number}", character="nobody")
    rig.settle()
    time.sleep(1.0)
    rig.say("last", character="nobody")
    rig.response("say", "last")
    told = [record for record in caplog.records if record.name == "edge.daemon.line_log"]
    counts = [int(record.getMessage().split()[0]) for record in told if "more lines" in record.getMessage()]
    assert sum(counts) + len(told) - len(counts) == 301 and len(told) < 200


def test_serve_tells_json_of_daemon_and_child(broker_port: int, tmp_path: Path) -> None:
    log = tmp_path / "log"
    command = [sys.executable, "-m", "edge", "serve", "--broker", f"mqtt://127.0.0.1:{broker_port}"]
    command += ["--sink", "null", "--state-dir", str(tmp_path / "state"), "--device", "logs"]
    command += ["--bundle", str(TINY_VOICE), "--log-format", "json"]
    client = Client(broker_port, "sovits/logs/#")
    with log.open("w") as stream:
        process = subprocess.Popen(command, stderr=stream)
        try:
            client.wait(
                lambda heard: heard.topic.endswith("/availability") and heard.payload == b"online",
                timeout_s=60,
            )
            keys = {"id": "one", "character": "noah", "text": "你好"}
            client.say("sovits/logs/request/say", keys)
            client.wait_event("one", "finished")
            process.terminate()
            assert process.wait(timeout=30) == 0
        finally:
            process.kill()
            client.close()
    told = [json.loads(line) for line in log.read_text(encoding="utf-8").splitlines()]
    assert all({"time", "level", "logger", "message", "process", "thread"} <= set(values) for values in told)
    assert [values["event"] for values in told if values.get("line") == "one"] == ["finished"]
    assert len({values["process"] for values in told}) == 2, "the child measures its characters, and says so"
    assert told[-1]["time"] <= time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 1))
