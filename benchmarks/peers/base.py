"""Contract of a peer: a name, where it stands, and a sentence spoken when it is called."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

ENGLISH = "The rain stopped before dawn, and the old keeper walked slowly down to the harbour."
JAPANESE = "扉が開きました、足元にご注意ください、物語が始まります。"
SENTENCES = {"en": ENGLISH, "ja": JAPANESE}


class PeerMissingError(Exception):
    """It is not on this machine; the message says how to get it."""


@dataclass(frozen=True)
class Peer:
    """A synthesiser that is ready to speak its sentence."""

    name: str
    version: str
    licence: str
    language: str
    """Of its sentence in ``SENTENCES``."""
    sample_rate: int
    """Hz."""
    covers: str
    """What its time covers."""
    differs: str
    """What is not equal to ours, for or against it."""
    threads: int
    speak: Callable[[], int]
    """Speaks the sentence; gives the number of samples."""
