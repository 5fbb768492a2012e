"""Sound file of a whole line, in the format that its name asks for."""

from __future__ import annotations

import io
from importlib.util import find_spec

from .audio import Pcm16, wav_bytes
from .errors import ConfigError
from .spec import SAMPLE_RATE

ENCODED = {".flac": ("FLAC", "PCM_16"), ".ogg": ("OGG", "VORBIS")}
"""Suffixes that `soundfile` is needed for; any other is a WAV file."""
FOREIGN = (".mp3", ".m4a", ".aac", ".opus", ".wma")


def check_suffix(suffix: str) -> None:
    """See before anything is spoken whether a file of this name can be written.

    Args:
        suffix: with its dot.

    Raises:
        ConfigError: it cannot, or not with what is installed.
    """
    if suffix.lower() in FOREIGN:
        raise ConfigError(f"{suffix} is not written here; name a .wav, .flac or .ogg file and convert that")
    if suffix.lower() in ENCODED and find_spec("soundfile") is None:
        raise ConfigError(f"{suffix} needs soundfile: pip install 'sovits-tiny[files]', or name a .wav file")


def encoded_sound(samples: Pcm16, suffix: str, sample_rate: int = SAMPLE_RATE) -> bytes:
    """Write mono 16-bit sound as a file of this suffix.

    Args:
        samples: (n,) PCM.
        suffix: with its dot; what is none of ours is written as WAV.
        sample_rate: Hz.
    """
    if suffix.lower() not in ENCODED:
        return wav_bytes(samples, sample_rate)
    import soundfile

    form, subtype = ENCODED[suffix.lower()]
    file = io.BytesIO()
    soundfile.write(file, samples, sample_rate, format=form, subtype=subtype)
    return file.getvalue()
