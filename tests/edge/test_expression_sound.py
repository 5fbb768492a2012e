"""Expression in the plan of the built-in voice: frames and Hz, as they are sounded."""

from __future__ import annotations

import numpy as np
import pytest

from edge.prosody import FramePlan
from edge.synthesizer import SpeechRequest, Synthesizer


@pytest.fixture(scope="module")
def voice() -> Synthesizer:
    return Synthesizer.load(None, threads=1)


def plan(voice: Synthesizer, text: str) -> FramePlan:
    """Of the first phrase."""
    line = voice.prepare(SpeechRequest(text, "ava"))
    return voice.encode(line, line.phrases[0]).plan


def rise(voice: Synthesizer, text: str) -> float:
    """Semitones from the first third of the sound to the last."""
    edges = plan(voice, text).f0_edges
    sounded = edges[len(edges) // 6 : len(edges) * 5 // 6]
    third = len(sounded) // 3
    return float(12 * np.log2(sounded[-third:].mean() / sounded[:third].mean()))


def height(voice: Synthesizer, text: str) -> float:
    """Mean of ln(Hz), in semitones."""
    return float(12 / np.log(2) * np.log(plan(voice, text).f0_edges).mean())


@pytest.mark.parametrize(
    ("plain", "drawn", "least"),
    [
        ("No!", "Nooooo!", 1.5), ("Wait!", "Waaait!", 1.15), ("Yes!", "Yesss!", 1.1), ("好。", "好～。", 1.1),
        ("はい。", "はーーい。", 1.2), ("救命啊！", "救命啊啊啊啊！", 1.4),
        ("What is that?", "W-what is that?", 1.1),
        ("我不知道。", "我、我不知道。", 1.1),
    ],
)  # fmt: skip
def test_drawn_out_and_stuttered_lines_last_longer(
    voice: Synthesizer, plain: str, drawn: str, least: float
) -> None:
    assert plan(voice, drawn).n_frames >= least * plan(voice, plain).n_frames


@pytest.mark.parametrize("call", ["啊", "嗯", "哦"])
def test_doubt_rises(voice: Synthesizer, call: str) -> None:
    assert rise(voice, f"{call}？") > max(rise(voice, f"{call}。"), 0) + 0.5


@pytest.mark.parametrize("line", ["快跑", "Run", "逃げろ"])
def test_repeated_calls_are_higher_within_limits(voice: Synthesizer, line: str) -> None:
    one, three, many = (height(voice, line + "！" * count) for count in (1, 3, 30))
    assert one + 0.5 < three <= many + 0.01
    assert many < one + 3


def test_repeated_questions_lift_the_last_word(voice: Synthesizer) -> None:
    assert height(voice, "Really???") > height(voice, "Really?") + 0.5
