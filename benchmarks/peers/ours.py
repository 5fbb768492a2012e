"""The built-in voice as a peer of the others."""

from __future__ import annotations

from pathlib import Path

from edge.synthesizer import SpeechRequest, Synthesizer

from .base import SENTENCES, Peer


def open_peers(bundle: Path | None, threads: int) -> list[Peer]:
    """The voice in English and Japanese, from the ids of its phonemes on and from text on."""
    synthesizer = Synthesizer.load(bundle, threads=threads)
    manifest = synthesizer.bundle.manifest
    found = []
    for language, text in SENTENCES.items():
        speaker = next(one.name for one in manifest.characters if language in one.languages)
        request = SpeechRequest(text, speaker, language)
        line = synthesizer.prepare(request)
        about = (f"sovits-tiny {manifest.name}", manifest.version, manifest.licence, language)

        def from_ids(line=line) -> int:  # type: ignore[no-untyped-def]
            return sum(len(chunk.samples) for chunk in synthesizer.stream(line))

        def from_text(request=request) -> int:  # type: ignore[no-untyped-def]
            return sum(len(chunk.samples) for chunk in synthesizer.stream(synthesizer.prepare(request)))

        rate = manifest.sample_rate
        found.append(Peer(*about, rate, "ids to PCM", "INT8, streamed", threads, from_ids))
        found.append(Peer(*about, rate, "text to PCM", "INT8, streamed", threads, from_text))
    return found
