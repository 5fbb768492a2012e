"""What a sound file says of where it comes from: inaudible mark, label in the file, signed credentials."""

from __future__ import annotations

import io
import wave
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edge.labels.aigc import read_labels
from edge.watermark.detector import Detection, detect

from .errors import DeployError


@dataclass(frozen=True)
class Origin:
    """What the layers of a file say; a layer that is not there proves nothing about who spoke."""

    mark: Detection
    """What the detector of the inaudible mark found."""
    labels: list[dict[str, str]]
    """Labels in the file."""
    credentials: str
    """State that the library for C2PA gives; empty where there are none or it is not installed."""

    def to_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def lines(self) -> list[str]:
        """For people."""
        mark = self.mark
        told = f"score {mark.score}, best of the decoys {mark.best_decoy}, {mark.seconds} s"
        labels = [
            f"label: {one.get('ContentProducer', '?')}, {one.get('ProduceID', '?')}" for one in self.labels
        ]
        if len(self.labels) > 1:
            labels.append("label: more than one, where exactly one may be")
        signed = f"credentials: {self.credentials or 'none found'}"
        return [f"mark: {mark.verdict} ({told})", *(labels or ["label: none"]), signed]


def check_audio(path: Path, roots: Path | None = None) -> Origin:
    """Read every layer of a sound file.

    Args:
        path: of the file.
        roots: certificates that are believed, PEM; credentials that lead to one of them are ``Trusted``.

    Raises:
        DeployError: the file cannot be read as sound, or the certificates cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise DeployError(f"{path}: {error.strerror}; name a sound file") from error
    samples, rate = _samples(path, content)
    return Origin(detect(samples, rate), read_labels(content), _credentials(path, roots))


def _samples(path: Path, content: bytes) -> tuple[NDArray[np.float32], int]:
    """Mono sound; 16-bit WAV by ourselves, all else through soundfile where it is installed."""
    if content[:4] == b"RIFF":
        try:
            with wave.open(io.BytesIO(content)) as file:
                if file.getsampwidth() == 2:
                    pcm = np.frombuffer(file.readframes(file.getnframes()), "<i2").astype(np.float32) / 32768
                    return pcm.reshape(-1, file.getnchannels()).mean(axis=1), file.getframerate()
        except (wave.Error, EOFError, ValueError):
            pass  # another kind of WAV: soundfile knows more of them
    if find_spec("soundfile") is None:
        raise DeployError(f"{path}: not a 16-bit WAV; for other sound files: pip install soundfile")
    import soundfile

    try:
        audio, rate = soundfile.read(io.BytesIO(content), dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise DeployError(f"{path}: cannot be read as sound: {error}") from error
    mono: NDArray[np.float32] = audio.mean(axis=1)
    return mono, int(rate)


def _credentials(path: Path, roots: Path | None) -> str:
    if find_spec("c2pa") is None:
        return ""
    import c2pa

    try:
        settings = c2pa.Settings.from_dict(_trust(roots))
        with c2pa.Context(settings) as context, c2pa.Reader(str(path), context=context) as reader:
            return str(reader.get_validation_state())
    except c2pa.C2paError:
        return ""


def _trust(roots: Path | None) -> dict[str, Any]:
    if roots is None:
        return {}
    try:
        anchors = roots.read_text("ascii")
    except (OSError, ValueError) as error:
        raise DeployError(f"{roots}: cannot be read ({error}); name certificates in PEM") from error
    return {"trust": {"user_anchors": anchors}, "verify": {"verify_trust": True}}
