"""The default sound card, for a line that nobody wanted in a file.

Run with PortAudio 19.6 on ALSA's file device, not yet on a real sound card; the tests drive it through a
double of the sounddevice module.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any

from ..errors import SinkError
from ..playback.alsa import load_backend

BLOCK_BYTES = 4096  # 64 ms at 32 kHz: an interrupted line falls silent within this
DROP_PATIENCE_S = 1.0


class Speaker:
    """Plays 16-bit mono PCM on a thread of its own, so that the next sound is computed meanwhile.

    Args:
        stream: output stream of sounddevice, not started yet; only the thread touches it from now on.
        name: of the sound card.
    """

    def __init__(self, stream: Any, name: str) -> None:
        self.name = name
        self._stream = stream
        self._waiting: SimpleQueue[bytes | None] = SimpleQueue()
        self._dropped = False
        self._error: Exception | None = None
        self._thread = threading.Thread(target=self._keep, name="speaker", daemon=True)
        self._thread.start()

    def write(self, pcm: bytes) -> None:
        """Queue sound to be played."""
        self._waiting.put(pcm)

    def finish(self) -> None:
        """Wait until all has been heard.

        Raises:
            SinkError: the sound card is gone.
        """
        self._waiting.put(None)
        self._thread.join()
        if self._error is not None:
            message = f"{self.name} stopped playing: {self._error}; -o FILE writes a file"
            raise SinkError(message) from self._error

    def drop(self) -> None:
        """Fall silent, unless all has been heard already."""
        self._dropped = True
        self._waiting.put(None)
        self._thread.join(DROP_PATIENCE_S)

    def _keep(self) -> None:
        try:
            self._play()
        except Exception as error:  # noqa: BLE001 - raised by finish(), whatever it is
            self._error = error
        finally:
            self._stream.close()

    def _play(self) -> None:
        pcm = self._waiting.get()
        self._stream.start()
        while pcm is not None:
            for start in range(0, len(pcm), BLOCK_BYTES):
                if self._dropped:
                    self._stream.abort()
                    return
                self._stream.write(pcm[start : start + BLOCK_BYTES])
            pcm = self._waiting.get()
        if not self._dropped:
            self._stream.stop()  # when the card has played what it holds


@contextmanager
def open_speaker(sample_rate: int) -> Iterator[Speaker]:
    """Open the default sound card.

    Args:
        sample_rate: Hz.

    Raises:
        SinkError: there is none, it cannot play this, or what plays on it is not installed.
    """
    backend = load_backend()
    try:
        name = str(backend.query_devices(kind="output")["name"])
        stream = backend.RawOutputStream(samplerate=sample_rate, channels=1, dtype="int16", latency="high")
    except Exception as error:  # as above
        raise SinkError(str(error)) from error
    speaker = Speaker(stream, name)
    try:
        yield speaker
    finally:
        speaker.drop()
