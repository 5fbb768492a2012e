"""Sink of a configuration: a sound card, a WAV file, nothing."""

from __future__ import annotations

from ..config import AlsaSinkConfig, NullSinkConfig, WavSinkConfig
from .sink import NullSink, Sink
from .wav import WavSink


def make_sink(config: AlsaSinkConfig | NullSinkConfig | WavSinkConfig) -> Sink:
    """Build the sink that a configuration names."""
    if isinstance(config, NullSinkConfig):
        return NullSink(config.block_ms)
    if isinstance(config, WavSinkConfig):
        return WavSink(config.path, config.block_ms, config.max_gap_s)
    from .alsa import AlsaSink  # needs PortAudio only here

    return AlsaSink(config)
