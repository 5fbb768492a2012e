"""Stop in the middle of a burst of requests, with the broker as shipped and as Debian installs it.

While a line is heard, eight publishers send 10,000 requests as fast as the broker takes them; at a moment of
chance stop is pressed. Counted is the time from just before it is published to the last sample that is not
silence, the fade of 20 ms included. A request for the status, sent behind the stop on the way of all others,
tells when the burst had been dealt with: by so much the stop overtook it. The next burst begins when the
daemon is at rest again.
"""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import tempfile
import time
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

from .harness import Measure, summarize
from .lines import chinese
from .mqtt import BENCH, CHARACTER, Bench, running

BURST = 10_000
PUBLISHERS = 8
OTHER = "ava"
"""Whose lines the burst brings: their events do not keep the stopwatch busy."""
BROKERS = {"shipped": None, "debian": ("persistence true",)}
LATEST_S = 0.6  # of the stop, from the beginning of the burst
ASK_AGAIN_S = 1.0  # a broker with Debian's limits loses what it cannot queue
BURST_LIMIT_S = 180.0  # of dealing with a burst, on a machine that is busy with other things
THREADS = 2
LONG = 80  # characters of the line that is stopped


def measure(broker: str, rounds: int) -> list[Measure]:
    """Stop to silence in bursts, and how long each burst took the daemon.

    Args:
        broker: one of ``BROKERS``.
        rounds: bursts, with a stop each.
    """
    settings = BROKERS[broker]
    with tempfile.TemporaryDirectory(prefix="sovits-burst-") as folder:
        place = None if settings is None else (*settings, f"persistence_location {folder}/")
        with running(THREADS, None, broker_settings=place) as (bench, _, _):
            taken = [_round(bench, Path(folder), number) for number in range(rounds)]
    variant = {"broker": broker, "requests": BURST}
    return [
        summarize("stop_in_burst", "ms", variant, [stop_ms for stop_ms, _ in taken]),
        summarize("burst_dealt_with", "ms", variant, [burst_ms for _, burst_ms in taken]),
    ]


def _round(bench: Bench, folder: Path, number: int) -> tuple[float, float]:
    """One burst with one stop; gives ms from stop to silence, and from stop until the burst is dealt with."""
    choose = random.Random(number)
    request_id = f"long-{number}"
    request = {"id": request_id, "character": CHARACTER, "text": chinese(LONG, choose)}
    bench.caller.publish("request/say", request)
    bench.caller.wait(lambda _, facts: facts.get("id") == request_id and facts.get("event") == "first_audio")
    publishers = [_publisher(bench.port, _lines(folder, number, part)) for part in range(PUBLISHERS)]
    time.sleep(choose.random() * LATEST_S)
    stopped_ns = bench.caller.publish("stop", "")
    bench.caller.wait(lambda _, facts: facts.get("id") == request_id and facts.get("event") == "cancelled")
    silent_ns = bench.probe.stretch()["silent_ns"]
    for publisher in publishers:
        publisher.wait(BURST_LIMIT_S)
    _status(bench, number)
    dealt_with_ns = time.monotonic_ns()
    _empty(bench, number)
    bench.probe.rest(BURST_LIMIT_S)
    return (silent_ns - stopped_ns) / 1e6, (dealt_with_ns - stopped_ns) / 1e6


def _lines(folder: Path, number: int, part: int) -> Path:
    path = folder / f"burst-{part}"
    keys = {"character": OTHER, "text": "Good evening.", "output": ["lipsync"]}
    requests = (
        json.dumps({"id": f"burst-{number}-{part}-{line}", **keys}) for line in range(BURST // PUBLISHERS)
    )
    path.write_text("".join(f"{request}\n" for request in requests), encoding="utf-8")
    return path


def _publisher(port: int, lines: Path) -> subprocess.Popen[bytes]:
    program = shutil.which("mosquitto_pub")
    if program is None:
        raise RuntimeError("bursts need mosquitto_pub: apt-get install mosquitto-clients")
    command = [program, "-p", str(port), "-t", f"{BENCH}/request/say", "-q", "1", "-l"]
    with lines.open("rb") as file:
        return subprocess.Popen(command, stdin=file)


_asked = count()


def _empty(bench: Bench, number: int) -> None:
    """Stop what is left of a burst until nothing waits: a broker may let requests go long after the others.

    Raises:
        TimeoutError: lines wait again and again.
    """
    deadline = time.monotonic() + BURST_LIMIT_S
    while time.monotonic() < deadline:
        bench.caller.publish("stop", "")
        status = _status(bench, number)
        if not status["queue"] and not status["active"]:
            return
    raise TimeoutError(f"lines of a burst still wait after {BURST_LIMIT_S:g} s")


def _status(bench: Bench, number: int) -> dict[str, Any]:
    """Wait until a request for the status has come through behind everything else; gives its answer.

    Raises:
        TimeoutError: none is answered.
    """
    ids: list[str] = []
    deadline = time.monotonic() + BURST_LIMIT_S
    while time.monotonic() < deadline:
        ids.append(f"status-{number}-{next(_asked)}")
        bench.caller.publish("request/status", {"id": ids[-1]})
        with suppress(TimeoutError):
            return bench.caller.wait(
                lambda _, facts: facts.get("id") in ids and "queue" in facts, ASK_AGAIN_S
            )
    raise TimeoutError(f"the daemon has not dealt with {BURST} requests within {BURST_LIMIT_S:g} s")
