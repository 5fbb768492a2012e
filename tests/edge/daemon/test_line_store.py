"""Finished lines on disk: whole or not there, whatever is done to the disk and the process."""

from __future__ import annotations

import errno
import os
import random
import signal
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from edge.audio import AudioChunk, Mark
from edge.daemon import line_store
from edge.daemon.cache import CachedLine
from edge.daemon.line_file import pack_line, unpack_line
from edge.daemon.line_store import LineRead, LineStore, voice_folder
from edge.engine.source import VoiceSource
from edge.synthesizer import SpeechRequest
from tests.edge.daemon.broker import PATIENCE_S, wait_until

ROOT = Path(__file__).parents[3]
TINY = ROOT / "tests" / "data" / "tiny_voice"
VOICE = "a voice 1.0.0"


def key(number: int) -> str:
    return f"{number:064x}"


def line(number: int, n_samples: int = 5000) -> CachedLine:
    samples = np.full(n_samples, number, np.int16)
    return CachedLine((AudioChunk(samples, 32_000, 0, True, None, (Mark("m", number),)),))


def same(one: CachedLine, other: CachedLine) -> bool:
    return len(one.chunks) == len(other.chunks) and all(
        np.array_equal(a.samples, b.samples)
        and a.samples.dtype == b.samples.dtype
        and (a.sample_rate, a.start, a.final, a.timeline, a.marks)
        == (b.sample_rate, b.start, b.final, b.timeline, b.marks)
        for a, b in zip(one.chunks, other.chunks, strict=True)
    )


class Shelf:
    """A store and what it has read."""

    def __init__(self, folder: Path, max_bytes: int = 2**30, voice: str = VOICE) -> None:
        self.read: dict[str, CachedLine | None] = {}
        self.folder = folder / voice_folder(voice)
        self.store = LineStore(folder, max_bytes, self._take)
        self.store.use(voice)

    def _take(self, message: LineRead) -> None:
        self.read[message.line_id] = message.line

    def keep(self, *numbers: int) -> None:
        for number in numbers:
            assert self.store.keep(key(number), line(number))
        self.settle()

    def settle(self) -> None:
        """Wait until everything asked for has been done."""
        self.fetch(-1)

    def fetch(self, number: int) -> CachedLine | None:
        name = f"{number} {random.random()}"
        wait_until(lambda: not self.store._waiting and not self.store._open and not self.store._clear)
        self.store.fetch(key(max(number, 0)) if number >= 0 else "none", name)
        wait_until(lambda: name in self.read)
        return self.read[name]

    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir()) if self.folder.is_dir() else []


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Callable[..., Shelf]]:
    shelves: list[Shelf] = []

    def make(**options: Any) -> Shelf:
        for earlier in shelves:
            earlier.store.close()
        shelves.append(Shelf(tmp_path / "cache", **options))
        return shelves[-1]

    yield make
    for each in shelves:
        each.store.close()
        assert not each.store._thread.is_alive()


@pytest.fixture(scope="module")
def spoken() -> CachedLine:
    """A real line of two phrases with its timeline."""
    voice = VoiceSource(TINY).load()
    request = SpeechRequest("你好。[mark:door]Welcome to the show!", "noah")
    chunks = tuple(voice.stream(voice.prepare(request)))
    voice.close()
    return CachedLine(chunks)


def test_sound_and_timeline_come_back_as_they_were(spoken: CachedLine) -> None:
    assert same(unpack_line(key(1), pack_line(key(1), spoken)), spoken)
    assert any(chunk.timeline and chunk.timeline.visemes for chunk in spoken.chunks)


def test_a_damaged_file_is_never_a_line(spoken: CachedLine) -> None:
    data = pack_line(key(1), spoken)
    choose = random.Random(1)
    for _ in range(300):
        damaged = bytearray(data)
        at = choose.choice((choose.randrange(100), choose.randrange(len(data))))
        damaged[at] ^= 1 << choose.randrange(8)
        with pytest.raises(ValueError):
            unpack_line(key(1), bytes(damaged))
    for n_bytes in (0, 7, 8, 40, 44, 60, len(data) - 1):
        with pytest.raises(ValueError):
            unpack_line(key(1), data[:n_bytes])
    with pytest.raises(ValueError, match="another line"):
        unpack_line(key(2), data)


def test_lines_survive_a_restart(shelf: Callable[..., Shelf], spoken: CachedLine) -> None:
    first = shelf()
    first.keep(1, 2)
    assert first.store.keep(key(3), spoken)
    second = shelf()
    found = second.fetch(3)
    assert found is not None and same(found, spoken)
    assert key(1) in second.store and key(4) not in second.store
    assert second.store.stored().n_lines == 3
    sizes = [(second.folder / name).stat().st_size for name in second.files()]
    assert second.store.stored().n_bytes == sum(sizes)
    assert second.fetch(4) is None and second.store.stored().n_poisoned == 0


@pytest.mark.parametrize("harm", ["flip", "cut", "empty", "renamed", "folder"])
def test_a_poisoned_line_is_dropped_and_counted(shelf: Callable[..., Shelf], harm: str) -> None:
    first = shelf()
    first.keep(1, 2)
    path = first.folder / f"{key(1)}.line"
    data = path.read_bytes()
    if harm == "flip":
        path.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
    elif harm == "renamed":
        path.write_bytes((first.folder / f"{key(2)}.line").read_bytes())
    elif harm == "folder":
        path.unlink()
        path.mkdir()
    else:
        path.write_bytes(data[:100] if harm == "cut" else b"")
    again = shelf()
    assert again.fetch(1) is None and key(1) not in again.store
    assert again.fetch(2) is not None
    assert again.store.stored().n_poisoned == 1 and again.store.stored().n_lines == 1
    if harm != "folder":
        assert again.files() == [f"{key(2)}.line"]


def test_a_file_that_was_deleted_is_no_fault(shelf: Callable[..., Shelf]) -> None:
    first = shelf()
    first.keep(1)
    (first.folder / f"{key(1)}.line").unlink()
    assert first.fetch(1) is None
    assert key(1) not in first.store and first.store.stored().n_poisoned == 0


def test_the_least_recently_used_go_first_across_restarts(shelf: Callable[..., Shelf]) -> None:
    size = len(pack_line(key(1), line(1)))
    first = shelf(max_bytes=3 * size + size // 2)
    first.keep(1, 2, 3)
    for number in (3, 2):  # files of one moment have no order
        os.utime(first.folder / f"{key(number)}.line", (number, number))
    assert first.fetch(1) is not None  # used now
    second = shelf(max_bytes=3 * size + size // 2)
    second.keep(4)
    assert [name[62:64] for name in second.files()] == ["01", "03", "04"]
    assert second.store.stored().n_bytes <= 3 * size + size // 2
    third = shelf(max_bytes=2 * size)
    third.settle()
    assert len(third.files()) == 2 and key(4) in third.store


def test_a_full_disk_costs_the_memory_of_a_line_and_nothing_else(
    shelf: Callable[..., Shelf], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    first = shelf()

    def full(path: Path, *_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(line_store, "write_whole", full)
    first.keep(1, 2)
    assert first.store.stored().n_lost == 2 and first.fetch(1) is None
    assert caplog.text.count("No space left on device") <= 2
    monkeypatch.undo()
    first.keep(3)
    assert first.fetch(3) is not None and first.files() == [f"{key(3)}.line"]


def test_a_directory_that_cannot_be_written(tmp_path: Path, shelf: Callable[..., Shelf]) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    first = shelf()
    first.keep(1)
    assert first.store.stored().n_lost == 1 and first.fetch(1) is None


def test_a_disk_that_is_too_slow_is_not_waited_for(
    shelf: Callable[..., Shelf], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_store, "MAX_WAITING_BYTES", 3 * line(0).n_bytes)
    first = shelf()
    first.settle()
    free = threading.Event()
    real = line_store.write_whole
    monkeypatch.setattr(line_store, "write_whole", lambda *a: (free.wait(PATIENCE_S), real(*a)))
    kept = [first.store.keep(key(number), line(number)) for number in range(5)]
    assert kept == [True] * 3 + [False] * 2 and first.store.stored().n_lost == 2
    assert key(1) in first.store
    free.set()
    first.settle()
    assert len(first.files()) == 3


def test_what_waits_for_the_disk_can_be_had(
    shelf: Callable[..., Shelf], monkeypatch: pytest.MonkeyPatch
) -> None:
    first = shelf()
    first.settle()
    monkeypatch.setattr(line_store, "unpack_line", lambda *_: pytest.fail("read from disk"))
    first.store.keep(key(1), line(1))
    first.store.fetch(key(1), "a")
    wait_until(lambda: "a" in first.read)


def test_clearing_forgets_at_once_and_deletes(shelf: Callable[..., Shelf]) -> None:
    first = shelf()
    first.keep(1, 2)
    assert first.store.keep(key(3), line(3))
    assert first.store.clear() == 3
    assert key(1) not in first.store and key(3) not in first.store and first.store.stored().n_bytes == 0
    wait_until(lambda: first.files() == [])
    first.keep(4)
    assert first.files() == [f"{key(4)}.line"]
    assert shelf().fetch(4) is not None


def test_lines_of_another_voice_and_leftovers_of_a_kill_go(
    tmp_path: Path, shelf: Callable[..., Shelf]
) -> None:
    first = shelf()
    first.keep(1)
    (first.folder / f".{key(2)}.line.new").write_bytes(b"half a li")
    again = shelf()
    again.settle()
    assert again.files() == [f"{key(1)}.line"]
    again.store.use("another voice 1.0.0")
    again.settle()
    assert key(1) not in again.store
    wait_until(lambda: list((tmp_path / "cache").iterdir()) == [])


def test_with_no_room_nothing_is_kept_and_what_was_is_deleted(
    tmp_path: Path, shelf: Callable[..., Shelf]
) -> None:
    shelf().keep(1)
    off = shelf(max_bytes=0)
    assert not off.store.keep(key(2), line(2))
    wait_until(lambda: list((tmp_path / "cache").iterdir()) == [])


@pytest.mark.slow
def test_a_kill_at_any_moment_leaves_whole_lines(tmp_path: Path) -> None:
    script = tmp_path / "writer.py"
    script.write_text(
        textwrap.dedent(
            """
            import sys
            from pathlib import Path
            from edge.daemon.line_store import LineStore
            from tests.edge.daemon.test_line_store import VOICE, key, line
            store = LineStore(Path(sys.argv[1]), 2**24, print)
            store.use(VOICE)
            print("ready", flush=True)
            for number in range(1, 100_000):
                while not store.keep(key(number % 300), line(number % 300)):
                    pass
            """
        )
    )
    choose = random.Random(3)
    folder = tmp_path / "cache"
    for _ in range(3):
        command = [sys.executable, str(script), str(folder)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT)}
        with subprocess.Popen(command, stdout=subprocess.PIPE, env=environment, cwd=ROOT) as process:
            assert process.stdout is not None and process.stdout.readline() == b"ready\n"
            wait_until(lambda: any(folder.rglob("*.line")))
            time.sleep(choose.random() * 0.2)
            process.send_signal(signal.SIGKILL)
        found = Shelf(folder)
        found.settle()
        numbers = [int(name[:64], 16) for name in found.files()]
        assert numbers
        for number in numbers:
            read = found.fetch(number)
            assert read is not None and same(read, line(number))
        found.store.close()
