"""How many faults the quality gate finds, and how many clean lines it takes for faulty.

    python -m distill.corpus.measure_gate

Free synthesisers speak lines of the script, and the same lines with faults made on purpose: words left out or
said twice, loops, an early end, another text, another voice, silence, clipping, wrong pace. A voice is learnt
from lines of which one in twenty is faulty, as in a corpus; others are judged. Every line is said a little
faster or slower than the gate is told, with faint noise: a teacher that samples does not repeat itself.
"""

from __future__ import annotations

import argparse
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import soxr

from edge.spec import SAMPLE_RATE
from edge.text import FrontEnd, Reading
from edge.text.frontend import Word

from .. import sound
from ..files import write_json
from ..gate import GateConfig, Heard, Voice, first_look, learn_voice
from ..progress_bar import ProgressBar
from ..script import load_lines
from ..sound import Audio
from ..teachers import LineRejectedError, LineRequest, Teacher, make_teacher

Spans = list[tuple[int, int]]  # of words
Verdicts = dict[str, list[tuple[str | None, str | None]]]  # by kind of fault: reasons, None for accepted

RESULT = Path(__file__).parents[2] / "benchmarks" / "results" / "quality" / "gate.json"
VOICES = (
    ("noah", "zh", "espeak-ng"), ("ava", "en", "espeak-ng"), ("noah", "ja", "espeak-ng"),
    ("claire", "en", "flite"),
)  # fmt: skip
OTHERS = {"noah": "ava", "ava": "noah"}  # of the same teacher; the rest are heard through another vocal tract
FAULTY_SHARE = 0.05  # of the lines that are learnt from
PACE = 0.1  # a line may be said that much faster or slower
NOISE_DB = -60.0  # below full scale
CLEAN = "clean"
KINDS = (
    CLEAN, "words dropped", "words repeated", "loop", "ends early",
    "another voice", "silence inside", "clipped", "half as fast",
)  # fmt: skip
_WAYS = KINDS[1:5]  # those in which other words are said
TRACT = 1.18  # times the frequencies, of a voice that has no second speaker
SLOWER = 0.5  # times the pace


@dataclass(frozen=True)
class Case:
    """A line of the script in one voice: how it should be said, and how it was said, by kind of fault."""

    reading: Reading
    language: str
    sounds: dict[str, Audio]

    def heard(self, kind: str = CLEAN) -> Heard:
        """Give one of the sounds to the gate."""
        return Heard(self.sounds[kind], self.reading, self.language)


# --- Lines and their faults ---------------------------------------------------------------------------------


def make_cases(booth: Booth, language: str, n_learn: int, n_judge: int) -> list[Case]:
    """Speak lines of the script: to learn from, each in one way, and to judge, each in every way."""
    draw = random.Random(language)
    script = [line.text for line in load_lines(language) if line.split == "train"]
    draw.shuffle(script)
    cases: list[Case] = []
    with ProgressBar("lines", n_learn + n_judge, "line") as bar:
        for text in script:
            kinds: Sequence[str] = KINDS
            if len(cases) < n_learn:
                kinds = (draw.choice(KINDS[1:]) if draw.random() < FAULTY_SHARE else CLEAN,)
            try:
                cases.append(booth.case(text, kinds))
            except LineRejectedError:
                continue
            bar.advance()
            if len(cases) == n_learn + n_judge:
                break
    return cases


class Booth:
    """Speaks lines right and wrong."""

    def __init__(self, teacher: Teacher, character: str, language: str) -> None:
        self._teacher, self._character, self._language = teacher, character, language
        self._draw = random.Random(f"{character} {language}")
        self._front_end = FrontEnd()

    def case(self, text: str, kinds: Sequence[str]) -> Case:
        """Speak a line in several ways; a line of fewer than three words is not said with other words.

        Raises:
            LineRejectedError: the teacher refuses it, right or wrong.
        """
        reading = self._front_end.read(text, self._language)
        sounds = {kind: self._handled(kind, text, reading) for kind in kinds if kind not in _WAYS}
        if len(reading.words) >= 3:
            spans = self._spans(len(reading.words))
            sounds |= {kind: self._misread(text, reading, spans[kind]) for kind in kinds if kind in _WAYS}
        return Case(reading, self._language, sounds)

    def _spans(self, n_words: int) -> dict[str, Spans]:
        """Choose the words that are said instead of all of them, in stretches."""
        first = self._draw.randrange(n_words)
        last = min(n_words, first + self._draw.choice((1, 1, 2)))
        stretches: tuple[Spans, ...] = (
            [(0, first), (last, n_words)],
            [(0, last), (first, n_words)],
            [(0, last), *[(first, last)] * 8, (last, n_words)],
            [(0, max(1, round(0.7 * n_words)))],
        )
        return dict(zip(_WAYS, stretches, strict=True))

    def _misread(self, text: str, reading: Reading, spans: Spans) -> Audio:
        """Say other words: by their phonemes where the teacher speaks from these, otherwise by the text."""
        if self._teacher.name == "espeak-ng":
            return self._speak(text, join_words(reading, spans))
        starts = [reading.offsets[word.start] for word in reading.words] + [len(text)]
        starts[0] = 0
        wrong = " ".join(text[starts[a] : starts[b]].strip() for a, b in spans if b > a)
        return self._speak(wrong, self._front_end.read(wrong, self._language))

    def _handled(self, kind: str, text: str, reading: Reading) -> Audio:
        if kind == "another voice":
            return self._another_voice(text, reading)
        audio = self._speak(text, reading, rate=SLOWER if kind == "half as fast" else 1.0)
        if kind == "clipped":
            limit = np.abs(audio).max() / 3
            return np.clip(audio, -limit, limit)
        if kind == "silence inside":
            place = round(len(audio) * self._draw.uniform(0.3, 0.7))
            silence = np.zeros(round(self._draw.uniform(0.8, 2.0) * SAMPLE_RATE), np.float32)
            return np.concatenate((audio[:place], silence, audio[place:]))
        return audio

    def _another_voice(self, text: str, reading: Reading) -> Audio:
        """Take the teacher's other character; where there is none, move all frequencies at the same pace."""
        if self._character in OTHERS:
            return self._speak(text, reading, OTHERS[self._character])
        slow = self._speak(text, reading, rate=1 / TRACT)
        return np.asarray(soxr.resample(slow, TRACT, 1.0), np.float32)

    def _speak(self, text: str, reading: Reading, character: str | None = None, rate: float = 1.0) -> Audio:
        rate *= self._draw.uniform(1 - PACE, 1 + PACE)
        request = LineRequest(text, reading, self._language, character or self._character, rate=rate)
        line = self._teacher.synthesize(request)
        audio = sound.trim(sound.resample(line.audio, line.sample_rate), 0.016, 0.1)[0]
        noise = np.random.default_rng(self._draw.getrandbits(32)).standard_normal(len(audio))
        return (audio + 10 ** (NOISE_DB / 20) * noise).astype(np.float32)


def join_words(reading: Reading, spans: Spans) -> Reading:
    """Read only some stretches of words, one after the other, with the marks that follow each word."""
    starts = [word.start for word in reading.words] + [len(reading.phonemes)]
    starts[0] = 0
    words: list[Word] = []
    kept: list[int] = []
    for first, last in spans:
        for word in reading.words[first:last]:
            moved = len(kept) - starts[first]
            words.append(Word(word.text, word.start + moved, word.end + moved))
        kept += range(starts[first], starts[last])
    return replace(
        reading,
        phonemes=tuple(reading.phonemes[i] for i in kept),
        languages=tuple(reading.languages[i] for i in kept),
        offsets=tuple(reading.offsets[i] for i in kept),
        words=tuple(words),
    )


# --- Judging them -------------------------------------------------------------------------------------------


def measure_voice(cases: Sequence[Case], n_learn: int, config: GateConfig) -> Verdicts:
    """Learn from the first cases, judge the others; give the reasons found for each kind of fault."""
    lines = [case.heard(next(iter(case.sounds))) for case in cases[:n_learn] if case.sounds]
    voice = learn_voice([line for line in lines if first_look(config, line) is None])
    verdicts: Verdicts = {}
    for case, other in zip(cases[n_learn:], [*cases[n_learn + 1 :], cases[n_learn]], strict=True):
        for kind in case.sounds:
            verdicts.setdefault(kind, []).append(_judge(config, voice, case.heard(kind)))
        swapped = replace(case.heard(), audio=other.sounds[CLEAN])
        if other.reading.phonemes != case.reading.phonemes:
            verdicts.setdefault("another text", []).append(_judge(config, voice, swapped))
    return verdicts


def _judge(config: GateConfig, voice: Voice, line: Heard) -> tuple[str | None, str | None]:
    """Give the reasons of the first look alone, and of the gate as a whole."""
    first = first_look(config, line)
    fault = first if first is not None else voice.judge(config, line)
    return first.reason if first else None, fault.reason if fault else None


def _table(verdicts: Verdicts) -> dict[str, Any]:
    rows: dict[str, Any] = {}
    for kind, found in verdicts.items():
        reasons = Counter(reason for _, reason in found if reason)
        rows[kind] = {
            "lines": len(found),
            "rejected_percent": round(100 * sum(reasons.values()) / len(found), 1),
            "first_look_percent": round(100 * sum(1 for first, _ in found if first) / len(found), 1),
            "reasons": dict(reasons.most_common()),
        }
    return rows


def measure(n_learn: int, n_judge: int) -> dict[str, Any]:
    """Measure every voice; give the result as it is kept."""
    config, voices = GateConfig(), {}
    everything: Verdicts = {}
    for character, language, name in VOICES:
        with make_teacher(name) as teacher:
            cases = make_cases(Booth(teacher, character, language), language, n_learn, n_judge)
        verdicts = measure_voice(cases, n_learn, config)
        voices[f"{character} {language}"] = _table(verdicts)
        for kind, found in verdicts.items():
            everything.setdefault(kind, []).extend(found)
    return {
        "measured": datetime.now(timezone.utc).isoformat(timespec="seconds"),
        "learnt_from": n_learn, "of_these_faulty_percent": 100 * FAULTY_SHARE,
        "gate": config.model_dump(), "all": _table(everything), "voices": voices,
    }  # fmt: skip


def main() -> None:
    """Run as a command."""
    parser = argparse.ArgumentParser(prog="python -m distill.corpus.measure_gate", description=__doc__)
    parser.add_argument("--learn", type=int, default=200, help="lines to learn from (%(default)s)")
    parser.add_argument("--judge", type=int, default=200, help="lines to judge (%(default)s)")
    parser.add_argument("--out", type=Path, default=RESULT, help="JSON file to write (%(default)s)")
    options = parser.parse_args()
    result = measure(options.learn, options.judge)
    print(f"{'':16}{'lines':>6}{'rejected':>10}{'first look':>12}  by")
    for kind, row in result["all"].items():
        share, first = f"{row['rejected_percent']} %", f"{row['first_look_percent']} %"
        print(f"{kind:16}{row['lines']:>6}{share:>10}{first:>12}  {row['reasons']}")
    options.out.parent.mkdir(parents=True, exist_ok=True)
    write_json(options.out, result)


if __name__ == "__main__":
    main()
