"""A sound card, through PortAudio.

Run with PortAudio 19.6 on ALSA's null device, not yet on a real sound card; the tests drive it through a
double of the sounddevice module.
"""

from __future__ import annotations

import importlib
import logging
import threading
import time
from typing import Any

import numpy as np

from ..audio import Pcm16
from ..config import AlsaSinkConfig
from ..errors import SinkError
from .player import NS
from .sink import Sink

logger = logging.getLogger(__name__)

SILENT_CALLBACK_LIMIT_S = 2.0  # a stream whose callback stays away for this long is gone, whatever it says
CHECK_INTERVAL_S = 0.5


class AlsaSink(Sink):
    """Plays on a sound card; PortAudio's callback pulls from the player.

    The stream runs all the time, silent between lines: opening it takes longer than a first sound may.

    Args:
        config: card, latency, channels and rate.
        backend: the sounddevice module or a double of it; imported when the sink opens if absent.
    """

    name = "alsa"

    def __init__(self, config: AlsaSinkConfig, backend: Any = None) -> None:
        super().__init__()
        self._config = config
        self._backend = backend
        self._stopped = threading.Event()
        self._last_callback = 0.0

    def wake(self) -> None:
        """The callback comes by itself; only closing is worth waking for."""
        if self._closed.is_set():
            self._stopped.set()

    def _play(self) -> None:
        backend = self._backend or load_backend()
        self._stopped.clear()
        try:
            stream = self._make_stream(backend)
            with stream:
                self._last_callback = time.monotonic()
                self._ready()
                self._watch(stream)
        except SinkError:
            raise
        except Exception as error:  # sounddevice raises PortAudioError, ValueError or OSError
            raise SinkError(f"{error}; `python -m sounddevice` lists the devices") from error

    def _make_stream(self, backend: Any) -> Any:
        rate = self._config.sample_rate or self.player.sample_rate
        source = Source(self, rate)
        return backend.OutputStream(
            samplerate=rate,
            blocksize=self._config.block_ms * rate // 1000,
            device=self._config.device,
            channels=self._config.channels,
            dtype="int16",
            latency=self._config.latency_ms / 1000,
            callback=source.callback,
            finished_callback=self._stopped.set,
        )

    def _watch(self, stream: Any) -> None:
        while not self._closed.is_set():
            self._stopped.wait(CHECK_INTERVAL_S)
            if self._closed.is_set():
                return
            if not stream.active or self._stopped.is_set():
                raise SinkError("the sound card stopped; check the plug")
            if time.monotonic() - self._last_callback > SILENT_CALLBACK_LIMIT_S:
                raise SinkError("the sound card no longer asks for sound; check the plug")

    def heard_callback(self, status: Any) -> None:
        """Note that the card is alive."""
        self._last_callback = time.monotonic()
        if status and getattr(status, "output_underflow", False):
            self.player.device_underruns += 1


class Source:
    """The callback of one stream: pulls at the voice's rate and gives at the card's.

    Args:
        sink: whose player is drawn from.
        rate: Hz of the card.
    """

    def __init__(self, sink: AlsaSink, rate: int) -> None:
        self._sink = sink
        self._rate = rate
        self._resampler: Any = None
        self._pending: Pcm16 = np.zeros(0, dtype=np.int16)
        if rate != sink.player.sample_rate:
            soxr = importlib.import_module("soxr")
            self._resampler = soxr.ResampleStream(sink.player.sample_rate, rate, 1, dtype="int16")

    def callback(self, outdata: Any, n_frames: int, times: Any, status: Any) -> None:
        """Fill ``outdata`` (n_frames, channels); called by PortAudio on its own thread."""
        self._sink.heard_callback(status)
        latency_s = max(0.0, times.outputBufferDacTime - times.currentTime)
        try:
            outdata[:] = self._take(n_frames, latency_s)[:, np.newaxis]
        except Exception:
            logger.exception("sound card callback")
            outdata[:] = 0

    def _take(self, n_frames: int, latency_s: float) -> Pcm16:
        player = self._sink.player
        if self._resampler is None:
            block = np.zeros(n_frames, dtype=np.int16)
            player.pull(block, time.monotonic_ns(), latency_s)
            return block
        t_ns = time.monotonic_ns()
        block = np.zeros(max(1, n_frames * player.sample_rate // self._rate), dtype=np.int16)
        while len(self._pending) < n_frames:
            player.pull(block, t_ns, latency_s)
            self._pending = np.concatenate([self._pending, self._resampler.resample_chunk(block)])
            t_ns += len(block) * NS // player.sample_rate
        taken, self._pending = self._pending[:n_frames], self._pending[n_frames:]
        return taken


def load_backend() -> Any:
    """Import the sounddevice module.

    Raises:
        SinkError: it, or the library under it, is not installed.
    """
    try:
        return importlib.import_module("sounddevice")
    except ImportError as error:
        raise SinkError("sound cards need the extra `audio`: pip install 'sovits-tiny[audio]'") from error
    except OSError as error:
        raise SinkError(f"{error}: install PortAudio (Debian, Ubuntu: apt install libportaudio2)") from error
