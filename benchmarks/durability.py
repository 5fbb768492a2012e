"""What it costs that nothing accepted is lost: ``python -m benchmarks.durability``.

Four daemons side by side take turns, as shipped, with the journal in memory, on a disk that takes 10 ms for
a commit, and without a child process: first sound and stop to silence. Then prepared lines read from disk;
the journal alone: requests made durable in a second, and one after the other; a daemon that is killed: from
the start of its successor until it takes requests again; and stops in the middle of a burst. Seven minutes on
an idle machine, most of them for the daemon to deal with the bursts.
"""

from __future__ import annotations

import argparse
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime, timezone
from functools import partial
from pathlib import Path

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion

from edge.daemon.journal.base import Entry
from edge.daemon.journal.disk import DiskJournal
from edge.demo.broker import local_broker
from edge.errors import EdgeError

from . import burst, machine
from .harness import Measure, interleave, summarize, write_result
from .lines import chinese
from .mqtt import N_CACHED_LINES, Bench, running

RESULTS = Path(__file__).parent / "results" / "durability"
SETUPS = (
    {"engine": "process", "journal": "disk"},
    {"engine": "process", "journal": "memory"},
    {"engine": "process", "journal": "slow disk"},
    {"engine": "thread", "journal": "disk"},
)
N_CHARACTERS = 20
THREADS = 2
LINES, ROUNDS, STOPS = 100, 5, 16  # samples of each kind
BURST = 10_000
SINGLE = 200
START_LIMIT_S = 120.0
SETTLE_S = 1.0  # what was prepared is on disk by then


def first_sound(repeats: int) -> list[Measure]:
    """First sound of new lines, and stop to silence: as shipped, with no disk, a slow disk, no child."""
    choose = random.Random(20_240_229)
    with ExitStack() as stack:
        benches = [
            (setup, stack.enter_context(running(THREADS, None, setup["engine"], setup["journal"]))[0])
            for setup in SETUPS
        ]
        variants = [(setup, partial(_say, bench, choose)) for setup, bench in benches]
        taken = interleave(variants, repeats, warm_up=3)
        measures = [summarize("first_sound_setup", "ms", setup, samples) for setup, samples in taken]
        for setup, bench in benches:
            measures.append(summarize("stop_to_silence_setup", "ms", setup, bench.stop_ms))
    return measures


def from_disk(repeats: int) -> Measure:
    """First sound of prepared lines that are in no memory."""
    choose = random.Random(20_240_229)
    with running(THREADS, None, settings={"cache.max_mb": 0}) as (bench, _, _):
        lines = [chinese(N_CHARACTERS, choose) for _ in range(N_CACHED_LINES)]
        bench.prepare(lines)
        time.sleep(SETTLE_S)
        samples = [bench.sample(choose.choice(lines), "only") for _ in range(repeats)]
    return summarize("first_sound_from_disk", "ms", {"characters": N_CHARACTERS}, samples)


def _say(bench: Bench, choose: random.Random) -> float:
    return bench.sample(chinese(N_CHARACTERS, choose), "bypass")


def commits(rounds: int) -> list[Measure]:
    """Requests made durable: a burst at once, and one after the other."""
    per_second, single_ms = [], []
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="sovits-bench-") as folder:
            journal = DiskJournal(Path(folder), BURST)
            journal.recover()
            started = time.monotonic()
            _accept(journal, "burst", BURST)
            per_second.append(BURST / (time.monotonic() - started))
            for number in range(SINGLE):
                started = time.monotonic()
                _accept(journal, f"single-{number}", 1)
                single_ms.append((time.monotonic() - started) * 1000)
            journal.close()
    variant = {"requests": BURST}
    return [
        summarize("durable_requests_per_second", "1/s", variant, per_second),
        summarize("durable_request", "ms", {"requests": 1}, single_ms),
    ]


def _accept(journal: DiskJournal, name: str, n: int) -> None:
    """Accept requests and wait until all are on disk."""
    left = threading.Semaphore(0)

    def failed(error: EdgeError) -> None:
        raise error

    for number in range(n):
        entry = Entry(f"{name}-{number}", "0" * 64, '{"text": "Good evening, and welcome."}')
        journal.accept(entry, left.release, failed)
    for _ in range(n):
        left.acquire()


def recovery(rounds: int) -> Measure:
    """From the start of a daemon whose predecessor was killed until it takes requests."""
    taken = []
    with local_broker() as broker, tempfile.TemporaryDirectory(prefix="sovits-bench-") as folder:
        online = threading.Event()
        client = paho.Client(CallbackAPIVersion.VERSION2)

        def heard(_client: paho.Client, _data: object, message: paho.MQTTMessage) -> None:
            if message.payload == b"online" and not message.retain:
                online.set()

        client.on_message = heard
        client.connect("127.0.0.1", broker.port)
        client.subscribe("sovits/bench/availability", 1)
        client.loop_start()
        command = [sys.executable, "-m", "edge", "serve", "--broker", f"mqtt://127.0.0.1:{broker.port}"]
        command += ["--device", "bench", "--sink", "null", "--state-dir", folder, "-q"]
        for number in range(rounds + 1):
            online.clear()
            started = time.monotonic()
            process = subprocess.Popen(command, cwd=machine.ROOT)
            if not online.wait(START_LIMIT_S):
                raise RuntimeError(f"the daemon was not ready within {START_LIMIT_S:g} s")
            if number:  # the first one has nothing to recover
                taken.append((time.monotonic() - started) * 1000)
            for line in range(20):
                request = f'{{"id": "r{number}-{line}", "character": "noah", "text": "Good evening."}}'
                client.publish("sovits/bench/request/say", request, 1).wait_for_publish(10)
            process.send_signal(signal.SIGKILL)
            process.wait()
        client.disconnect()
        client.loop_stop()
    return summarize("start_after_sigkill", "ms", {"open_lines": 20}, taken)


def measure(
    repeats: int, rounds: int, stops: int, progress: Callable[[int, int], None] = lambda done, total: None
) -> list[Measure]:
    """All of it.

    Args:
        repeats: lines for each first sound.
        rounds: bursts for the journal, and kills.
        stops: in a burst, for each broker.
        progress: told the parts done and their total.
    """
    parts: list[Callable[[], Sequence[Measure]]] = [
        lambda: first_sound(repeats),
        lambda: [from_disk(repeats)],
        lambda: commits(rounds),
        lambda: [recovery(rounds)],
        *(partial(burst.measure, broker, stops) for broker in burst.BROKERS),
    ]
    measures: list[Measure] = []
    for done, part in enumerate(parts):
        progress(done, len(parts))
        measures += part()
    return measures


def _show(done: int, total: int) -> None:
    print(f"{time.strftime('%H:%M:%S')} durability: part {done + 1} of {total}", file=sys.stderr, flush=True)


def main() -> None:
    """Run as a command."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.durability", description=__doc__)
    parser.add_argument("--device", default=machine.device_name(), help="name of the result (%(default)s)")
    parser.add_argument("--quick", action="store_true", help="a few samples, to try it out; nothing is kept")
    parser.add_argument("--stops", type=int, default=STOPS, help="in a burst, for each broker (%(default)d)")
    options = parser.parse_args()
    facts = machine.describe()
    lines, rounds, stops = (5, 1, 2) if options.quick else (LINES, ROUNDS, options.stops)
    measures = measure(lines, rounds, stops, _show)
    for each in measures:
        told = f"p50 {each.p50:.2f} {each.unit}, p95 {each.p95:.2f}, p99 {each.p99:.2f}, n {each.n}"
        print(each.name, each.variant, told, file=sys.stderr)
    if options.quick:
        return
    started = datetime.now(timezone.utc)
    result = {
        "device": options.device,
        "date": started.isoformat(timespec="seconds"),
        "machine": facts,
        "measures": [each.to_dict() for each in measures],
    }
    write_result(RESULTS / f"{options.device}.json", result)


if __name__ == "__main__":
    main()
