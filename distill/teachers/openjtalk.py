"""Open JTalk's ``mei`` as a teacher: Japanese with pitch accent, inside the pyopenjtalk-plus wheel."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import metadata, util

import numpy as np

from .base import LineRejectedError, LineRequest, Origin, Teacher, TeacherError, TeacherLine
from .settings import OpenJTalkSettings

# Vowels that Open JTalk may devoice but the inventory has only voiced; it has both forms of I and U.
_VOICED = {"A": "a", "E": "e", "O": "o"}


class OpenJTalkTeacher(Teacher):
    """Runs in this process (BSD licence); a line that it reads otherwise than our front end is rejected."""

    name = "openjtalk"
    literal = True

    def __init__(self, settings: OpenJTalkSettings | None = None) -> None:
        if util.find_spec("pyopenjtalk") is None:
            raise TeacherError(
                "pyopenjtalk-plus is not installed; install it with: pip install 'sovits-tiny[ja]'"
            )

    def origin(self) -> Origin:
        """Name Open JTalk and the voice, which asks for credit."""
        credit = (
            "HTS Voice 'Mei', Copyright (c) 2009-2018 MMDAgent Project Team / "
            "Department of Computer Science, Nagoya Institute of Technology, CC BY 3.0, https://www.mmdagent.jp/"
        )
        return Origin(
            self.name,
            metadata.version("pyopenjtalk-plus"),
            "CC-BY-3.0 (voice), BSD-3-Clause (program)",
            credit,
        )

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
        audio, sample_rate = pyopenjtalk.synthesize(labels, speed=request.rate)  # 48 kHz, in 16-bit units
        return TeacherLine((np.asarray(audio) / 32768).astype(np.float32), sample_rate)


def _compare(phonemes: Sequence[str], labels: Sequence[str]) -> None:
    ours = [phoneme for phoneme in phonemes if phoneme[0].isalpha()]
    theirs = list(_sounding(labels))
    if ours != theirs:
        raise LineRejectedError("phonemes", f"Open JTalk says {' '.join(theirs)} for {' '.join(ours)}")


def _sounding(labels: Sequence[str]) -> Iterator[str]:
    for label in labels:
        phoneme = label.split("-", 1)[1].split("+", 1)[0]
        if phoneme not in ("sil", "pau"):
            yield _VOICED.get(phoneme, phoneme)
