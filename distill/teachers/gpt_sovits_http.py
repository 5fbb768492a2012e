"""A running GPT-SoVITS server, ``api_v2.py``, as a teacher: any version, on any machine."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

from .base import LineRequest, Origin, Teacher, TeacherError, TeacherLine
from .http_client import ServerClient
from .http_sound import NotSoundError, decode, reject_failure
from .reference import Reference
from .settings import HttpSettings

_NOT_SOUND = {
    "kind",
    "url",
    "timeout_s",
    "retries",
    "backoff_s",
    "emotions",
    "licence",
    "credit",
    "local_folder",
}


class HttpTeacher(Teacher):
    """Sends lines to the server, with the reference clip of their emotion.

    The text is sent with numbers and symbols written out as our front end reads them; pronunciation is the
    server's own.
    """

    name = "gpt-sovits-http"
    samples = True

    def __init__(self, settings: HttpSettings) -> None:
        self._settings = settings
        paths = {"/set_gpt_weights": settings.gpt_weights, "/set_sovits_weights": settings.sovits_weights}
        weights = {path: weights for path, weights in paths.items() if weights}
        self._client = ServerClient(
            settings.url, weights, settings.timeout_s, settings.retries, settings.backoff_s
        )
        self._digests: dict[str, str] = {}

    def origin(self) -> Origin:
        """Name the weights, as far as they are told, and who owns the voice."""
        settings = self._settings
        weights = [
            Path(path.replace("\\", "/")).name
            for path in (settings.gpt_weights, settings.sovits_weights)
            if path
        ]
        credit = settings.credit or "GPT-SoVITS voice on the studio's server"
        version = ", ".join(weights) or "weights of the server"
        return Origin(self.name, version, settings.licence or "all rights reserved", credit)

    def delivery(self, request: LineRequest) -> str:
        """Every parameter of the sound, and the clip with its transcript."""
        if request.emotion not in self._digests:
            clip = self._clip(request.emotion)
            parameters = self._settings.model_dump(mode="json", exclude=_NOT_SOUND)
            parts = [
                parameters,
                clip.transcript(),
                clip.spoken_language(),
                *map(_identity, (clip.audio, *clip.more)),
            ]
            self._digests[request.emotion] = hashlib.sha256(
                json.dumps(parts, sort_keys=True).encode()
            ).hexdigest()
        return self._digests[request.emotion]

    def synthesize(self, request: LineRequest) -> TeacherLine:
        """Have one line spoken."""
        settings = self._settings
        body = self._client.speak(self._request(request))
        try:
            audio, rate = decode(body, settings.media_type, settings.raw_sample_rate)
        except NotSoundError as error:
            raise TeacherError(f"{settings.url}/tts answered something that is not sound: {error}") from error
        reject_failure(audio, rate, settings.fragment_interval)
        return TeacherLine(audio, rate)

    def rehearse(self) -> None:
        """See whether the server answers."""
        self._client.reach()

    def _request(self, request: LineRequest) -> dict[str, Any]:
        settings, clip = self._settings, self._clip(request.emotion)
        return {
            "text": request.reading.normalized,
            "text_lang": request.language,
            "ref_audio_path": self._on_server(clip.audio),
            "aux_ref_audio_paths": [self._on_server(path) for path in clip.more],
            "prompt_text": clip.transcript(),
            "prompt_lang": clip.spoken_language(),
            **settings.sampling.model_dump(),
            "text_split_method": settings.cut,
            "batch_size": settings.batch_size,
            "batch_threshold": settings.batch_threshold,
            "split_bucket": settings.split_bucket,
            "speed_factor": settings.speed * request.rate,
            "fragment_interval": settings.fragment_interval,
            "seed": request.seed % 2**31,  # negative ones would be drawn by the server
            "media_type": settings.media_type,
            "streaming_mode": settings.streaming_mode,
            "parallel_infer": settings.parallel_infer,
            "sample_steps": settings.sample_steps,
            "super_sampling": settings.super_sampling,
            "overlap_length": settings.overlap_length,
            "min_chunk_length": settings.min_chunk_length,
        }

    def _clip(self, emotion: str) -> Reference:
        try:
            return self._settings.emotions[emotion]
        except KeyError:
            names = ", ".join(self._settings.emotions)
            raise TeacherError(f"no reference clip is {emotion!r}; [teacher.emotions] has {names}") from None

    def _on_server(self, path: Path) -> str:
        """Give the path of a clip as the server knows it."""
        folder = self._settings.server_folder
        if folder is None:
            return str(path)
        separator = "\\" if "\\" in folder else "/"
        relative = os.path.relpath(path, self._settings.local_folder)
        return separator.join((folder.rstrip("/\\"), *Path(relative).parts))

    def close(self) -> None:
        """Close connections."""
        self._client.close()


def _identity(path: Path) -> str:
    """Name a clip by its content, or by its path where only the server has it."""
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else str(path)
