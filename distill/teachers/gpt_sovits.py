"""The studio's own GPT-SoVITS files as a teacher: v1, v2, v2Pro, v2ProPlus; the original is not needed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from .base import LineRequest, Origin, Teacher, TeacherError, TeacherLine
from .gpt_sovits_cut import cut
from .reference import Reference
from .settings import GptSovitsSettings

if TYPE_CHECKING:
    from .gpt_sovits_engine import Engine

# What decides nothing about the sound, or only by rounding.
_ELSEWHERE = {"kind", "licence", "credit", "device", "batch", "emotions"}
_NETWORKS = {"gpt_weights", "sovits_weights", "speaker_verification", "hubert", "roberta"}


class GptSovitsTeacher(Teacher):
    """Speaks with the networks in this process; they are loaded for the first line."""

    name = "gpt-sovits"
    samples = True

    def __init__(self, settings: GptSovitsSettings) -> None:
        self._settings = settings
        self._digests: dict[str, str] = {}
        for key in sorted(_NETWORKS):
            path = getattr(settings, key)
            if path is not None and not path.exists():
                raise TeacherError(f"there is no {path}; set {key} in [teacher] to where it is")

    @cached_property
    def _engine(self) -> Engine:
        from .gpt_sovits_engine import Engine

        return Engine(self._settings)

    def origin(self) -> Origin:
        """Name the files of the voice and who owns it."""
        settings = self._settings
        files = (settings.gpt_weights, settings.sovits_weights)
        version = ", ".join(f"{path.name} {_digest(path)[:12]}" for path in files)
        licence, credit = settings.licence or "all rights reserved", settings.credit or "GPT-SoVITS voice"
        return Origin(self.name, version, licence, credit)

    def delivery(self, request: LineRequest) -> str:
        """Hash of networks, clip, transcript and every option that decides the sound."""
        if request.emotion not in self._digests:
            clip = self._clip(request.emotion)
            options = self._settings.model_dump(mode="json", exclude=_ELSEWHERE | _NETWORKS)
            networks = [_identity(getattr(self._settings, key)) for key in sorted(_NETWORKS)]
            clips = [_digest(path) for path in (clip.audio, *clip.more)]
            parts = [options, networks, clips, clip.transcript(), clip.spoken_language()]
            whole = json.dumps(parts, sort_keys=True)
            self._digests[request.emotion] = hashlib.sha256(whole.encode()).hexdigest()
        return self._digests[request.emotion]

    def synthesize(self, request: LineRequest) -> TeacherLine:
        """Speak one line from its phonemes, long lines in pieces."""
        clip = self._clip(request.emotion)
        pieces = cut(request.text, request.reading, self._settings.cut)
        speed = self._settings.speed * request.rate
        with _explained():
            voice = self._engine.clone(request.emotion, clip)
            audio = self._engine.speak(voice, pieces, request.seed, speed)
        return TeacherLine(audio, self._engine.sample_rate)

    def rehearse(self) -> None:
        """Load the networks and make the voice of every emotion."""
        with _explained():
            for emotion, clip in self._settings.emotions.items():
                self._engine.clone(emotion, clip)

    def timbre(self, audio: NDArray[np.float32], sample_rate: int) -> NDArray[np.float32]:
        """Give the model's own vector of a voice: its timbre, or in Pro the speaker embedding."""
        with _explained():
            return self._engine.timbre(audio, sample_rate)

    def _clip(self, emotion: str) -> Reference:
        try:
            return self._settings.emotions[emotion]
        except KeyError:
            names = ", ".join(self._settings.emotions)
            raise TeacherError(f"no reference clip is {emotion!r}; [teacher.emotions] has {names}") from None


@contextmanager
def _explained() -> Iterator[None]:
    """Turn what is wrong with a file of the model into what is wrong with the teacher."""
    from models.gpt_sovits.archive import CheckpointError
    from models.gpt_sovits.pretrained import PretrainedFolderError

    try:
        yield
    except (CheckpointError, PretrainedFolderError) as error:
        raise TeacherError(str(error)) from error


def _identity(path: Path | None) -> Any:
    """Tell networks apart: a file by its content, a folder by the sizes of what is in it."""
    if path is None or path.is_file():
        return path and _digest(path)
    return sorted((file.name, file.stat().st_size) for file in path.iterdir())


def _digest(path: Path) -> str:
    try:
        status = path.stat()
    except OSError as error:
        raise TeacherError(f"cannot read {path}: {error.strerror}; set the path in [teacher]") from error
    return _digest_of(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=64)
def _digest_of(path: Path, size: int, mtime_ns: int) -> str:
    """Hash a file once, as long as it stays what it is."""
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()
