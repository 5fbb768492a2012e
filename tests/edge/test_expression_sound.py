"""Expression in the plan of the built-in voice: frames and Hz, as they are sounded."""

from __future__ import annotations

import numpy as np
import pytest

from edge.prosody import FramePlan
from edge.synthesizer import SpeechRequest, Synthesizer
from edge.text.symbols import PUNCTUATION


@pytest.fixture(scope="module")
def voice() -> Synthesizer:
    return Synthesizer.load(None, threads=1)


def plan(voice: Synthesizer, text: str, character: str = "ava") -> tuple[FramePlan, slice]:
    """Of the first phrase, and which of its frames are of sounds, not of silence and marks around them."""
    line = voice.prepare(SpeechRequest(text, character))
    found = voice.encode(line, line.phrases[0]).plan
    ends = np.cumsum(found.durations)
    symbols = line.phrases[0].symbols
    last = max(i for i, symbol in enumerate(symbols) if symbol not in PUNCTUATION and symbol != "cl")
    return found, slice(int(ends[0]), int(ends[last]))


def length(voice: Synthesizer, text: str) -> int:
    """Frames from the first sound to the last."""
    sounds = plan(voice, text)[1]
    return sounds.stop - sounds.start


def rise(voice: Synthesizer, text: str, character: str = "ava") -> float:
    """Semitones from the first third of the sounds to the last."""
    found, sounds = plan(voice, text, character)
    edges = found.f0_edges[sounds]
    third = max(1, len(edges) // 3)
    return float(12 * np.log2(edges[-third:].mean() / edges[:third].mean()))


def height(voice: Synthesizer, text: str) -> float:
    """Mean of ln(Hz), in semitones."""
    return float(12 / np.log(2) * np.log(plan(voice, text)[0].f0_edges).mean())


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
    assert length(voice, drawn) >= least * length(voice, plain)


@pytest.mark.parametrize("character", ["noah", "ava"])
@pytest.mark.parametrize(
    "call",
    ["啊", "嗯", "哦", "え", "えっ", "えー", "は", "はあ", "へえ", "ん", "うん", "Huh", "Hm", "Hmm", "Eh"],
)
def test_doubt_rises(voice: Synthesizer, call: str, character: str) -> None:
    asked, told = (rise(voice, call + mark, character) for mark in "？。")
    assert asked > 0.25
    assert asked > told + 0.5


@pytest.mark.parametrize("line", ["快跑", "Run", "逃げろ"])
def test_repeated_calls_are_higher_within_limits(voice: Synthesizer, line: str) -> None:
    one, three, many = (height(voice, line + "！" * count) for count in (1, 3, 30))
    assert one + 0.5 < three <= many + 0.01
    assert many < one + 3


def test_repeated_questions_lift_the_last_word(voice: Synthesizer) -> None:
    assert height(voice, "Really???") > height(voice, "Really?") + 0.5
