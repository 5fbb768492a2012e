"""All peers that are here, in turn, with us among them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import fields
from functools import partial
from pathlib import Path
from typing import Any

from ..harness import Measure, interleave, summarize
from . import kokoro, ours, piper, programs
from .base import Peer, PeerMissingError

THREADS = 2
SAMPLE_S = 0.2  # of speaking the sentence again and again, so that who is quick is not judged by cold caches


def measure(
    repeats: int, bundle: Path | None, folder: Path | None, progress: Callable[[int, int], None]
) -> tuple[list[Measure], dict[str, str]]:
    """Real-time factors, and why a peer is not among them.

    Args:
        repeats: samples of each.
        bundle: ours; None for the built-in voice.
        folder: of Kokoro; None for where its command puts it.
        progress: told the rounds done and their total.
    """
    openers: dict[str, Callable[[], Peer]] = {
        "Piper medium": partial(piper.open_peer, THREADS),
        "Kokoro-82M": partial(kokoro.open_peer, folder),
        "espeak-ng": programs.espeak,
        "Flite": programs.flite,
        "Open JTalk": programs.open_jtalk,
    }
    peers, missing = ours.open_peers(bundle, THREADS), {}
    for name, opener in openers.items():
        try:
            peers.append(opener())
        except PeerMissingError as error:
            missing[name] = str(error)
    variants = [(_variant(peer), partial(_factor, peer)) for peer in peers]
    taken = interleave(variants, repeats, progress=progress)
    return [summarize("peer_rtf", "1", variant, samples) for variant, samples in taken], missing


def _variant(peer: Peer) -> dict[str, Any]:
    return dict(_facts(peer))


def _facts(peer: Peer) -> Iterator[tuple[str, Any]]:
    for field in fields(peer):
        if field.name != "speak":
            yield field.name, getattr(peer, field.name)


def _factor(peer: Peer) -> float:
    peer.speak()
    n_samples, began = 0, time.perf_counter()
    while (taken := time.perf_counter() - began) < SAMPLE_S:
        n_samples += peer.speak()
    return taken * peer.sample_rate / n_samples
