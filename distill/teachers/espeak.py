"""espeak-ng as a teacher: one timbre per character in three languages, emotions by prosody."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from .base import LineRejectedError, LineRequest, Origin, Teacher, TeacherError, TeacherLine
from .espeak_phonemes import espeak_text
from .settings import EspeakSettings

_WORKER = Path(__file__).with_name("espeak_worker.py")
_VOICES = {"en": "en-us", "zh": "cmn-latn-pinyin", "ja": "ja"}


@dataclass(frozen=True)
class Delivery:
    """How a line is said, in espeak's units."""

    rate: int
    """Words per minute, 175 is espeak's default."""
    pitch: int
    """Base pitch 0-99, 50 is the variant's own."""
    range: int
    """Pitch range 0-99, 50 is the variant's own."""
    volume: int
    """100 is the default; espeak clips a little above 150."""


_VARIANTS = Path(__file__).with_name("variants")  # one timbre per character and, by spectral tilt, emotion
CHARACTERS = ("noah", "ava")

DELIVERIES = {
    "neutral": Delivery(rate=160, pitch=50, range=50, volume=90),
    "happy": Delivery(rate=178, pitch=66, range=85, volume=100),
    "sad": Delivery(rate=125, pitch=36, range=22, volume=65),
    "angry": Delivery(rate=196, pitch=46, range=78, volume=125),
}
# Mandarin syllables are longer per "word": espeak counts a syllable as a word.
_LANGUAGE_RATE = {"en": 1.0, "zh": 1.08, "ja": 0.95}


class EspeakTeacher(Teacher):
    """Talks to a worker process that holds libespeak-ng.

    Args:
        settings: timbre of a voice of its own, which speaks for any character; without, the characters are
            ``CHARACTERS``.
    """

    name = "espeak-ng"
    literal = True

    def __init__(self, settings: EspeakSettings | None = None) -> None:
        if shutil.which("espeak-ng") is None:
            raise TeacherError("espeak-ng is not installed; install it with: apt install espeak-ng")
        self._settings = settings
        self._process: subprocess.Popen[str] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    @cached_property
    def _version(self) -> str:
        answer = subprocess.run(["espeak-ng", "--version"], capture_output=True, text=True, check=True)
        return answer.stdout.split(":", 1)[1].split()[0]

    def origin(self) -> Origin:
        """Name espeak-ng and its licence."""
        credit = (
            "eSpeak NG, https://github.com/espeak-ng/espeak-ng; "
            "run as a separate program, no part of it is included"
        )
        return Origin(self.name, self._version, "GPL-3.0-or-later (program)", credit)

    def delivery(self, request: LineRequest) -> str:
        """Variant, prosody and the line as espeak reads it."""
        variant = self._timbre(self._variant(request))
        rate = self._rate(request.language)
        return f"{variant} {DELIVERIES[request.emotion]} {rate} {_espeak_text(request)}"

    def synthesize(self, request: LineRequest) -> TeacherLine:
        """Speak one line from its phonemes."""
        variant = self._variant(request)
        delivery = DELIVERIES[request.emotion]
        answer = self._ask(
            text=_espeak_text(request),
            voice=f"{_VOICES[request.language]}+{variant}",
            rate=round(delivery.rate * self._rate(request.language) * request.rate),
            pitch=delivery.pitch,
            range=delivery.range,
            volume=delivery.volume,
        )
        pcm = np.frombuffer(base64.b64decode(answer["pcm"]), np.int16).astype(np.float32)
        times = tuple((name, float(start)) for name, start in answer["events"])
        return TeacherLine(pcm / np.float32(32768), answer["sample_rate"], times)

    def _variant(self, request: LineRequest) -> str:
        emotions = self._settings.emotions if self._settings else tuple(DELIVERIES)
        characters = (request.character,) if self._settings else CHARACTERS
        if request.character not in characters or request.emotion not in emotions:
            raise TeacherError(
                f"espeak-ng has no {request.emotion} {request.character}; "
                f"characters are {', '.join(characters)}, emotions {', '.join(emotions)}"
            )
        return f"{self._settings.variant if self._settings else request.character}-{request.emotion}"

    def _timbre(self, variant: str) -> str:
        """Give the variant file."""
        text = (_VARIANTS / variant).read_text("utf-8")
        return _retuned(text, self._settings.pitch, self._settings.formants) if self._settings else text

    def _rate(self, language: str) -> float:
        return _LANGUAGE_RATE[language] * (self._settings.rate if self._settings else 1.0)

    def _variant_folder(self) -> str:
        if self._settings is None:
            return str(_VARIANTS)
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory()
            for path in _VARIANTS.iterdir():
                (Path(self._folder.name) / path.name).write_text(self._timbre(path.name), "utf-8")
        return self._folder.name

    def _ask(self, **request: Any) -> dict[str, Any]:
        process = self._running()
        assert process.stdin is not None and process.stdout is not None
        with suppress(BrokenPipeError):
            process.stdin.write(json.dumps(request) + "\n")
            process.stdin.flush()
        answer = _read(process)
        if answer is None:
            self.close()
            raise TeacherError("the espeak-ng worker was ended from outside; run the command again to go on")
        if "crash" in answer:
            raise LineRejectedError("crash", f"espeak-ng ended with {answer['crash']} on {request['text']!r}")
        if "error" in answer:
            raise TeacherError(f"espeak-ng: {answer['error']}")
        return answer

    def _running(self) -> subprocess.Popen[str]:
        if self._process is None:
            command = [sys.executable, "-I", str(_WORKER), self._variant_folder()]
            # A session of its own: Ctrl-C is for us, and the worker ends with its input.
            self._process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
            )
            if _read(self._process) is None:
                self.close()
                raise TeacherError(
                    "the espeak-ng worker did not start (its message is above); "
                    "check the library with: apt install libespeak-ng1 espeak-ng-data"
                )
        return self._process

    def close(self) -> None:
        """End the worker."""
        process, self._process = self._process, None
        if process is not None and process.stdin is not None and process.stdout is not None:
            with suppress(BrokenPipeError):
                process.stdin.close()
            process.stdout.close()
            process.wait(timeout=10)
        folder, self._folder = self._folder, None
        if folder is not None:
            folder.cleanup()


def _retuned(variant: str, pitch: float, formants: float) -> str:
    """Scale the frequencies of a variant file: ``pitch LOW HIGH`` and ``formant NUMBER FREQUENCY ...``."""
    rows = []
    for row in variant.splitlines():
        key, *values = row.split() or [""]
        if key == "pitch":
            values = [str(round(float(value) * pitch)) for value in values]
        elif key == "formant":
            values[1] = str(round(float(values[1]) * formants))
        rows.append(" ".join((key, *values)))
    return "\n".join(rows) + "\n"


def _read(process: subprocess.Popen[str]) -> dict[str, Any] | None:
    """Read one answer; None when the process has ended."""
    assert process.stdout is not None
    line = process.stdout.readline()
    answer: dict[str, Any] | None = json.loads(line) if line.endswith("\n") else None
    return answer


def _espeak_text(request: LineRequest) -> str:
    try:
        return espeak_text(request.reading, request.language)
    except (KeyError, ValueError) as error:
        raise LineRejectedError("phoneme", f"espeak-ng has no sound for {error}") from error
