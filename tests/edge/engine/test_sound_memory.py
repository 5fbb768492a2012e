from __future__ import annotations

import os
import threading
from collections.abc import Iterator

import numpy as np
import pytest

from edge.engine.sound_memory import SoundMemory, SoundWriter


@pytest.fixture
def memory() -> Iterator[SoundMemory]:
    descriptor = os.memfd_create("test")
    os.ftruncate(descriptor, 64 + 2 * 1000)
    memory = SoundMemory(descriptor)
    os.close(descriptor)
    yield memory
    memory.close()


@pytest.mark.parametrize("sizes", [[1], [0, 3, 0], [250, 250, 250, 250, 250], [999, 1001, 5000], [7] * 500])
def test_what_is_written_is_read(memory: SoundMemory, sizes: list[int]) -> None:
    writer = SoundWriter(memory)
    sound = np.random.default_rng(0).integers(-32768, 32767, sum(sizes), np.int16)
    heard: list[np.ndarray] = []
    for part in np.split(sound, np.cumsum(sizes)[:-1]):
        lasts = []
        for at, n, is_last in writer.pieces(part):
            heard.append(memory.read(at, n))
            writer.free(n)
            lasts.append(is_last)
        assert lasts == [False] * (len(lasts) - 1) + [True] * bool(len(part))
    assert np.array_equal(np.concatenate([sound[:0], *heard]), sound)


def test_a_writer_waits_for_room_and_overwrites_nothing(memory: SoundMemory) -> None:
    writer = SoundWriter(memory)
    sound = np.arange(3000, dtype=np.int16)
    told: list[tuple[int, int]] = []
    thread = threading.Thread(target=lambda: told.extend((at, n) for at, n, _ in writer.pieces(sound)))
    thread.start()
    heard: list[np.ndarray] = []
    while sum(map(len, heard)) < len(sound):
        taken = len(heard)
        if len(told) > taken:
            assert sum(n for _, n in told[taken:]) <= memory.n_samples
            heard.append(memory.read(*told[taken]))
            writer.free(told[taken][1])
    thread.join()
    assert np.array_equal(np.concatenate(heard), sound)


@pytest.mark.parametrize(("at", "n"), [(-1, 5), (0, 1001), (999, 2), (5, -1), (2**40, 1)])
def test_reading_outside_is_refused(memory: SoundMemory, at: int, n: int) -> None:
    with pytest.raises(ValueError, match="not within"):
        memory.read(at, n)


def test_the_line_in_hand_outlives_its_process(memory: SoundMemory) -> None:
    memory.working = 2**40
    assert memory.working == 2**40


def test_both_processes_see_what_the_child_is_at(memory: SoundMemory) -> None:
    assert not memory.warm, "a child that has just started lacks its dictionaries"
    memory.working, memory.warm = 7, True
    assert (memory.working, memory.warm) == (7, True)
    memory.write(0, np.full(memory.n_samples, -1, np.int16))
    assert (memory.working, memory.warm) == (7, True)
