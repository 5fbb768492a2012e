"""The journal on disk: what survives a kill, a full disk, a damaged file, and what is forgotten."""

from __future__ import annotations

import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.daemon.journal import schema
from edge.daemon.journal.base import Entry
from edge.daemon.journal.disk import FILE, DiskJournal
from edge.errors import EdgeError
from tests.edge.daemon.broker import wait_until

ROOT = Path(__file__).parents[4]


class Bench:
    """A journal and what it has called back."""

    def __init__(self, directory: Path, max_finished: int = 1000) -> None:
        self.alerts: list[str] = []
        self.durable: list[str] = []
        self.refused: dict[str, EdgeError] = {}
        self.journal = DiskJournal(directory, max_finished, self.alerts.append)

    def accept(self, *ids: str, **keys: Any) -> None:
        for request_id in ids:
            entry = Entry(request_id, f"digest-{request_id}", '{"text": "x"}', **keys)
            self.journal.accept(
                entry,
                lambda request_id=request_id: self.durable.append(request_id),  # type: ignore[misc]
                lambda error, request_id=request_id: self.refused.update({request_id: error}),  # type: ignore[misc]
            )

    def finish(self, request_id: str) -> None:
        event = {"id": request_id, "event": "finished", "event_id": f"e-{request_id}"}
        self.journal.finish(request_id, event, lambda: self.durable.append(f"end of {request_id}"))

    def settle(self, *names: str) -> None:
        wait_until(lambda: set(names) <= set(self.durable), what=f"{names} durable, {self.durable}")


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Bench]]:
    benches: list[Bench] = []

    def start(directory: Path = tmp_path, **options: Any) -> Bench:
        benches.append(Bench(directory, **options))
        return benches[-1]

    yield start
    for bench in benches:
        bench.journal.close()


def test_what_was_accepted_is_there_for_the_next_process(start: Callable[..., Bench]) -> None:
    before = start()
    before.accept("a", "b", "c", received=12.5, deadline=99.0)
    before.journal.advance("b", {"event": "started", "seq": 1})
    before.journal.sounding("b")
    before.finish("a")
    before.settle("a", "b", "c", "end of a")
    before.journal.close()
    after = start()
    left = after.journal.recover()
    assert [(one.entry.request_id, one.heard, one.rebooted) for one in left] == [
        ("b", True, False),
        ("c", False, False),
    ]
    assert left[0].last_event == {"event": "started", "seq": 1}
    assert (left[1].entry.received, left[1].entry.deadline, left[1].entry.request) == (
        12.5,
        99.0,
        '{"text": "x"}',
    )
    assert [event["id"] for event in after.journal.undelivered()] == ["a"]
    known = after.journal.find("a")
    assert known is not None and known.finished and known.digest == "digest-a"
    assert after.journal.find("nobody") is None


def test_a_delivered_event_is_not_sent_again(start: Callable[..., Bench]) -> None:
    before = start()
    before.accept("a")
    before.finish("a")
    before.settle("end of a")
    before.journal.delivered("e-a")
    before.journal.close()
    assert start().journal.undelivered() == []


def test_a_restart_of_the_machine_is_noticed(
    start: Callable[..., Bench], monkeypatch: pytest.MonkeyPatch
) -> None:
    before = start()
    before.accept("a")
    before.settle("a")
    before.journal.close()
    monkeypatch.setattr("edge.daemon.journal.disk.boot_id", lambda: "another boot")
    (left,) = start().journal.recover()
    assert left.rebooted


def test_the_longest_ended_are_forgotten(start: Callable[..., Bench]) -> None:
    bench = start(max_finished=10)
    for number in range(40):
        bench.accept(str(number))
        bench.settle(str(number))
        if number:
            bench.finish(str(number))
            bench.settle(f"end of {number}")
    find = bench.journal.find
    assert find("0") is not None and find("39") is not None and find("1") is None
    assert sum(find(str(number)) is not None for number in range(1, 40)) <= 20


CHILD = """
    import itertools, sys
    from pathlib import Path
    from edge.daemon.journal.base import Entry
    from edge.daemon.journal.disk import DiskJournal

    journal = DiskJournal(Path(sys.argv[1]), 1000)
    journal.recover()
    def say(text):
        print(text, flush=True)
    for number in itertools.count():
        name = f"{sys.argv[2]}-{number}"
        journal.accept(Entry(name, "d", "{}"), lambda name=name: say(f"accepted {name}"), say)
        if number % 3 == 0:
            event = {"id": name, "event": "finished", "event_id": name}
            journal.finish(name, event, lambda name=name: say(f"ended {name}"))
"""


@pytest.mark.slow
def test_nothing_that_was_told_is_lost_by_a_kill(tmp_path: Path, start: Callable[..., Bench]) -> None:
    choose = random.Random(5)
    accepted: set[str] = set()
    ended: set[str] = set()
    for run in range(8):
        command = [sys.executable, "-c", textwrap.dedent(CHILD), str(tmp_path), f"run{run}"]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            lines = [child.stdout.readline()]
            time.sleep(choose.random() * 0.1)
            child.send_signal(signal.SIGKILL)
            lines += child.stdout.readlines()
        told = [line.split() for line in lines if line.endswith("\n")]
        accepted |= {words[1] for words in told if words[0] == "accepted"}
        ended |= {words[1] for words in told if words[0] == "ended"}
    bench = start()
    left = {one.entry.request_id for one in bench.journal.recover()}
    assert accepted and ended
    assert accepted - ended <= left | {e["id"] for e in bench.journal.undelivered()}
    assert ended <= {event["id"] for event in bench.journal.undelivered()}


def test_a_directory_that_cannot_be_written_refuses_and_recovers(
    tmp_path: Path, start: Callable[..., Bench]
) -> None:
    state = tmp_path / "state"
    state.write_text("a file stands where the directory should be")
    bench = start(state)
    bench.accept("a")
    wait_until(lambda: "a" in bench.refused)
    assert bench.refused["a"].code == "disk_full" and str(state) in str(bench.refused["a"])
    assert str(state) in bench.journal.fault and bench.alerts[0] == bench.journal.fault
    assert bench.journal.find("a") is None, "it may be sent again"
    state.unlink()
    wait_until(lambda: not bench.journal.fault)
    bench.accept("b")
    bench.settle("b")
    assert bench.alerts[-1] == ""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of four megabytes."""
    place = tmp_path / "small"
    place.mkdir()
    if (
        os.geteuid() != 0
        or subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)], capture_output=True
        ).returncode
    ):
        pytest.skip("a small disk can only be mounted by root")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


def test_a_full_disk_refuses_what_is_new_and_writes_what_must_end(
    small_disk: Path, start: Callable[..., Bench]
) -> None:
    bench = start(small_disk)
    bench.accept("a", "b")
    bench.settle("a", "b")
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file, pytest.raises(OSError, match="No space"):
        while True:
            file.write(bytes(4096))
    for number in range(400):  # until the log needs another page
        bench.accept(f"new{number}")
        wait_until(lambda number=number: f"new{number}" in {*bench.refused, *bench.durable})
        if bench.refused:
            break
    assert bench.refused and {error.code for error in bench.refused.values()} == {"disk_full"}
    bench.finish("a")
    bench.settle("end of a")
    assert bench.journal.fault, "still no room for what is new"
    filler.unlink()
    wait_until(lambda: not bench.journal.fault)
    bench.accept("again")
    bench.settle("again")
    bench.journal.close()
    left = [one.entry.request_id for one in start(small_disk).journal.recover()]
    assert "b" in left and "again" in left and "a" not in left


@pytest.mark.parametrize("seed", range(12))
def test_a_damaged_journal_is_set_aside_or_read_without_what_is_wrong(
    tmp_path: Path, start: Callable[..., Bench], seed: int
) -> None:
    before = start()
    before.accept(*(f"r{number}" for number in range(60)))
    for number in range(20):
        before.finish(f"r{number}")
    before.settle("end of r19", "r59")
    before.journal.close()
    path = tmp_path / FILE
    content = bytearray(path.read_bytes())
    choose = random.Random(seed)
    for _ in range(20):
        content[choose.randrange(len(content))] ^= 1 << choose.randrange(8)
    path.write_bytes(bytes(content))
    for ending in ("-wal", "-shm"):
        Path(f"{path}{ending}").unlink(missing_ok=True)
    after = start()
    for one in after.journal.recover():
        number = int(one.entry.request_id.removeprefix("r"))
        assert 0 <= number < 60 and one.entry.digest == f"digest-r{number}"
    assert all(event["event"] == "finished" for event in after.journal.undelivered())
    after.accept("new")
    after.settle("new")


@pytest.mark.parametrize("content", [b"", b"not a database at all", bytes(5000)])
def test_a_file_that_is_no_journal_is_set_aside(
    tmp_path: Path, start: Callable[..., Bench], content: bytes
) -> None:
    (tmp_path / FILE).write_bytes(content)
    bench = start()
    assert bench.journal.recover() == []
    bench.accept("a")
    bench.settle("a")


def test_a_journal_of_a_later_version_is_not_touched(tmp_path: Path, start: Callable[..., Bench]) -> None:
    connection = sqlite3.connect(tmp_path / FILE)
    connection.execute(f"PRAGMA user_version = {len(schema.MIGRATIONS) + 1}")
    connection.close()
    bench = start()
    bench.accept("a")
    bench.settle("a")
    assert list(tmp_path.glob(f"{FILE}.damaged-*")), "it is kept for whoever goes back to that version"


def test_a_journal_cut_at_any_byte_opens(tmp_path: Path, start: Callable[..., Bench]) -> None:
    source = tmp_path / "source"
    before = start(source)
    before.accept("a", "b")
    before.settle("a", "b")
    log = Path(f"{source / FILE}-wal").read_bytes()
    head = (source / FILE).read_bytes()
    for number, length in enumerate(range(0, len(log), max(1, len(log) // 15))):
        place = tmp_path / f"cut{number}"
        place.mkdir()
        (place / FILE).write_bytes(head)
        Path(f"{place / FILE}-wal").write_bytes(log[:length])
        bench = start(place)
        names = [one.entry.request_id for one in bench.journal.recover()]
        assert names in ([], ["a"], ["a", "b"])
        bench.accept("c")
        bench.settle("c")
    shutil.rmtree(source, ignore_errors=True)
