"""Characters that speak at the same time, in one loudspeaker."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.audio import FULL_SCALE, AudioChunk
from edge.loudness.limiter import db_to_gain
from edge.playback.mixer import LOOK_AHEAD, Mixer
from edge.playback.player import FADE_MS, NS, LineBegan, LineEnded, LineSilenced, Player
from edge.spec import SAMPLE_RATE

BLOCK = 320
CEILING_DBFS = -1.0
HIGHEST = math.floor(FULL_SCALE * db_to_gain(CEILING_DBFS))


class Stage:
    """Two channels and a sink that is wound by hand."""

    def __init__(self) -> None:
        self.messages: list[Any] = []
        self.player = Player(SAMPLE_RATE, self.messages.append, mixer=Mixer(CEILING_DBFS))
        self.t_ns = 0
        self.active = True

    def say(self, line_id: str, channel: str, samples: np.ndarray, *, final: bool = True) -> None:
        self.player.begin(line_id, channel)
        self.player.feed(line_id, AudioChunk(samples.astype(np.int16), SAMPLE_RATE, 0, final))

    def pull(self, n_blocks: int) -> np.ndarray:
        blocks = []
        for _ in range(n_blocks):
            block = np.full(BLOCK, -1, np.int16)
            self.active = self.player.pull(block, self.t_ns, 0.0)
            self.t_ns += BLOCK * NS // SAMPLE_RATE
            blocks.append(block)
        return np.concatenate(blocks)

    def of(self, kind: type) -> list[Any]:
        return [message for message in self.messages if isinstance(message, kind)]


def constant(value: int, n: int) -> np.ndarray:
    return np.full(n, value, np.int16)


def test_two_are_added_up_sample_by_sample() -> None:
    stage = Stage()
    stage.say("a", "noah", constant(1000, 700))
    stage.say("b", "ava", constant(20, 300))
    heard = stage.pull(4)
    expected = np.zeros(4 * BLOCK, np.int16)
    expected[LOOK_AHEAD : LOOK_AHEAD + 700] = 1000
    expected[LOOK_AHEAD : LOOK_AHEAD + 300] += 20
    assert np.array_equal(heard, expected)
    began, delay_s = stage.of(LineBegan), LOOK_AHEAD / SAMPLE_RATE
    assert [(message.line_id, message.t0_ns) for message in began] == [("a", 0), ("b", 0)]
    assert {message.device_latency_s for message in began} == {delay_s}
    ends = {message.line_id: message for message in stage.of(LineEnded)}
    assert ends["a"].heard == pytest.approx(700 / SAMPLE_RATE + delay_s) and ends["a"].underruns == 0
    stage.pull(1)
    assert not stage.active


def test_lines_of_one_channel_follow_each_other() -> None:
    stage = Stage()
    stage.say("a", "noah", constant(100, 400))
    stage.say("b", "noah", constant(200, 400))
    heard = stage.pull(3)
    assert list(heard[LOOK_AHEAD + 398 : LOOK_AHEAD + 402]) == [100, 100, 200, 200]


def test_one_that_is_cut_leaves_the_other_whole() -> None:
    stage = Stage()
    stage.say("a", "noah", constant(1000, 9000))
    stage.say("b", "ava", constant(20, 9000))
    stage.pull(5)
    stage.player.cut("a")
    heard = stage.pull(30)
    fade = FADE_MS * SAMPLE_RATE // 1000
    assert set(heard[LOOK_AHEAD + fade : 9000 - 5 * BLOCK]) == {20}
    assert [message.line_id for message in stage.of(LineSilenced)] == ["a"]
    assert [message.line_id for message in stage.of(LineEnded)] == ["b"]


def test_what_is_still_in_the_mixer_is_drawn_before_the_rest() -> None:
    stage = Stage()
    stage.say("a", "noah", constant(1000, 2 * BLOCK))
    heard = stage.pull(2)
    assert stage.active and np.count_nonzero(heard) == 2 * BLOCK - LOOK_AHEAD
    assert np.count_nonzero(stage.pull(1)) == LOOK_AHEAD and stage.active
    assert not stage.pull(1).any() and not stage.active


def test_one_that_waits_for_sound_does_not_hold_up_the_other() -> None:
    stage = Stage()
    stage.say("a", "noah", constant(1000, 100), final=False)
    stage.say("b", "ava", constant(20, 5 * BLOCK))
    heard = stage.pull(6)
    assert set(heard[LOOK_AHEAD + 100 : LOOK_AHEAD + 5 * BLOCK]) == {20}
    stage.player.finish("a")
    stage.pull(1)
    assert stage.of(LineEnded)[-1].underruns == 1


@given(st.integers(0, 2**32 - 1), st.integers(2, 6), st.integers(20, 600))
@settings(deadline=None, max_examples=50)
def test_the_loudest_crowd_stays_below_the_ceiling(seed: int, n_voices: int, block: int) -> None:
    chance = np.random.default_rng(seed)
    mixer, out = Mixer(CEILING_DBFS), np.zeros(block, np.int16)
    for _ in range(5):
        voices = [chance.integers(-32_768, 32_767, block, np.int16, endpoint=True) for _ in range(n_voices)]
        mixer.mix(voices, out)
        assert np.abs(out.astype(int)).max() <= HIGHEST
