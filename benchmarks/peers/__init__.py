"""Other synthesisers on the same machine in the same run, each with what is equal and what is not."""

from __future__ import annotations

from .base import Peer, PeerMissingError
from .compare import measure

__all__ = ["Peer", "PeerMissingError", "measure"]
