"""Soak: a daemon that speaks, prepares, is stopped and reloaded for as long as asked; what becomes of it.

``python -m benchmarks.soak --minutes 60 --keep`` keeps the figures in benchmarks/results/soak/: slope of the
resident memory, file descriptors, threads, latency at the beginning and at the end, how every line ended.

Memory that grows because caches fill is no leak. The caches of this daemon are small, so that they are full
within minutes; the slope is that of the last two thirds, of samples with as many processes as most have:
during a reload two voices are loaded. It comes with its standard error; less than twice that tells nothing.
"""

from __future__ import annotations

import argparse
import itertools
import json
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import paho.mqtt.client as paho
import psutil
from paho.mqtt.enums import CallbackAPIVersion

from edge.demo.broker import local_broker
from edge.protocols.mqtt import send_at_once

from . import machine
from .harness import percentile, write_result
from .lines import chinese, english, japanese

RESULTS = Path(__file__).parent / "results" / "soak"
ROOT_TOPIC = "sovits/soak"
TERMINAL = frozenset({"finished", "failed", "cancelled", "expired"})
SAMPLE_S = 10.0
RELOAD_S = 30.0
LINE_TIMEOUT_S = 60.0
N_KNOWN_LINES = 40  # lines that come again: from the cache
CACHES = {"max_mb": 8, "disk_mb": 32, "ids": 2_000}
WARM_UP_SHARE = 1 / 3
STOP_SHARE, KNOWN_SHARE, PLAYED_SHARE = 0.15, 0.3, 0.1


@dataclass(frozen=True)
class Sample:
    """The daemon at one moment; its children are counted in."""

    t_s: float
    resident_mib: float
    daemon_mib: float
    """The daemon's own process alone, which no reload replaces."""
    processes: int
    cache_mb: float
    """Lines in memory, as the daemon told last."""
    descriptors: int
    threads: int


@dataclass
class Ledger:
    """What was asked, what was heard of it, and when."""

    ends: dict[str, list[str]] = field(default_factory=dict)
    accepted: set[str] = field(default_factory=set)
    latency_ms: list[tuple[float, float]] = field(default_factory=list)
    """Seconds since the start, ms from arrival to first sample; lines from the cache left out."""
    answers: Counter[str] = field(default_factory=Counter)
    """Answers to what is no line, by operation and code."""

    def faults(self) -> list[str]:
        """Accepted lines that did not end exactly once."""
        return [name for name in self.accepted if len(self.ends.get(name, [])) != 1]


class Show:
    """A client that speaks with the daemon and keeps the ledger."""

    def __init__(self, port: int) -> None:
        self.ledger = Ledger()
        self.online = threading.Event()
        self.cache_mb = 0.0
        self._started = time.monotonic()
        self._ended = threading.Condition()
        self._cached: set[str] = set()
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.on_socket_open = send_at_once
        self._client.on_message = self._on_message
        self._client.connect("127.0.0.1", port)
        topics = ("event/+", "response/+", "availability", "health")
        self._client.subscribe([(f"{ROOT_TOPIC}/{tail}", 1) for tail in topics])
        self._client.loop_start()

    def publish(self, tail: str, payload: Any) -> None:
        """Send JSON."""
        self._client.publish(f"{ROOT_TOPIC}/{tail}", json.dumps(payload, ensure_ascii=False), qos=1)

    def wait_end(self, request_id: str) -> None:
        """Wait until a line has ended.

        Raises:
            RuntimeError: it did not.
        """
        with self._ended:
            if not self._ended.wait_for(lambda: request_id in self.ledger.ends, LINE_TIMEOUT_S):
                raise RuntimeError(f"{request_id} did not end within {LINE_TIMEOUT_S:g} s")

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()

    def _on_message(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        kind = message.topic[len(ROOT_TOPIC) + 1 :].partition("/")[0]
        if kind == "availability":
            (self.online.set if message.payload == b"online" else self.online.clear)()
            return
        facts = json.loads(message.payload)
        if kind == "health":
            self.cache_mb = facts["cache_mb"]
            return
        if kind == "response":
            if facts["op"] != "say":
                self.ledger.answers[f"{facts['op']} {facts['code']}"] += 1
            return
        with self._ended:
            self._note(facts)
            self._ended.notify_all()

    def _note(self, event: dict[str, Any]) -> None:
        name, request_id = event["event"], event["id"]
        if name == "accepted":
            self.ledger.accepted.add(request_id)
            if event["cached"]:
                self._cached.add(request_id)
        elif name == "first_audio" and request_id not in self._cached:
            self.ledger.latency_ms.append((time.monotonic() - self._started, event["latency_ms"]))
        elif name in TERMINAL or name == "rejected":
            self.ledger.ends.setdefault(request_id, []).append(name)


@contextmanager
def daemon(port: int, state_dir: Path) -> Iterator[psutil.Process]:
    """Run the daemon as a process of its own."""
    config = state_dir / "edge.toml"
    config.write_text(
        f"[cache]\nmax_mb = {CACHES['max_mb']}\ndisk_mb = {CACHES['disk_mb']}\n"
        f"[queue]\nremembered_ids = {CACHES['ids']}\n",
        encoding="utf-8",
    )
    command = [sys.executable, "-m", "edge", "serve", "--broker", f"mqtt://127.0.0.1:{port}", "-q"]
    command += ["--config", str(config), "--device", "soak", "--sink", "null", "--state-dir", str(state_dir)]
    process = subprocess.Popen(command, cwd=machine.ROOT)
    try:
        yield psutil.Process(process.pid)
    finally:
        process.terminate()
        process.wait(30)


def measure(process: psutil.Process, t_s: float, cache_mb: float) -> Sample:
    """Look at the daemon and its children."""
    family = [process, *process.children(recursive=True)]
    resident = [one.memory_info().rss / 2**20 for one in family]
    return Sample(
        round(t_s, 1),
        round(sum(resident), 2),
        round(resident[0], 2),
        len(family),
        cache_mb,
        sum(one.num_fds() for one in family),
        sum(one.num_threads() for one in family),
    )


def speak(show: Show, number: int, choose: random.Random, known: list[str]) -> None:
    """Say one line, stop some of them, and wait for its end."""
    text = choose.choice(known) if choose.random() < KNOWN_SHARE else _new_line(choose)
    is_played = choose.random() < PLAYED_SHARE
    output = ["play", "lipsync"] if is_played else [choose.choice(("audio", "lipsync", "file"))]
    request_id = f"soak-{number}"
    show.publish(
        "request/say",
        {"id": request_id, "character": choose.choice(("noah", "ava")), "text": text, "output": output},
    )
    if choose.random() < STOP_SHARE:
        time.sleep(choose.random() * 0.05)
        show.publish("stop", "")
    show.wait_end(request_id)


def _new_line(choose: random.Random) -> str:
    language = choose.choice(("zh", "en", "ja"))
    if language == "zh":
        return chinese(choose.randint(5, 30), choose)
    return english(choose) if language == "en" else japanese(choose)


def soak(minutes: float, seed: int = 7) -> dict[str, Any]:
    """Run; gives the result."""
    choose = random.Random(seed)
    known = [chinese(12, choose) for _ in range(N_KNOWN_LINES)]
    samples: list[Sample] = []
    with local_broker() as broker, tempfile.TemporaryDirectory(prefix="sovits-soak-") as state_dir:
        show = Show(broker.port)
        with daemon(broker.port, Path(state_dir)) as process:
            show.online.wait(120)
            started = time.monotonic()
            next_sample = next_reload = 0.0
            for number in itertools.count():
                t_s = time.monotonic() - started
                if t_s >= next_sample:
                    samples.append(measure(process, t_s, show.cache_mb))
                    next_sample = t_s + SAMPLE_S
                    _show(samples[-1], minutes, show.ledger)
                if t_s >= next_reload:
                    show.publish("request/reload", {"id": f"reload-{number}"})
                    items = [{"character": "noah", "text": text} for text in known[:5]]
                    show.publish("request/prepare", {"id": f"prepare-{number}", "items": items})
                    next_reload = t_s + RELOAD_S
                if t_s > minutes * 60:
                    break
                speak(show, number, choose, known)
            samples.append(measure(process, time.monotonic() - started, show.cache_mb))
        show.close()
    return summarize(samples, show.ledger)


def settled(samples: Sequence[Sample]) -> list[Sample]:
    """Samples after the warm-up that have as many processes as most of them."""
    late = [sample for sample in samples if sample.t_s >= samples[-1].t_s * WARM_UP_SHARE]
    usual = Counter(sample.processes for sample in late).most_common(1)[0][0]
    return [sample for sample in late if sample.processes == usual]


def slope(samples: Sequence[Sample], of: Callable[[Sample], float]) -> dict[str, float]:
    """MiB an hour of a straight line through samples, and its standard error; nothing for fewer than four."""
    if len(samples) < 4:
        return {}
    hours = [sample.t_s / 3600 for sample in samples]
    line, covariance = np.polyfit(hours, [of(sample) for sample in samples], 1, cov=True)
    return {"per_hour": round(float(line[0]), 2), "error": round(float(np.sqrt(covariance[0, 0])), 2)}


def summarize(samples: list[Sample], ledger: Ledger) -> dict[str, Any]:
    """Reduce a run to the figures that tell whether it could go on for ever."""
    end_s, steady = samples[-1].t_s, settled(samples)
    quarters = {
        name: [ms for t_s, ms in ledger.latency_ms if low * end_s <= t_s < high * end_s]
        for name, low, high in (("first_quarter", 0.0, 0.25), ("last_quarter", 0.75, 1.01))
    }
    return {
        "minutes": round(end_s / 60, 1),
        "lines": dict(Counter(end for ends in ledger.ends.values() for end in ends)),
        "ended_not_exactly_once": len(ledger.faults()),
        "answers": dict(ledger.answers),
        "resident_mib": {
            "after_first_minute": next(s.resident_mib for s in samples if s.t_s >= 60 or s is samples[-1]),
            "end": samples[-1].resident_mib,
            "highest": max(sample.resident_mib for sample in samples),
            "slope": slope(steady, lambda sample: sample.resident_mib),
            "slope_of_the_daemon": slope(steady, lambda sample: sample.daemon_mib),
            "samples_of_the_slope": len(steady),
            "cache_full_after_s": next(
                (sample.t_s for sample in samples if sample.cache_mb > 0.9 * CACHES["max_mb"]), None
            ),
        },
        "descriptors": {"first": steady[0].descriptors, "last": steady[-1].descriptors},
        "threads": {"first": steady[0].threads, "last": steady[-1].threads},
        "first_audio_ms": {
            name: {"n": len(taken), "p50": percentile(taken, 50), "p99": percentile(taken, 99)}
            for name, taken in quarters.items()
            if taken
        },
        "samples": [asdict(sample) for sample in samples],
    }


def _show(sample: Sample, minutes: float, ledger: Ledger) -> None:
    told = f"{sample.t_s / 60:5.1f} of {minutes:g} min: {sample.resident_mib:.1f} MiB, {sample.descriptors} "
    print(f"{told}descriptors, {len(ledger.ends)} lines ended", flush=True)


def main() -> None:
    """Run as a command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0, help="how long (%(default)g)")
    parser.add_argument("--device", default=machine.device_name(), help="name of the result (%(default)s)")
    parser.add_argument("--keep", action="store_true", help="write the result file")
    options = parser.parse_args()
    facts = machine.describe()
    started = datetime.now(timezone.utc)
    result = {
        "device": options.device,
        "date": started.isoformat(timespec="seconds"),
        "machine": facts,
        **soak(options.minutes),
    }
    if options.keep:
        write_result(RESULTS / f"{options.device}.json", result)
    print(json.dumps({key: value for key, value in result.items() if key != "samples"}, indent=1))


if __name__ == "__main__":
    main()
