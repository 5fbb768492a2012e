"""Flite as a teacher: its ``slt`` voice is the clearest English of the free ones; one character, neutral."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import soundfile as sf

from edge.text import Reading

from .base import LineRejectedError, LineRequest, Origin, Teacher, TeacherError, TeacherLine
from .settings import FliteSettings

VOICE = "slt"
_MADE_FROM = {"kal16": "kal (Alan W Black and Kevin Lenzo)"}  # the others are CMU ARCTIC speakers
# Flite tells a reduced vowel from a stressed one; ours has that in the stress digit, which is not compared.
_PHONE_TIME = re.compile(r"(?:^|\s)([a-z]+):(\d+\.\d+)(?=\s|$)")
_SAME = {"ax": "ah", "axr": "er"}

Lexicon = dict[str, dict[tuple[str, ...], None]]  # phones by word; a set that keeps its order


class FliteTeacher(Teacher):
    """Runs the program once per line; rejects what Flite still pronounces otherwise than our dictionary."""

    name = "flite"
    literal = True

    def __init__(self, settings: FliteSettings | None = None) -> None:
        self._voice = settings.voice if settings else VOICE
        if shutil.which("flite") is None:
            raise TeacherError("flite is not installed; install it with: apt install flite")

    @cached_property
    def _version(self) -> str:
        answer = subprocess.run(["flite", "--version"], capture_output=True, text=True, check=False)
        words = (answer.stdout + answer.stderr).split()
        return next((word for word in words if word.startswith("flite-")), "unknown")

    def origin(self) -> Origin:
        """Name Flite, the voice and their licence."""
        voice = _MADE_FROM.get(self._voice, f"{self._voice} (CMU ARCTIC)")
        credit = f"CMU Flite, voice {voice}; Carnegie Mellon University; run as a separate program"
        return Origin(self.name, self._version, "BSD-style (Flite and CMU ARCTIC)", credit)

    def delivery(self, request: LineRequest) -> str:
        """The voice, and that words are entered into its lexicon."""
        return f"{self._voice} with our lexicon"

    def synthesize(self, request: LineRequest) -> TeacherLine:
        """Speak one line of English from its text, every word pronounced as the reading has it."""
        try:
            return self._speak(request, _lexicon(request.reading, reduced="ax0"))
        except LineRejectedError:
            pass
        try:
            # Flite says "thee" before a vowel where our dictionary has one "the"; a full vowel is left alone.
            return self._speak(request, _lexicon(request.reading, reduced="ah0"))
        except LineRejectedError:
            # Its lexicon holds one pronunciation of a word, a line sometimes two: "the other, the one".
            lexicon = _lexicon(request.reading, reduced="ax0")
            return self._speak(
                request, {name: phones for name, phones in lexicon.items() if len(phones) == 1}
            )

    def _speak(self, request: LineRequest, lexicon: Lexicon) -> TeacherLine:
        with tempfile.TemporaryDirectory() as folder:
            sound, words = Path(folder) / "line.wav", Path(folder) / "words.lex"
            entries = [f"{name} 0 : {' '.join(one)}\n" for name, phones in lexicon.items() for one in phones]
            words.write_text("".join(entries), "utf-8")
            text = request.reading.normalized.replace("…", "...")
            stretch = f"duration_stretch={1 / request.rate:.4f}"
            command = ["flite", "--setf", stretch, "-add_lex", str(words), "-voice", self._voice, "-psdur"]
            command += ["-o", str(sound), "-t", text]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode != 0 or not sound.exists():
                reason = f"failed with status {done.returncode} on {text!r}: {done.stderr.strip()}"
                raise TeacherError(f"flite {reason}")
            audio, sample_rate = sf.read(sound, dtype="float32")
        times = _phone_times(done.stdout)
        _compare(request.reading.phonemes, [name for name, _ in times])
        return TeacherLine(audio, sample_rate, tuple(times))


def _lexicon(reading: Reading, reduced: str) -> Lexicon:
    """Collect our pronunciations in Flite's phones, a possessive without its ending as well."""
    lexicon: Lexicon = {}
    for word in reading.words:
        name = word.text.lower()
        phonemes = reading.phonemes[word.start : word.end]
        # Flite's phone set has no secondary stress.
        phones = tuple(reduced if p == "AH0" else p.lower().replace("2", "1") for p in phonemes)
        lexicon.setdefault(name, {})[phones] = None
        if name.endswith("'s"):
            lexicon.setdefault(name[:-2], {})[phones[:-1]] = None
    return lexicon


def _phone_times(printed: str) -> list[tuple[str, float]]:
    """Read ``name:end`` pairs into names with their start."""
    times, start = [], 0.0
    for name, end in _PHONE_TIME.findall(printed):
        times.append((name, start))
        start = float(end)
    return times


def _compare(phonemes: Sequence[str], phones: Sequence[str]) -> None:
    ours = [phoneme.rstrip("012").lower() for phoneme in phonemes if phoneme[0].isalpha()]
    theirs = [_SAME.get(phone, phone) for phone in phones if phone != "pau"]
    if ours != theirs:
        raise LineRejectedError("phonemes", f"flite says {' '.join(theirs)} for {' '.join(ours)}")
