from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from edge.audio import AudioChunk, Mark
from edge.playback.player import FADE_MS, NS, LineBegan, LineEnded, LineMark, LineSilenced, Player

RATE = 32_000
BLOCK = 320


def chunk(
    n_samples: int, value: int = 100, *, final: bool = False, marks: tuple[Mark, ...] = ()
) -> AudioChunk:
    return AudioChunk(np.full(n_samples, value, dtype=np.int16), RATE, 0, final, None, marks)


class Stand:
    """A player with a sink that is wound by hand."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self.first: list[str] = []
        self.player = Player(RATE, self.messages.append, self.first.append)
        self.t_ns = 0

    def pull(self, n_blocks: int = 1) -> np.ndarray:
        blocks = []
        for _ in range(n_blocks):
            block = np.full(BLOCK, -1, dtype=np.int16)
            self.active = self.player.pull(block, self.t_ns, 0.01)
            self.t_ns += BLOCK * NS // RATE
            blocks.append(block)
        return np.concatenate(blocks)

    def line(self, line_id: str, n_samples: int, value: int = 100) -> None:
        self.player.begin(line_id)
        self.player.feed(line_id, chunk(n_samples, value, final=True))

    def of(self, kind: type) -> list[Any]:
        return [message for message in self.messages if isinstance(message, kind)]


@pytest.fixture
def stand() -> Stand:
    return Stand()


def test_nothing_is_silence_and_rest(stand: Stand) -> None:
    assert not stand.pull().any() and not stand.active
    stand.player.begin("a")
    assert not stand.pull().any() and not stand.active


def test_a_line_sounds_whole_and_reports_its_ends(stand: Stand) -> None:
    stand.line("a", 500)
    sound = stand.pull(2)
    assert np.count_nonzero(sound == 100) == 500 and not sound[500:].any()
    assert stand.messages == [
        LineBegan("a", 0, 0.01),
        LineEnded("a", 500 / RATE + 0.01, 500, 0),
    ]
    assert stand.first == ["a"]


def test_lines_follow_each_other_without_a_gap(stand: Stand) -> None:
    stand.line("a", 400, 1)
    stand.line("b", 400, 2)
    sound = stand.pull(3)
    assert list(sound[398:402]) == [1, 1, 2, 2] and not sound[800:].any()
    assert stand.of(LineBegan)[1].t0_ns == pytest.approx(400 * NS / RATE, abs=1)


def test_a_late_chunk_is_an_underrun_counted_once(stand: Stand) -> None:
    stand.player.begin("a")
    stand.player.feed("a", chunk(400))
    stand.pull(4)
    assert stand.active
    stand.player.feed("a", chunk(400, final=True))
    stand.pull(2)
    assert stand.of(LineEnded)[0].underruns == 1 and stand.of(LineEnded)[0].n_samples == 800


def test_a_first_chunk_that_takes_its_time_is_no_underrun(stand: Stand) -> None:
    stand.player.begin("a")
    stand.pull(5)
    stand.player.feed("a", chunk(400, final=True))
    stand.pull(2)
    assert stand.of(LineEnded)[0].underruns == 0


def test_a_cut_fades_to_nothing_in_time(stand: Stand) -> None:
    stand.line("a", 32_000, 10_000)
    stand.pull(3)
    assert stand.player.cut("a")
    n_fade = FADE_MS * RATE // 1000
    sound = stand.pull(4)
    assert np.all(np.diff(sound[:n_fade]) < 0) and sound[n_fade - 1] == 0 and not sound[n_fade:].any()
    assert sound[0] > 9_950
    assert stand.of(LineSilenced) == [
        LineSilenced("a", pytest.approx((960 + n_fade) / RATE + 0.01), 960 + n_fade)
    ]
    assert not stand.of(LineEnded)


def test_a_cut_with_little_sound_left_fades_what_there_is(stand: Stand) -> None:
    stand.player.begin("a")
    stand.player.feed("a", chunk(BLOCK + 100, 10_000))
    stand.pull()
    stand.player.cut("a")
    sound = stand.pull()
    assert np.all(np.diff(sound[:100]) < 0) and not sound[99:].any()
    assert stand.of(LineSilenced)[0].n_samples == BLOCK + 100


def test_a_line_that_has_not_begun_is_cut_at_once(stand: Stand) -> None:
    stand.line("a", 5000, 1)
    stand.line("b", 5000, 2)
    stand.pull()
    stand.player.cut("b")
    assert stand.of(LineSilenced) == [LineSilenced("b", 0.0, 0)]
    assert 2 not in stand.pull(20)


def test_the_next_line_begins_when_the_fade_is_over(stand: Stand) -> None:
    stand.line("a", 32_000, 10_000)
    stand.pull()
    stand.player.cut("a")
    stand.line("b", 1000, 7)
    sound = stand.pull(4)
    assert list(sound[638:642]) == [15, 0, 7, 7] or list(sound[639:642]) == [0, 7, 7]


def test_sound_for_a_line_that_is_cut_or_gone_is_ignored(stand: Stand) -> None:
    stand.line("a", 640, 100)
    stand.pull()
    stand.player.cut("a")
    stand.player.feed("a", chunk(5000, -9))
    stand.player.feed("never", chunk(5000, -9))
    assert -9 not in stand.pull(10)
    assert not stand.player.cut("a")


def test_cutting_twice_changes_nothing(stand: Stand) -> None:
    stand.line("a", 32_000, 10_000)
    stand.pull()
    stand.player.cut("a")
    stand.pull()
    assert stand.player.cut("a")
    stand.pull(2)
    assert len(stand.of(LineSilenced)) == 1


def test_marks_carry_the_time_at_which_they_are_heard(stand: Stand) -> None:
    stand.player.begin("a")
    marks = (Mark("start", 0), Mark("middle", 500), Mark("end", 1000))
    stand.player.feed("a", chunk(1000, final=True, marks=marks))
    stand.pull(4)
    found = stand.of(LineMark)
    assert [(mark.name, mark.sample) for mark in found] == [("start", 0), ("middle", 500), ("end", 1000)]
    for mark in found:
        assert mark.heard == pytest.approx(mark.sample / RATE + 0.01, abs=1e-6)
    assert found[-1].heard <= stand.of(LineEnded)[0].heard


def test_the_journal_is_told_before_the_first_sample() -> None:
    order: list[str] = []
    player = Player(
        RATE, lambda message: order.append(type(message).__name__), lambda _: order.append("journal")
    )
    player.begin("a")
    player.feed("a", chunk(10, final=True))
    player.pull(np.zeros(BLOCK, dtype=np.int16), 0, 0.0)
    assert order == ["journal", "LineBegan", "LineEnded"]


def test_a_sink_that_is_gone_takes_its_lines_with_it(stand: Stand) -> None:
    stand.line("a", 1000)
    stand.line("b", 1000)
    assert stand.player.drop_all() == ["a", "b"]
    assert not stand.pull(4).any() and stand.messages == []


def test_chunk_sizes_do_not_matter(stand: Stand) -> None:
    chance = np.random.default_rng(5)
    ramp = (np.arange(20_000) % 30_000).astype(np.int16)
    stand.player.begin("a")
    position, heard = 0, []
    while position < len(ramp):
        size = int(chance.integers(1, 900))
        piece = ramp[position : position + size]
        position += len(piece)
        stand.player.feed("a", AudioChunk(piece, RATE, 0, position == len(ramp)))
        if chance.random() < 0.3:
            heard.append(stand.pull())
    heard.append(stand.pull(80))
    sound = np.concatenate(heard)
    assert np.array_equal(sound[np.flatnonzero(sound)], ramp[ramp != 0])
