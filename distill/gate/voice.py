"""Voice as the gate knows it: what a corpus teaches of one character in one language."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..files import replacing
from ..sound import Audio
from .alignment import Alignment, align, spectral_timbre
from .config import GateConfig
from .fault import Fault
from .first_look import Heard
from .learn import learn
from .manner import Manner, Sample, Vector, learn_manner
from .phonetics import STATES, Phonetics
from .spectrum import STEP_S
from .words import judge_words

Timbre = Callable[[Audio], Vector | None]  # of a teacher that has one

LEARN_LINES = 300  # enough for every phoneme; more only take longer
EMOTION_LINES = 15  # fewest from which the manner of an emotion is learnt
FORMAT = 2  # of the file; one of another format is learnt again
ANY = ""  # name of the manner of all emotions together


def no_timbre(audio: Audio) -> Vector | None:
    """Stand in for a teacher that gives no timbre."""
    return None


@dataclass(frozen=True)
class Voice:
    """Phonetics of all emotions together, and the manner of each."""

    phonetics: Phonetics
    manners: dict[str, Manner]
    """By emotion; ``ANY`` for one that had too few lines."""
    n_lines: int
    """Learnt from."""

    def judge(self, config: GateConfig, line: Heard, timbre: Timbre = no_timbre) -> Fault | None:
        """Find what is wrong with a line: its length, words, likeness to what is written, timbre."""
        alignment = align(self.phonetics, line)
        if alignment is None:
            needed = STATES * line.n_sounded
            detail = f"{len(line.cepstra)} frames of 10 ms, fewer than {needed} for its phonemes"
            return Fault("length", len(line.cepstra), needed, detail)
        fault = judge_words(config, line, alignment, self.n_lines)
        if fault is not None:
            return fault
        manner = self.manners.get(line.emotion, self.manners[ANY])
        return manner.judge(config, _sample(self.phonetics, line, alignment, timbre))

    def describe(self) -> dict[str, Any]:
        """Give what was learnt in numbers, without the vectors; ``all`` is all emotions together."""
        manners = {emotion or "all": manner.to_dict() for emotion, manner in self.manners.items()}
        plain = {
            emotion: {key: round(value, 4) for key, value in values.items() if isinstance(value, float)}
            for emotion, values in manners.items()
        }
        return {"lines": self.n_lines, "emotions": plain}

    def save(self, path: Path, key: str) -> None:
        """Write a file that appears whole or not at all; the key says what it was learnt from."""
        described = {
            "format": FORMAT,
            "key": key,
            "n_lines": self.n_lines,
            "units": self.phonetics.units,
            "manners": {emotion: manner.to_dict() for emotion, manner in self.manners.items()},
        }
        with replacing(path) as unfinished, unfinished.open("wb") as file:
            np.savez(
                file,
                means=self.phonetics.means,
                variances=self.phonetics.variances,
                lengths=self.phonetics.lengths,
                described=np.array(json.dumps(described, ensure_ascii=False)),
            )

    @classmethod
    def load(cls, path: Path, key: str) -> Voice | None:
        """Read what ``save`` wrote; None when there is nothing, or it was learnt otherwise."""
        if not path.is_file():
            return None
        with np.load(path) as data:
            described = json.loads(str(data["described"]))
            if described.get("format") != FORMAT or described["key"] != key:
                return None
            arrays = (data["means"], data["variances"], data["lengths"])
            phonetics = Phonetics(tuple(described["units"]), *arrays)
        manners = {emotion: Manner.from_dict(values) for emotion, values in described["manners"].items()}
        return cls(phonetics, manners, described["n_lines"])


def learn_voice(lines: Sequence[Heard], timbre: Timbre = no_timbre) -> Voice:
    """Learn from lines that passed the first look; some of them may still be bad."""
    phonetics = learn(lines)
    samples = [
        _sample(phonetics, line, alignment, timbre)
        for line in lines
        if (alignment := align(phonetics, line)) is not None
    ]
    by_emotion: dict[str, list[Sample]] = {ANY: samples}
    for sample in samples:
        by_emotion.setdefault(sample.line.emotion, []).append(sample)
    manners = {e: learn_manner(own) for e, own in by_emotion.items() if e == ANY or len(own) >= EMOTION_LINES}
    return Voice(phonetics, manners, len(samples))


def _sample(phonetics: Phonetics, line: Heard, alignment: Alignment, timbre: Timbre) -> Sample:
    own = timbre(line.audio)
    if own is None:
        own = spectral_timbre(phonetics, line, alignment)
    usual_s = STEP_S * phonetics.usual_frames(line.reading.phonemes)
    return Sample(line, usual_s, alignment.fit, np.asarray(own, np.float32).reshape(-1))
