"""Flite's ``slt`` voice as a teacher: the clearest English of the free ones, one character, neutral."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path

import soundfile as sf

from edge.text import Reading

from .base import LineRejected, LineRequest, Origin, Teacher, TeacherError, TeacherLine

_VOICE = "slt"
# Flite tells a reduced vowel from a stressed one; ours carries that in the stress digit, which is not compared.
_PHONE_TIME = re.compile(r"(?:^|\s)([a-z]+):(\d+\.\d+)(?=\s|$)")
_SAME = {"ax": "ah", "axr": "er"}


class FliteTeacher(Teacher):
    """Runs the program once per line; a line that Flite still pronounces otherwise than our dictionary is rejected."""

    name = "flite"

    def __init__(self) -> None:
        if shutil.which("flite") is None:
            raise TeacherError("flite is not installed; install it with: apt install flite")

    @cached_property
    def _version(self) -> str:
        answer = subprocess.run(["flite", "--version"], capture_output=True, text=True, check=False)
        words = (answer.stdout + answer.stderr).split()
        return next((word for word in words if word.startswith("flite-")), "unknown")

    def origin(self) -> Origin:
        """Name Flite, the voice and their licence."""
        credit = "CMU Flite, voice slt (CMU ARCTIC); Carnegie Mellon University; run as a separate program"
        return Origin(self.name, self._version, "BSD-style (Flite and CMU ARCTIC)", credit)

    def delivery(self, request: LineRequest) -> str:
        """The voice, and that words are entered into its lexicon."""
        return f"{_VOICE} with our lexicon"

    def synthesize(self, request: LineRequest) -> TeacherLine:
        """Speak one line of English from its text, every word pronounced as the reading has it."""
        try:
            return self._speak(request, reduced="ax0")
        except LineRejected:
            # Flite says "thee" before a vowel where our dictionary has one "the"; a full vowel is left alone.
            return self._speak(request, reduced="ah0")

    def _speak(self, request: LineRequest, reduced: str) -> TeacherLine:
        with tempfile.TemporaryDirectory() as folder:
            path, lexicon = Path(folder) / "line.wav", Path(folder) / "words.lex"
            lexicon.write_text("".join(_lexicon_entries(request.reading, reduced)), "utf-8")
            text = request.reading.normalized.replace("…", "...")
            options = ["--setf", f"duration_stretch={1 / request.rate:.4f}", "-add_lex", str(lexicon), "-voice", _VOICE]
            command = ["flite", *options, "-psdur", "-o", str(path), "-t", text]
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode != 0 or not path.exists():
                raise TeacherError(f"flite failed with status {done.returncode} on {text!r}: {done.stderr.strip()}")
            audio, sample_rate = sf.read(path, dtype="float32")
        times = _phone_times(done.stdout)
        _compare(request.reading.phonemes, [name for name, _ in times])
        return TeacherLine(audio, sample_rate, tuple(times))


def _lexicon_entries(reading: Reading, reduced: str) -> Iterator[str]:
    """Write our pronunciations in Flite's lexicon format; a possessive is entered without its ending as well."""
    for word in reading.words:
        name = word.text.lower()
        phonemes = reading.phonemes[word.start : word.end]
        # Flite's phone set has no secondary stress.
        phones = [reduced if p == "AH0" else p.lower().replace("2", "1") for p in phonemes]
        yield f"{name} 0 : {' '.join(phones)}\n"
        if name.endswith("'s"):
            yield f"{name[:-2]} 0 : {' '.join(phones[:-1])}\n"


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
        raise LineRejected("phonemes", f"flite says {' '.join(theirs)} for {' '.join(ours)}")
