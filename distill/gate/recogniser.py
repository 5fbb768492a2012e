"""A recogniser of the user's as a last word: a command that prints what it hears."""

from __future__ import annotations

import re
import shlex
import subprocess
import tempfile
from functools import cache
from pathlib import Path

import numpy as np
import soundfile as sf
import soxr

from edge.errors import TextError
from edge.spec import SAMPLE_RATE
from edge.text import FrontEnd

from ..config import DistillError
from ..edit_distance import edit_distance
from ..sound import Audio
from .config import WHISPER, GateConfig
from .fault import Fault
from .first_look import Heard
from .phonetics import unit

RATE = 16_000  # Hz, what recognisers were trained on
_WORD = re.compile(r"[^\W_]+(?:'[^\W_]+)*")


def ask_recogniser(config: GateConfig, line: Heard, text: str) -> Fault | None:
    """Compare what the recogniser hears with the text of a line.

    Raises:
        DistillError: the command is missing, fails, or takes too long.
    """
    if config.recogniser is None:
        return None
    heard = transcribe(config, line.audio, line.language)
    error = min(written_error(text, heard, line.language), spoken_error(line, heard))
    if error <= config.recogniser_error:
        return None
    return Fault("recogniser", error, config.recogniser_error, f"heard as {heard!r}")


def transcribe(config: GateConfig, audio: Audio, language: str) -> str:
    """Give what Whisper hears, or run the command on a line and give what it prints.

    Raises:
        DistillError: as above; the message names the setting and shows the command's own.
    """
    assert config.recogniser is not None
    if config.recogniser == WHISPER:
        from ..evaluation.listener import whisper

        return whisper().transcribe(audio, language)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "line.wav"
        low = np.clip(soxr.resample(audio, SAMPLE_RATE, RATE), -1, 1)
        sf.write(path, low, RATE, subtype="PCM_16")
        words = shlex.split(config.recogniser)
        command = [w.replace("{wav}", str(path)).replace("{language}", language) for w in words]
        try:
            done = subprocess.run(
                command, capture_output=True, stdin=subprocess.DEVNULL, timeout=config.recogniser_timeout_s,
                check=False,
            )  # fmt: skip
        except OSError as error:
            reason = f"{words[0]!r} cannot be started: {error.strerror or error}"
            raise DistillError(f"[gate] recogniser: {reason}; give the path of a program") from error
        except subprocess.TimeoutExpired as error:
            reason = f"{words[0]!r} took more than {config.recogniser_timeout_s:g} s for one line"
            raise DistillError(f"[gate] recogniser: {reason}; raise recogniser_timeout_s") from error
    if done.returncode != 0:
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        reason = f"{words[0]!r} ended with status {done.returncode}: {said[-1] if said else 'no message'}"
        raise DistillError(f"[gate] recogniser: {reason}")
    return " ".join(done.stdout.decode("utf-8", "replace").split())


def written_error(text: str, heard: str, language: str) -> float:
    """Give the share of characters (Chinese, Japanese) or words (English) that differ, 0 to above 1."""
    said, found = (_WORD.findall(part.lower()) for part in (text, heard))
    if language != "en":
        said, found = list("".join(said)), list("".join(found))
    return edit_distance(said, found) / max(1, len(said))


def spoken_error(line: Heard, heard: str) -> float:
    """Give the share of phonemes that differ: what is written otherwise may be said alike."""
    try:
        found = _front_end().read(heard, line.language).phonemes
    except TextError:
        return 1.0
    said, other = ([name for s in symbols if (name := unit(s))] for symbols in (line.reading.phonemes, found))
    return edit_distance(said, other) / max(1, len(said))


@cache
def _front_end() -> FrontEnd:
    return FrontEnd()
