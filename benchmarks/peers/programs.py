"""espeak-ng and Flite as programs, and Open JTalk: small synthesisers of the kind before neural networks."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from importlib import metadata

from .base import ENGLISH, JAPANESE, Peer, PeerMissingError

HEADER_BYTES = 44  # of a WAV file
PROGRAM = "text to PCM, start of the process included"


def espeak() -> Peer:
    """espeak-ng, formant synthesis.

    Raises:
        PeerMissingError: it is not installed.
    """
    version = next(word for word in _program("espeak-ng", "--version").split() if word[0].isdigit())
    differs = "22.05 kHz; formant synthesis, plainly a machine; GPL, so a process of its own"
    speak = _speaker(["espeak-ng", "--stdout", "-v", "en-us", ENGLISH])
    return Peer("espeak-ng", version, "GPL-3.0", "en", 22_050, PROGRAM, differs, 1, speak)


def flite() -> Peer:
    """Flite with its best small voice.

    Raises:
        PeerMissingError: it is not installed.
    """
    version = next(word for word in _program("flite", "--version").split() if word.startswith("flite-"))
    differs = "16 kHz; statistical parametric synthesis; English alone"
    speak = _speaker(["flite", "-voice", "slt", "-o", "/dev/stdout", "-t", ENGLISH])
    return Peer(
        "Flite slt", version.removeprefix("flite-"), "BSD-style", "en", 16_000, PROGRAM, differs, 1, speak
    )


def open_jtalk() -> Peer:
    """Open JTalk in this process.

    Raises:
        PeerMissingError: it is not installed.
    """
    try:
        import pyopenjtalk
    except ModuleNotFoundError as error:
        raise PeerMissingError("pip install 'sovits-tiny[ja]'") from error

    def speak() -> int:
        samples, _ = pyopenjtalk.tts(JAPANESE)
        return len(samples)

    version = metadata.version("pyopenjtalk-plus")
    differs = "48 kHz; hidden Markov models; Japanese alone"
    return Peer("Open JTalk", version, "modified BSD", "ja", 48_000, "text to PCM", differs, 1, speak)


def _program(name: str, *arguments: str) -> str:
    if shutil.which(name) is None:
        raise PeerMissingError(f"apt-get install {name}")
    answer = subprocess.run([name, *arguments], capture_output=True, text=True, timeout=30, check=False)
    return answer.stdout + answer.stderr


def _speaker(command: list[str]) -> Callable[[], int]:
    def speak() -> int:
        sound = subprocess.run(command, capture_output=True, check=True, timeout=60).stdout
        return (len(sound) - HEADER_BYTES) // 2

    return speak
