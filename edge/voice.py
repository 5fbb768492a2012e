"""Voice: a bundle that speaks, for programs that are no show."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from .audio import AudioChunk, wav_bytes
from .synthesizer import Speech, SpeechRequest, Synthesizer


class Voice:
    """A voice, loaded and warm. Belongs to one thread at a time.

    Args:
        bundle: directory or ``.voice`` file; the built-in voice if absent.
        lexicon: file of pronunciations that win over every rule.
        threads: of the inference library.

    Raises:
        BundleError, ConfigError, RunnerError: one line that names the file and the remedy.
    """

    def __init__(
        self, bundle: Path | str | None = None, *, lexicon: Path | str | None = None, threads: int = 2
    ) -> None:
        self._synthesizer = Synthesizer.load(
            None if bundle is None else Path(bundle),
            threads=threads,
            lexicon=None if lexicon is None else Path(lexicon),
        )
        self._synthesizer.warm_up()

    @property
    def characters(self) -> tuple[str, ...]:
        """Names of the characters, the first of which speaks where none is named."""
        return tuple(character.name for character in self._synthesizer.bundle.manifest.characters)

    def say(self, text: str, character: str = "", **acting: Any) -> Speech:
        """Speak a whole line.

        Args:
            text: at most 2000 characters, tags included.
            character: who speaks.
            acting: ``language``, ``emotion``, ``emotion_strength``, ``rate``, ``pitch``, ``volume``, as in
                ``SpeechRequest``.

        Raises:
            RequestError: unknown character, or a number out of range.
            TextError: the text cannot be spoken.
        """
        return self._synthesizer.synthesize(self._request(text, character, acting))

    def stream(self, text: str, character: str = "", **acting: Any) -> Iterator[AudioChunk]:
        """Speak a line chunk by chunk, the first after some milliseconds; arguments as for ``say``."""
        return self._synthesizer.stream(
            self._synthesizer.prepare(self._request(text, character, acting), at_once=True)
        )

    def save(self, path: Path | str, text: str, character: str = "", **acting: Any) -> Speech:
        """Speak a line into a WAV file; arguments as for ``say``.

        Raises:
            OSError: the file cannot be written.
        """
        speech = self.say(text, character, **acting)
        Path(path).write_bytes(wav_bytes(speech.audio, speech.sample_rate))
        return speech

    def close(self) -> None:
        """Give threads and networks back."""
        self._synthesizer.close()

    def __enter__(self) -> Voice:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _request(self, text: str, character: str, acting: dict[str, Any]) -> SpeechRequest:
        return SpeechRequest(text, character or self.characters[0], **acting)
