"""Faults of the machine: a burst, a full disk, flipped bits, a clock that jumps."""

from __future__ import annotations

import hashlib
import json
import logging
import os
import queue
import random
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from edge.bundle.bundle import Bundle
from edge.daemon.cache import CachedLine
from edge.daemon.journal.base import Entry
from edge.daemon.journal.disk import DiskJournal
from edge.daemon.line_file import pack_line
from edge.daemon.line_store import SUFFIX, LineRead, LineStore
from edge.errors import EdgeError
from edge.synthesizer import SpeechRequest, Synthesizer
from tests.edge.daemon.broker import needs_clients, needs_mosquitto, wait_until
from tests.edge.daemon.conftest import Rig

from .ledger import TINY_VOICE

BURST = int(os.environ.get("FAULT_BURST", "1000"))
FLIPS = int(os.environ.get("FAULT_FLIPS", "60"))
PUBLISHERS = 8

Note = Callable[[str, str], None]


@pytest.mark.broker
@needs_clients
def test_a_burst_of_many_publishers(start_rig: Callable[..., Rig], noted: Note) -> None:
    rig = start_rig(queue={"max_intake": 20_000, "max_intake_bytes": 2**28})
    share = BURST // PUBLISHERS
    started = time.monotonic()
    publishers = []
    for number in range(PUBLISHERS):
        lines = (
            json.dumps({"id": f"p{number}-{n}", "character": "noah", "text": "x", "output": ["lipsync"]})
            for n in range(share)
        )
        command = ["mosquitto_pub", "-p", str(rig.config.mqtt.port), "-t", f"{rig.root}/request/say"]
        publisher = subprocess.Popen([*command, "-q", "1", "-l"], stdin=subprocess.PIPE)
        assert publisher.stdin is not None
        publisher.stdin.write("".join(line + "\n" for line in lines).encode())
        publisher.stdin.close()
        publishers.append(publisher)
    for publisher in publishers:
        assert publisher.wait(60) == 0
    sent_s = time.monotonic() - started
    final = ("finished", "rejected", "cancelled", "failed", "expired")
    ends: dict[str, set[str]] = {}

    def all_ended() -> bool:
        for event in rig.client.events():
            if event["event"] in final:
                ends.setdefault(event["id"], set()).add(event["event_id"])
        return len(ends) == share * PUBLISHERS

    wait_until(all_ended, 240, "an end for every request", every_s=1.0)
    assert all(len(event_ids) == 1 for event_ids in ends.values())
    assert rig.daemon._inbox.dropped == 0
    told = f"{len(ends)} requests in {sent_s:.1f} s, each ended or rejected once"
    noted(f"burst of {PUBLISHERS} publishers", told)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of eight megabytes."""
    place = tmp_path / "small"
    place.mkdir()
    mount = shutil.which("mount")
    if os.geteuid() != 0 or mount is None:
        pytest.skip("mounting a small file system needs root")
    done = subprocess.run([mount, "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(place)], check=False)
    if done.returncode:
        pytest.skip("a tmpfs cannot be mounted here")
    yield place
    subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.broker
@needs_mosquitto
def test_a_full_disk(start_rig: Callable[..., Rig], small_disk: Path, noted: Note) -> None:
    rig = start_rig(state_dir=small_disk / "state")
    rig.say("before")
    rig.event("before", "finished")
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            pass
    refused = 0
    while "disk_full" not in {event.get("code") for event in rig.client.events()}:
        rig.say(f"full-{refused}", "x" * 1500, output=["lipsync"])
        rig.response("say", f"full-{refused}")
        refused += 1
        assert refused < 500
    wait_until(lambda: "degraded" in rig.lamp("state"))
    filler.unlink()
    wait_until(lambda: rig.lamp("state")[-1] in ("idle", "speaking"), what="recovery without a restart")
    rig.say("after")
    rig.event("after", "finished")
    ids = {event["id"] for event in rig.client.events() if event["event"] == "accepted"}
    wait_until(lambda: all("finished" in rig.names(name) for name in ids), 240, "the end of all that began")
    noted("full disk", f"refused with `disk_full`, {len(ids)} accepted lines ended; goes on by itself")


def flipped(data: bytes, choose: random.Random) -> bytes:
    place = choose.randrange(len(data))
    return data[:place] + bytes([data[place] ^ (1 << choose.randrange(8))]) + data[place + 1 :]


def spoken(bundle: Path) -> np.ndarray:
    synthesizer = Synthesizer.load(bundle, threads=1)
    try:
        line = synthesizer.prepare(SpeechRequest(text="你好。", character="noah"))
        return np.concatenate([chunk.samples for chunk in synthesizer.stream(line)])
    finally:
        synthesizer.close()


def test_flipped_bits_in_a_voice(tmp_path: Path, noted: Note) -> None:
    choose = random.Random(5)
    voice = tmp_path / "voice"
    shutil.copytree(TINY_VOICE, voice)
    expected = spoken(voice)
    files = sorted(path for path in voice.iterdir() if path.is_file())
    refused = same = 0
    for _ in range(FLIPS):
        path = choose.choice(files)
        whole = path.read_bytes()
        path.write_bytes(flipped(whole, choose))
        try:
            Bundle.load(voice)
        except EdgeError as error:
            assert "\n" not in str(error)
            refused += 1
        else:  # a letter of a description, a space
            assert path.name == "manifest.json", path.name
            same += 1
            try:
                assert np.array_equal(spoken(voice), expected), "it sounds otherwise"
            except EdgeError:
                same, refused = same - 1, refused + 1
        path.write_bytes(whole)
    noted("flipped bit in a voice", f"{FLIPS} times: {refused} refused, {same} without effect on the sound")


def answer_of(journal: DiskJournal, name: str) -> str:
    """Accept a request; gives the refusal, empty if it is on disk."""
    answers: list[str] = []
    entry = Entry(name, "d", "{}")
    journal.accept(entry, lambda: answers.append(""), lambda error: answers.append(str(error)))
    wait_until(lambda: answers, what="an answer")
    return answers[0]


def test_flipped_bits_in_the_journal(tmp_path: Path, noted: Note, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL)
    choose = random.Random(6)
    entries = {
        f"id-{n}": Entry(f"id-{n}", f"digest-{n}", json.dumps({"text": "x" * n}), float(n)) for n in range(40)
    }
    original = tmp_path / "original"
    original.mkdir()
    journal = DiskJournal(original, 1000)
    for entry in entries.values():
        journal.accept(entry, lambda: None, lambda error: None)
    wait_until(lambda: not journal.backlog)
    journal.close()
    kept = lost = refused = later = 0
    for number in range(FLIPS):
        place = tmp_path / f"copy{number}"
        shutil.copytree(original, place)
        path = choose.choice([one for one in sorted(place.iterdir()) if one.stat().st_size])
        path.write_bytes(flipped(path.read_bytes(), choose))
        journal = DiskJournal(place, 1000)
        found = journal.recover()
        for unfinished in found:
            assert unfinished.entry == entries[unfinished.entry.request_id], "a request that nobody made"
        answer = answer_of(journal, "first")
        if "was damaged" in answer:  # found while writing: this one is told, the next one is taken
            refused += 1
            answer = answer_of(journal, "second")
        if answer:  # the bit made the version of the file a later one, which is not touched
            assert "version" in answer, answer
            later += 1
        journal.close()
        kept, lost = kept + len(found), lost + len(entries) - len(found)
        shutil.rmtree(place)
    told = f"{FLIPS} times: {FLIPS - later} went on, {refused} of them after one refusal; "
    told += f"{later} taken for a later version and refused; "
    told += f"of {kept + lost} requests {lost} not found again, none changed"
    noted("flipped bit in the journal", told)


def kept_lines(folder: Path) -> dict[str, CachedLine]:
    """Put lines of a real voice on disk; gives them by key."""
    synthesizer = Synthesizer.load(TINY_VOICE, threads=1)
    try:
        lines = {
            hashlib.sha256(text.encode()).hexdigest(): CachedLine(
                tuple(synthesizer.stream(synthesizer.prepare(SpeechRequest(text=text, character="noah"))))
            )
            for text in ("你好。", "Good evening.", "Go on.", "再见。")
        }
    finally:
        synthesizer.close()
    store = LineStore(folder, 2**30, lambda read: None)
    store.use("voice")
    assert all(store.keep(key, line) for key, line in lines.items())
    wait_until(lambda: not store.is_busy)
    store.close()
    return lines


def test_flipped_bits_in_the_line_cache(
    tmp_path: Path, noted: Note, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    choose = random.Random(7)
    lines = kept_lines(tmp_path / "cache")
    read: queue.SimpleQueue[LineRead] = queue.SimpleQueue()
    store = LineStore(tmp_path / "cache", 2**30, read.put)
    store.use("voice")
    wait_until(lambda: not store.is_busy and store.stored().n_lines == len(lines))

    def fetched(key: str) -> CachedLine | None:
        store.fetch(key, "line")
        return read.get(timeout=60).line

    dropped = 0
    for _ in range(FLIPS):
        key = choose.choice(sorted(lines))
        (path,) = (tmp_path / "cache").glob(f"*/{key}{SUFFIX}")
        path.write_bytes(flipped(path.read_bytes(), choose))
        assert fetched(key) is None and not path.exists() and key not in store, "a damaged line is gone"
        dropped += 1
        assert store.keep(key, lines[key]), "it is made anew and kept"
        wait_until(lambda: not store.is_busy)
        again = fetched(key)
        assert again is not None and pack_line(key, again) == pack_line(key, lines[key])
    assert store.stored().n_poisoned == dropped == FLIPS
    store.close()
    noted("flipped bit in the line cache", f"{FLIPS} times: {dropped} seen when read, deleted and made anew")


@pytest.mark.broker
@needs_mosquitto
def test_a_clock_that_jumps(
    start_rig: Callable[..., Rig], monkeypatch: pytest.MonkeyPatch, noted: Note
) -> None:
    now = time.time
    jumps = (86_400.0, -86_400.0, -now())
    rig = start_rig()
    for number, jump in enumerate(jumps):
        rig.say(f"waits-{number}", deadline_ms=60_000, not_before_ms=300)
        rig.say(f"late-{number}", deadline_ms=50, not_before_ms=200)
        rig.event(f"waits-{number}", "accepted")
        monkeypatch.setattr(time, "time", lambda jump=jump: now() + jump)
        rig.event(f"waits-{number}", "finished")
        rig.event(f"late-{number}", "expired")
        monkeypatch.setattr(time, "time", now)
    noted("clock jumps by a day forwards and back, and to 1970", f"{2 * len(jumps)} lines ended as without")
