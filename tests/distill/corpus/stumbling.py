"""A teacher that errs as one that samples does: espeak-ng, but on some seeds it says another thing.

    python -m tests.distill.corpus.stumbling FOLDER [DEVICES]

renders a small corpus with it, as the command does.
"""

from __future__ import annotations

import hashlib
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np

from distill.corpus.config import CorpusConfig, Recording
from distill.corpus.render import make_corpus
from distill.gate import GateConfig
from distill.corpus.measure_gate import join_words
from distill.teachers import LineRejectedError, LineRequest, Origin, Teacher, TeacherLine, make_teacher

FAULTS = ("dropped", "repeated", "endless", "clipped", "limit")  # one in four attempts has one of these


class Stumbling(Teacher):
    """Says one attempt in four wrong; which one, and how, depends on text, emotion and seed alone."""

    name = "stumbling"
    samples = True

    def __init__(self) -> None:
        self._espeak = make_teacher("espeak-ng")

    def origin(self) -> Origin:
        return Origin(self.name, "1", "none", "made to fail")

    def delivery(self, request: LineRequest) -> str:
        return self._espeak.delivery(request)

    def synthesize(self, request: LineRequest) -> TeacherLine:
        fault = fault_of(request)
        if fault == "limit":
            raise LineRejectedError("limit", "ran to its length limit")
        n_words = len(request.reading.words)
        spans = {
            "dropped": [(n_words // 2, n_words)],
            "repeated": [(0, n_words), (n_words // 2, n_words)],
            "endless": [(0, n_words)] * 6,
        }
        if fault in spans:
            request = replace(request, reading=join_words(request.reading, spans[fault]))
        line = self._espeak.synthesize(request)
        if fault == "clipped":
            limit = np.abs(line.audio).max() / 4
            return replace(line, audio=np.clip(line.audio, -limit, limit), phoneme_times=None)
        return replace(line, phoneme_times=None)

    def close(self) -> None:
        self._espeak.close()


def fault_of(request: LineRequest) -> str | None:
    """What is wrong with this attempt."""
    digest = hashlib.sha256(f"{request.text} {request.emotion} {request.seed}".encode()).digest()
    return FAULTS[digest[1] % len(FAULTS)] if digest[0] < 64 else None


def make(name: str) -> Teacher:
    return Stumbling() if name == "stumbling" else make_teacher(name)


SCRIPT = Path(__file__).parents[2] / "data" / "short_lines_zh.txt"
CONFIG = CorpusConfig(
    recordings=(
        Recording(
            character="noah", language="zh", teacher="stumbling", script=(str(SCRIPT),),
            lines={"neutral": 56}, test_lines={"neutral": 2},
        ),
    )
)  # fmt: skip
GATE = GateConfig(attempts=8, review_lines=30)


def main() -> None:
    folder, devices = Path(sys.argv[1]), int(sys.argv[2])
    make_corpus(CONFIG, folder, 1, GATE, make, devices)


if __name__ == "__main__":
    from tests.distill.corpus.stumbling import main as run  # by its name: the teacher goes to other processes

    run()
