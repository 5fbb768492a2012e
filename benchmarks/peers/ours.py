"""The built-in voice as a peer of the others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from edge.audio import AudioChunk
from edge.synthesizer import PreparedLine, SpeechRequest, Synthesizer

from .base import SENTENCES, Peer

WHOLE = "INT8, the whole line at once"
STREAMED = "INT8, streamed"


def open_peers(bundle: Path | None, threads: int) -> list[Peer]:
    """The voice in English and Japanese, from the ids of its phonemes on and from text on.

    Whole as the others speak, and streamed as the daemon does for an audience.
    """
    synthesizer = Synthesizer.load(bundle, threads=threads)
    manifest = synthesizer.bundle.manifest
    found = []
    for language, text in SENTENCES.items():
        speaker = next(one.name for one in manifest.characters if language in one.languages)
        request = SpeechRequest(text, speaker, language)
        line = partial(_prepared, synthesizer.prepare(request))
        read = partial(synthesizer.prepare, request)
        about = (f"sovits-tiny {manifest.name}", manifest.version, manifest.licence, language)
        for differs, speak in ((WHOLE, synthesizer.render), (STREAMED, synthesizer.stream)):
            for covers, prepare in (("ids to PCM", line), ("text to PCM", read)):
                speaks = partial(_samples, speak, prepare)
                found.append(Peer(*about, manifest.sample_rate, covers, differs, threads, speaks))
    return found


def _prepared(line: PreparedLine) -> PreparedLine:
    return line


def _samples(
    speak: Callable[[PreparedLine], Iterator[AudioChunk]], prepare: Callable[[], PreparedLine]
) -> int:
    return sum(len(chunk.samples) for chunk in speak(prepare()))
