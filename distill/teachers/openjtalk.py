"""Open JTalk's ``mei`` as a teacher: a Japanese voice with pitch accent, inside the pyopenjtalk-plus wheel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import metadata

import numpy as np

from .base import LineRejected, LineRequest, Origin, Teacher, TeacherLine

_SAMPLE_RATE = 48_000  # Hz, of mei_normal
_DEVOICED = {"A": "a", "I": "i", "U": "u", "E": "e", "O": "o"}


class OpenJTalkTeacher(Teacher):
    """Runs in this process (BSD licence); a line that it reads otherwise than our front end is rejected."""

    name = "openjtalk"

    def origin(self) -> Origin:
        """Name Open JTalk and the voice, which asks for credit."""
        credit = (
            "HTS Voice 'Mei', Copyright (c) 2009-2018 MMDAgent Project Team / "
            "Department of Computer Science, Nagoya Institute of Technology, CC BY 3.0, https://www.mmdagent.jp/"
        )
        return Origin(self.name, metadata.version("pyopenjtalk-plus"), "CC-BY-3.0 (voice), BSD-3-Clause (program)", credit)

    def delivery(self, request: LineRequest) -> str:
        """The voice."""
        return "mei_normal"

    def synthesize(self, request: LineRequest) -> TeacherLine:
        """Speak one line of Japanese from its text."""
        import pyopenjtalk

        text = request.reading.normalized
        features = pyopenjtalk.run_frontend(text, use_sudachi_kanji_yomi=False)
        labels = pyopenjtalk.make_label(features)
        _compare(request.reading.phonemes, labels)
        audio, sample_rate = pyopenjtalk.synthesize(labels, speed=request.rate)
        return TeacherLine((np.asarray(audio) / 32768).astype(np.float32), sample_rate)


def _compare(phonemes: Sequence[str], labels: Sequence[str]) -> None:
    ours = [p for p in phonemes if p[0].isalpha()]
    theirs = [p for p in _sounding(labels)]
    if "".join(ours) != "".join(theirs):
        raise LineRejected("phonemes", f"Open JTalk says {' '.join(theirs)} for {' '.join(ours)}")


def _sounding(labels: Sequence[str]) -> Iterator[str]:
    for label in labels:
        phoneme = label.split("-", 1)[1].split("+", 1)[0]
        if phoneme not in ("sil", "pau"):
            yield phoneme if phoneme not in ("A", "E", "O") else _DEVOICED[phoneme]
