"""Independent ears: a recogniser, two judges of quality, and one of who speaks.

All of them hear 16 kHz and run on one thread. Each is made on first use, and what it needs is checked before.
"""

from __future__ import annotations

import contextlib
import io
import zlib
from collections.abc import Callable
from functools import cache
from importlib import util
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import soxr
from numpy.typing import NDArray

from edge.spec import SAMPLE_RATE

from ..config import DistillError
from .speech import Samples
from .whisper_files import FOLDER, MODEL

RATE = 16_000  # Hz
WINDOWS_S = (10, 20, 30)  # lengths that Whisper is given: it costs as much for silence as for speech
ROOM_S = 0.5  # of a window, left empty
BEAM = 5
LOOP_RATIO = 2.4  # what is shortened more is no speech
NO_REPEAT = 3  # tokens that may not come again in a row

WHISPER, DISTILL_MOS, DNS_MOS = "Whisper base, int8, beam 5, no loops", "DistillMOS", "DNSMOS P.835, overall"

Vector = NDArray[np.float32]


class MissingEarError(DistillError):
    """A model or its library is not there; the message names the remedy."""


class Recogniser(Protocol):
    """Writes down what is said."""

    def transcribe(self, audio: Samples, language: str) -> str:
        """Return what is heard in ``audio`` (n,) at 32 kHz."""
        ...


class Whisper:
    """OpenAI's Whisper through faster-whisper, without the memory of the line before and without luck.

    Args:
        folder: of a model for CTranslate2.

    Raises:
        MissingEarError: there is none, or faster-whisper is not installed.
    """

    def __init__(self, folder: Path) -> None:
        folder = folder.expanduser()
        require("faster_whisper", "faster-whisper")
        if not (folder / MODEL).is_file():
            raise MissingEarError(f"{folder} holds no Whisper; make it with: sovits-distill whisper {folder}")
        from faster_whisper import WhisperModel

        self._model = WhisperModel(str(folder), device="cpu", compute_type="int8", cpu_threads=1)

    def transcribe(self, audio: Samples, language: str) -> str:
        """Return what is heard in ``audio`` (n,) at 32 kHz; nothing in silence.

        Where it is caught in a loop, which says nothing about the sound, it listens again and may not repeat.
        """
        low = at_16_khz(audio)
        text = self._write(low, language)
        return self._write(low, language, no_repeat_ngram_size=NO_REPEAT) if is_loop(text) else text

    def _write(self, low: Vector, language: str, **options: Any) -> str:
        seconds = len(low) / RATE + ROOM_S
        window = next((length for length in WINDOWS_S if length >= seconds), WINDOWS_S[-1])
        segments, _ = self._model.transcribe(
            low, language=language, beam_size=BEAM, temperature=0.0, condition_on_previous_text=False,
            chunk_length=window, **options,
        )  # fmt: skip
        return "".join(segment.text for segment in segments).strip()


def is_loop(text: str) -> bool:
    """Tell whether a text says the same again and again, as Whisper finds out: it compresses too well."""
    written = text.encode()
    return len(written) > LOOP_RATIO * len(zlib.compress(written))


@cache
def whisper(folder: Path = FOLDER) -> Whisper:
    """Load the recogniser, once in each process."""
    return Whisper(folder)


@cache
def distill_mos() -> Callable[[Samples], float]:
    """Load DistillMOS (Microsoft, MIT): a score of 1 to 5 for (n,) at 32 kHz.

    Raises:
        MissingEarError: it is not installed.
    """
    require("distillmos", "distillmos")
    import torch

    with contextlib.redirect_stdout(io.StringIO()):  # it says where its weights are
        from distillmos import ConvTransformerSQAModel

        model = ConvTransformerSQAModel().eval()

    def judge(audio: Samples) -> float:
        with torch.no_grad():
            return float(model(torch.from_numpy(at_16_khz(audio))[None]).mean())

    return judge


@cache
def dns_mos() -> Callable[[Samples], float]:
    """Load DNSMOS P.835 (Microsoft, MIT): the overall score of 1 to 5 for (n,) at 32 kHz.

    Raises:
        MissingEarError: it is not installed.
    """
    require("speechmos", "speechmos")
    from speechmos import dnsmos

    def judge(audio: Samples) -> float:
        return float(dnsmos.run(np.clip(at_16_khz(audio), -1.0, 1.0), RATE)["ovrl_mos"])

    return judge


@cache
def timbre() -> Callable[[Samples], Vector]:
    """Load the speaker encoder of Resemblyzer (Apache-2.0): a vector of length 1 for (n,) at 32 kHz.

    Raises:
        MissingEarError: it is not installed.
    """
    require("resemblyzer", "resemblyzer")
    encoder, preprocess = _resemblyzer()

    def describe(audio: Samples) -> Vector:
        vector = encoder.embed_utterance(preprocess(at_16_khz(audio), source_sr=RATE))
        return np.asarray(vector, np.float32)

    return describe


def _resemblyzer() -> tuple[Any, Any]:
    import warnings

    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")  # webrtcvad asks pkg_resources for its version
        from resemblyzer import VoiceEncoder, preprocess_wav

        return VoiceEncoder("cpu", verbose=False), preprocess_wav


def at_16_khz(audio: Samples) -> Vector:
    """Bring (n,) at 32 kHz to what the models hear."""
    return np.asarray(soxr.resample(audio, SAMPLE_RATE, RATE), np.float32)


def require(module: str, package: str) -> None:
    """Find out whether a library is there without importing it.

    Raises:
        MissingEarError: it is not.
    """
    if util.find_spec(module) is None:
        raise MissingEarError(f"{package} is not installed; pip install 'sovits-tiny[evaluation]'")
