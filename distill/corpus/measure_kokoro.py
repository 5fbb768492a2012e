"""Whether Kokoro-82M says what its label says: pitch accent, third-tone sandhi, emotions.

    python -m distill.corpus.measure_kokoro --out benchmarks/results/quality/kokoro.json

Needs the assembled model (docs/kokoro.md); takes some seven minutes on one core.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib import metadata
from itertools import pairwise
from pathlib import Path
from typing import Any

import click
import numpy as np
import pyworld
from numpy.typing import NDArray

from edge.text import FrontEnd, Reading
from edge.text.symbols import PUNCTUATION

from ..config import DistillError
from ..ledger import device
from ..script import load_lines
from ..sound import sounding, step_levels
from ..teachers import LineRequest, TeacherError, TeacherLine
from ..teachers.kokoro import VOICED_HZ, KokoroTeacher
from ..teachers.kokoro_accent import accented
from ..voice.config import load_recipe

CONFIG = Path(__file__).parents[1] / "configs" / "builtin.toml"
PITCH_STEP_S = 0.0125
VOWELS = frozenset("aiueoAIUEO") | {"N"}
N_ACCENT_LINES, N_EMOTION_LINES = 150, 6
FRAMES = ("今天他说的那个{}是真的。", "我们都知道{}很重要。", "他一直在说{}。")
SECOND_THIRD = (
    "牛奶 啤酒 没有 词典 苹果 红酒 人口 如果 结果 毛笔 长久 言语 明显 联想 平等 全体 门口 游泳 罚款 停止"
)
THIRD_THIRD = (
    "你好 水果 可以 雨伞 手表 老虎 勇敢 小姐 洗澡 语法 所有 总理 友好 表演 港口 粉笔 海水 理解 演讲 打扰"
)

Floats = NDArray[np.float64]


def semitones(f0: NDArray[np.float32], start: float, end: float) -> float:
    """Give the median F0 of the middle half of a stretch, in semitones over 1 Hz; NaN where unvoiced."""
    first, last = (round((start + share * (end - start)) / PITCH_STEP_S) for share in (0.25, 0.75))
    piece = f0[first : max(first + 1, last)]
    voiced = piece[piece > VOICED_HZ]
    return float(12 * np.log2(np.median(voiced))) if len(voiced) else float("nan")


def steps_at_marks(reading: Reading, starts: Floats, f0: NDArray[np.float32]) -> Iterator[tuple[str, float]]:
    """Yield the pitch mark between two vowels of a clause, or nothing, and the step of F0 in semitones."""
    vowels = [i for i, symbol in enumerate(reading.phonemes) if symbol in VOWELS]
    for one, other in pairwise(vowels):
        between = reading.phonemes[one + 1 : other]
        step = semitones(f0, starts[other], starts[other + 1]) - semitones(f0, starts[one], starts[one + 1])
        if not np.isnan(step) and not set(between) & set(PUNCTUATION):
            yield "".join(symbol for symbol in between if symbol in "[]"), step


def accent(teacher: KokoroTeacher, front_end: FrontEnd) -> dict[str, Any]:
    """Compare F0 with the pitch marks, as the network guesses it and as it is drawn."""
    texts = [line.text for line in load_lines("ja") if line.kind in ("sentence", "pattern")]
    found: dict[str, list[tuple[str, float]]] = {"own": [], "drawn": []}
    for text in texts[:: max(1, len(texts) // N_ACCENT_LINES)]:
        reading = front_end.read(text, "ja")
        starts, prosody = teacher.predict(LineRequest(text, reading, "ja", ""))
        found["own"] += steps_at_marks(reading, starts, prosody.f0)
        drawn = accented(prosody.f0, reading, starts, VOICED_HZ)
        found["drawn"] += steps_at_marks(reading, starts, drawn)
    return {name: {mark: _steps(steps, mark) for mark in ("[", "]")} for name, steps in found.items()}


def _steps(steps: Sequence[tuple[str, float]], mark: str) -> dict[str, float]:
    """Summarise the steps at a mark; the area under the ROC curve sets them against those at none."""
    sign = 1 if mark == "[" else -1
    marked = np.array([step for between, step in steps if between == mark]) * sign
    plain = np.array([step for between, step in steps if not between]) * sign
    return {
        "n": len(marked),
        "median_st": round(float(np.median(marked)) * sign, 2),
        "right_percent": round(100 * float((marked > 0).mean()), 1),
        "auc": round(float((marked[:, None] > plain).mean()), 3),
    }


def sandhi(teacher: KokoroTeacher, front_end: FrontEnd) -> dict[str, float]:
    """Give the rise over the first of two syllables in semitones, by its tone and the one that is written."""
    cases = {
        "second, written second": (SECOND_THIRD, ""),
        "third before third, written second": (THIRD_THIRD, "2"),
        "third before third, written third": (THIRD_THIRD, "3"),
    }
    return {
        name: round(float(np.nanmean([*_rises(teacher, front_end, words.split(), tone)])), 1)
        for name, (words, tone) in cases.items()
    }


def _rises(teacher: KokoroTeacher, front_end: FrontEnd, words: Sequence[str], tone: str) -> Iterator[float]:
    for word in words:
        for frame in FRAMES:
            text = frame.format(word)
            reading = front_end.read(text, "zh")
            rime = reading.offsets.index(text.index(word)) + 1
            phonemes = list(reading.phonemes)
            phonemes[rime] = phonemes[rime][:-1] + (tone or phonemes[rime][-1])
            reading = replace(reading, phonemes=tuple(phonemes))
            starts, prosody = teacher.predict(LineRequest(text, reading, "zh", ""))
            start, length = starts[rime], starts[rime + 1] - starts[rime]
            first, last = (round((start + share * length) / PITCH_STEP_S) for share in (0.1, 0.9))
            ends = prosody.f0[[first, min(last, len(prosody.f0) - 1)]]
            yield float(12 * np.log2(ends[1] / ends[0])) if ends.min() > VOICED_HZ else float("nan")


def emotions(teacher: KokoroTeacher, front_end: FrontEnd, language: str) -> dict[str, dict[str, float]]:
    """Measure on the sound how each emotion differs from neutral."""
    lines = [line.text for line in load_lines(language, name="heldout") if line.kind == "film"]
    measured: dict[str, list[Floats]] = {}
    for text in lines[:N_EMOTION_LINES]:
        reading = front_end.read(text, language)
        for emotion in ("neutral", "happy", "sad", "angry"):
            line = teacher.synthesize(LineRequest(text, reading, language, "", emotion))
            measured.setdefault(emotion, []).append(_prosody(line))
    calm = np.array(measured.pop("neutral"))
    return {name: _against(np.array(rows), calm) for name, rows in measured.items()}


def _prosody(line: TeacherLine) -> Floats:
    """Give the mean and spread of F0 in semitones, the level in dB and the length in seconds.

    F0 is that of the sound, where the tracker is within half an octave of what was told: it is an octave off
    in some 3 % of the steps, which would be most of the spread.
    """
    assert line.prosody is not None
    audio, told = line.audio, line.prosody.f0
    heard, _ = pyworld.harvest(
        audio.astype(np.float64), line.sample_rate, f0_floor=60, f0_ceil=600, frame_period=1000 * PITCH_STEP_S
    )
    count = min(len(heard), len(told))
    heard, told = heard[:count], told[:count]
    both = (heard > 0) & (told > VOICED_HZ)
    both[both] = np.abs(np.log2(heard[both] / told[both])) < 0.5
    pitch = 12 * np.log2(heard[both])
    power = step_levels(audio)[sounding(audio)] ** 2
    seconds = len(audio) / line.sample_rate
    return np.array([pitch.mean(), pitch.std(), 10 * np.log10(power.mean()), seconds])


def _against(rows: Floats, calm: Floats) -> dict[str, float]:
    shift, ratio = (rows - calm).mean(axis=0), (rows / calm).mean(axis=0)
    values = {"f0_st": shift[0], "f0_spread": ratio[1], "level_db": shift[2], "duration": ratio[3]}
    return {name: round(float(value), 2) for name, value in values.items()}


@click.command()
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), required=True, help="JSON to write.")
def main(out: Path) -> None:
    """Measure the teacher of the built-in voice."""
    make, front_end = load_recipe(CONFIG).make, FrontEnd()
    result: dict[str, Any] = {"device": device(), "versions": {}}
    result["versions"] = {name: metadata.version(name) for name in ("sovits-tiny", "onnxruntime", "numpy")}
    try:
        for name in ("noah", "ava", "mei"):
            teacher = make(name)
            assert isinstance(teacher, KokoroTeacher)
            result[name] = {"accent": accent(teacher, front_end)}
            if name != "mei":
                result[name]["sandhi_rise_st"] = sandhi(teacher, front_end)
                spoken = {language: emotions(teacher, front_end, language) for language in ("zh", "en", "ja")}
                result[name]["emotions"] = spoken
    except (TeacherError, DistillError) as error:
        raise click.ClickException(str(error)) from error
    out.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
