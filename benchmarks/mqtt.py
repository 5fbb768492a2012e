"""First sound and silence as a show sees them: publish to PCM, through mosquitto and the whole daemon."""

from __future__ import annotations

import json
import queue
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from edge.demo.broker import LocalBroker, local_broker
from edge.protocols.mqtt import send_at_once

from .harness import Measure, interleave, summarize
from .lines import chinese, english, japanese
from .machine import ROOT, processor_s

BENCH = "sovits/bench"
N_CACHED_LINES = 16
HOLD_S = 0.06  # a line sounds this long before it is stopped: the next one need not wait for its end
REST_S = 0.02
REST_CHECK_S, REST_SHARE = 0.5, 0.05  # of the processor's time
TIMEOUT_S = 30.0
CHARACTER = "noah"
HEARD = (f"event/{CHARACTER}", "response/prepare", "response/status", "availability")


class Caller:
    """Publishes requests and hears the answers. MQTT 3.1.1, as most show tools."""

    def __init__(self, port: int) -> None:
        self._heard: queue.Queue[tuple[str, dict[str, Any]]] = queue.Queue()
        self._client = paho.Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv311)
        self._client.on_message = self._on_message
        subscribed = threading.Event()
        self._client.on_subscribe = lambda *_: subscribed.set()
        self._client.on_socket_open = send_at_once
        self._client.connect("127.0.0.1", port)
        self._client.loop_start()
        self._client.subscribe([(f"{BENCH}/{tail}", 1) for tail in HEARD])
        subscribed.wait(TIMEOUT_S)

    def publish(self, tail: str, payload: Any) -> int:
        """Send JSON; gives the monotonic time in ns just before."""
        data = json.dumps(payload, ensure_ascii=False)
        now_ns = time.monotonic_ns()
        self._client.publish(f"{BENCH}/{tail}", data, qos=1)
        return now_ns

    def wait(
        self, wanted: Callable[[str, dict[str, Any]], bool], timeout_s: float = TIMEOUT_S
    ) -> dict[str, Any]:
        """Take messages until one is wanted.

        Raises:
            TimeoutError: none came.
            RuntimeError: the daemon refused.
        """
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                topic, facts = self._heard.get(timeout=max(deadline - time.monotonic(), 0.0))
            except queue.Empty as error:
                raise TimeoutError(f"no answer from the daemon within {timeout_s:g} s") from error
            if facts.get("event") in ("rejected", "failed"):
                raise RuntimeError(f"the daemon refused a line: {facts}")
            if wanted(topic, facts):
                return facts

    def close(self) -> None:
        """Leave."""
        self._client.disconnect()
        self._client.loop_stop()

    def _on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        if message.topic.endswith("/availability"):
            self._heard.put(("availability", {"state": message.payload.decode()}))
        elif message.payload:
            self._heard.put((message.topic[len(BENCH) + 1 :], json.loads(message.payload)))


class Probe:
    """The daemon under test with a stopwatch in its sink."""

    def __init__(
        self,
        broker: LocalBroker,
        state_dir: Path,
        threads: int,
        bundle: Path | None,
        engine: str,
        journal: str,
        settings: Mapping[str, object],
    ) -> None:
        more = json.dumps(dict(settings))
        arguments = (broker.port, state_dir, threads, engine, bundle or "", journal, more)
        self._process = subprocess.Popen(
            [sys.executable, "-m", "benchmarks.probe", *map(str, arguments)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stdin=subprocess.DEVNULL,
            text=True,
        )
        self._told: queue.Queue[str] = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._told.put(line)
        self._told.put("")

    def stretch(self) -> dict[str, int]:
        """Wait for the end of a stretch of sound; gives its times in ns.

        Raises:
            RuntimeError: the daemon has ended, or its sink tells nothing.
        """
        try:
            line = self._told.get(timeout=TIMEOUT_S)
        except queue.Empty as error:
            raise RuntimeError(f"no stretch of sound has ended within {TIMEOUT_S:g} s") from error
        if not line:
            raise RuntimeError("the daemon under test has ended; its message is above")
        return {name: int(value) for name, value in json.loads(line).items()}

    def engine_pid(self) -> int:
        """Return the process of the synthesiser: the child that has loaded a voice."""
        return max(self._pids()[1:], key=lambda pid: _memory_mib(pid, "VmRSS"))

    def memory_mib(self, field: str) -> float:
        """``VmRSS`` (now) or ``VmHWM`` (highest) of daemon and children; what they share counts each time."""
        return sum(_memory_mib(pid, field) for pid in self._pids())

    def rest(self, limit_s: float) -> None:
        """Wait until the daemon itself hardly needs the processor any more.

        Raises:
            TimeoutError: it goes on and on.
        """
        deadline = time.monotonic() + limit_s
        while time.monotonic() < deadline:
            before = processor_s(self._process.pid)
            time.sleep(REST_CHECK_S)
            if processor_s(self._process.pid) - before < REST_SHARE * REST_CHECK_S:
                return
        raise TimeoutError(f"the daemon is not at rest within {limit_s:g} s")

    def _pids(self) -> list[int]:
        pid = self._process.pid
        tasks = Path(f"/proc/{pid}/task").iterdir()
        children = [(task / "children").read_text(encoding="ascii").split() for task in tasks]
        return [pid, *(int(child) for found in children for child in found)]

    def close(self) -> None:
        """End the process."""
        self._process.terminate()
        self._process.wait(TIMEOUT_S)
        self._reader.join(TIMEOUT_S)
        if self._process.stdout is not None:
            self._process.stdout.close()


def _memory_mib(pid: int, field: str) -> float:
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    return next(float(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith(field + ":"))


class Bench:
    """A broker, a daemon and a caller; each ``sample`` is one line from publish to silence."""

    def __init__(self, caller: Caller, probe: Probe, port: int) -> None:
        self.caller = caller
        self.probe = probe
        self.port = port
        self._n = 0
        self.stop_ms: list[float] = []

    def sample(self, text: str, cache: str) -> float:
        """Say a line, stop it after ``HOLD_S``; gives ms from publish to its first block at the sink."""
        self._n += 1
        request_id = f"bench-{self._n}"
        request = {"id": request_id, "character": CHARACTER, "text": text, "cache": cache}
        published_ns = self.caller.publish("request/say", request)
        self.caller.wait(lambda _, facts: _is(facts, request_id, "first_audio"))
        time.sleep(HOLD_S)
        stopped_ns = self.caller.publish("stop", "")
        ended = self.caller.wait(lambda _, facts: _is(facts, request_id, "cancelled", "finished"))
        times = self.probe.stretch()
        if ended["event"] == "cancelled":
            self.stop_ms.append((times["silent_ns"] - stopped_ns) / 1e6)
        time.sleep(REST_S)
        return (times["first_ns"] - published_ns) / 1e6

    def prepare(self, texts: list[str]) -> None:
        """Have lines put into the cache."""
        items = [{"character": CHARACTER, "text": text} for text in texts]
        self.caller.publish("request/prepare", {"id": f"prepare-{self._n}", "items": items})
        self.caller.wait(lambda topic, facts: topic == "response/prepare" and bool(facts.get("final")))


def _is(facts: dict[str, Any], request_id: str, *events: str) -> bool:
    return facts.get("id") == request_id and facts.get("event") in events


@contextmanager
def running(
    threads: int,
    bundle: Path | None,
    engine: str = "process",
    journal: str = "disk",
    *,
    settings: Mapping[str, object] = MappingProxyType({}),
    broker_settings: Sequence[str] | None = None,
) -> Iterator[tuple[Bench, Probe, float]]:
    """A bench with its daemon, and the ms that it took from process start to ``online``.

    Args:
        threads: of the synthesiser.
        bundle: None for the built-in voice.
        engine: of the configuration.
        journal: ``disk`` or ``memory``.
        settings: of the daemon, by dotted key.
        broker_settings: of mosquitto; those that are shipped if absent.

    Raises:
        RuntimeError: mosquitto is not installed: no other broker gives figures worth stating.
    """
    with (
        local_broker(broker_settings) as broker,
        tempfile.TemporaryDirectory(prefix="sovits-bench-") as state_dir,
    ):
        if broker.name != "mosquitto":
            raise RuntimeError("latency is only measured with mosquitto: apt-get install mosquitto")
        caller = Caller(broker.port)
        started = time.monotonic()
        probe = Probe(broker, Path(state_dir), threads, bundle, engine, journal, settings)
        try:
            caller.wait(lambda topic, facts: topic == "availability" and facts["state"] == "online")
            yield Bench(caller, probe, broker.port), probe, (time.monotonic() - started) * 1000
        finally:
            caller.close()
            probe.close()


def measure(
    repeats: int, n_starts: int, threads: int, bundle: Path | None, progress: Callable[[int, int], None]
) -> list[Measure]:
    """First sound, silence after stop, start to ready, memory."""
    with running(threads, bundle) as (bench, probe, ready_ms):
        start_ms = [ready_ms]
        ready_mib = probe.memory_mib("VmRSS")
        variants = list(_variants(bench))
        taken = interleave(variants, repeats, warm_up=3, progress=progress)
        measures = [summarize("first_sound", "ms", variant, samples) for variant, samples in taken]
        measures.append(summarize("stop_to_silence", "ms", {}, bench.stop_ms))
        measures.append(summarize("memory", "MiB", {"when": "ready"}, [ready_mib]))
        measures.append(summarize("memory", "MiB", {"when": "highest"}, [probe.memory_mib("VmHWM")]))
    for _ in range(n_starts - 1):
        with running(threads, bundle) as (_, _, ready_ms):
            start_ms.append(ready_ms)
    measures.append(summarize("start_to_ready", "ms", {}, start_ms))
    return measures


def _variants(bench: Bench) -> Iterator[tuple[dict[str, Any], Callable[[], float]]]:
    choose = random.Random(20_240_229)
    for n_characters in (5, 20, 80):
        prepared = [chinese(n_characters, choose) for _ in range(N_CACHED_LINES)]
        bench.prepare(prepared)
        variant = {"language": "zh", "characters": n_characters}
        yield {**variant, "cached": False}, partial(_new, bench, partial(chinese, n_characters, choose))
        yield {**variant, "cached": True}, partial(_cached, bench, prepared, choose)
    for language, make in (("en", english), ("ja", japanese)):
        variant = {"language": language, "characters": 20, "cached": False}
        yield variant, partial(_new, bench, partial(make, choose))


def _new(bench: Bench, make: Callable[[], str]) -> float:
    return bench.sample(make(), "bypass")


def _cached(bench: Bench, lines: list[str], choose: random.Random) -> float:
    return bench.sample(choose.choice(lines), "only")
