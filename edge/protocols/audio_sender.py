"""Sound over MQTT: a line as numbered chunks between a description and an end."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping

from ..audio import ENDLESS_SAMPLES, AudioChunk, wav_header
from ..messages import AudioEnd, AudioMeta, AudioOptions

Publish = Callable[[str, bytes, str | None], bool]
"""Takes topic below the device's root, payload and content type; False if the message could not be taken."""


class AudioSender:
    """One line as `audio/<id>/meta`, numbered chunks and `end`.

    Args:
        line_id: of the request.
        options: format and chunk size asked for.
        max_chunk_bytes: what the broker takes.
        publish: to the broker, in order.
        label: what the description says of the sound's origin.
        n_samples: length of the line if it is known already; it only goes into a WAV header.
    """

    def __init__(
        self,
        line_id: str,
        options: AudioOptions,
        max_chunk_bytes: int,
        publish: Publish,
        label: Mapping[str, object],
        n_samples: int | None = None,
    ) -> None:
        self._topic = f"audio/{line_id}"
        self._line_id = line_id
        self._format = options.format
        self._chunk_bytes = min(options.chunk_bytes, max_chunk_bytes) // 2 * 2
        self._publish = publish
        self._label = dict(label)
        self._n_samples = ENDLESS_SAMPLES if n_samples is None else n_samples
        self._waiting = bytearray()
        self._n_chunks = 0
        self._n_bytes = 0
        self._hash = hashlib.sha256()
        self._begun = False
        self.lost = False
        """Whether a message could not be taken, so that the sound is incomplete."""

    def send(self, chunk: AudioChunk) -> None:
        """Pass on sound at once, in chunks of at most the size asked for."""
        if not self._begun:
            self._begin(chunk.sample_rate)
        self._waiting += chunk.samples.astype("<i2").tobytes()
        while self._waiting:
            self._send_bytes(bytes(self._waiting[: self._chunk_bytes]))
            del self._waiting[: self._chunk_bytes]

    def end(self) -> None:
        """Say that it is complete."""
        end = AudioEnd(chunks=self._n_chunks, bytes=self._n_bytes, sha256=self._hash.hexdigest())
        self._give(f"{self._topic}/end", end.to_json(), "application/json")

    def _begin(self, sample_rate: int) -> None:
        self._begun = True
        meta = AudioMeta(id=self._line_id, format=self._format, sample_rate=sample_rate, label=self._label)
        self._give(f"{self._topic}/meta", meta.to_json(), "application/json")
        if self._format == "wav":
            self._waiting += wav_header(self._n_samples, sample_rate)

    def _send_bytes(self, data: bytes) -> None:
        self._give(f"{self._topic}/{self._n_chunks}", data, "application/octet-stream")
        self._n_chunks += 1
        self._n_bytes += len(data)
        self._hash.update(data)

    def _give(self, topic: str, payload: bytes, content_type: str) -> None:
        if not self._publish(topic, payload, content_type):
            self.lost = True
