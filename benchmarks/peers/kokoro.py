"""Kokoro-82M, the teacher of the built-in voice, as ``sovits-distill kokoro`` assembled it."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from distill.teachers.base import LineRequest, TeacherError
from distill.teachers.kokoro import KokoroTeacher
from distill.teachers.kokoro_files import provenance
from distill.teachers.kokoro_network import SAMPLE_RATE
from distill.teachers.settings import KokoroSettings
from edge.text import FrontEnd

from .base import ENGLISH, Peer, PeerMissingError

VOICE = "af_heart"


def open_peer(folder: Path | None) -> Peer:
    """Load the network and read the sentence.

    Args:
        folder: of the assembled model; None for where the command puts it.

    Raises:
        PeerMissingError: it is not there.
    """
    settings = KokoroSettings.model_validate(
        {"kind": "kokoro", "voices": {VOICE: 1.0}} | ({"folder": folder} if folder else {})
    )
    try:
        teacher = KokoroTeacher(settings)
        teacher.rehearse()
        about = provenance(settings.folder.expanduser())
    except TeacherError as error:
        raise PeerMissingError(f"{error}; sovits-distill kokoro, see docs/kokoro.md") from error
    request = LineRequest(ENGLISH, FrontEnd().read(ENGLISH, "en"), "en", VOICE)
    differs = "24 kHz for our 32; 82 M parameters, weights of 8 bits; always one thread; not streamed"
    return Peer(
        "Kokoro-82M",
        about["name"].split()[-1],
        about["licence"],
        "en",
        SAMPLE_RATE,
        "phonemes to PCM",
        differs,
        1,
        partial(_speak, teacher, request),
    )


def _speak(teacher: KokoroTeacher, request: LineRequest) -> int:
    return len(teacher.synthesize(request).audio)
