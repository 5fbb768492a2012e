"""Voice: a bundle that speaks, for programs that are no show."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from .audio import AudioChunk
from .config import EdgeConfig, load_config
from .labels.export import Export, new_id
from .permission import gate_of
from .sound_file import check_suffix, encoded_sound
from .synthesizer import Speech, SpeechRequest, Synthesizer


class Voice:
    """A voice, loaded and warm. Belongs to one thread at a time.

    Args:
        bundle: directory or ``.voice`` file; the built-in voice if absent.
        lexicon: file of pronunciations that win over every rule.
        threads: of the inference library.
        config: of a device, a TOML file or values by dotted key such as ``{"label.producer": "studio-9"}``:
            its voice and lexicon where none is named, its label policy for files, and where it stands, which
            the consent of a person asks for.

    Raises:
        BundleError, ConfigError, RunnerError: one line that names the file and the remedy.
    """

    def __init__(
        self,
        bundle: Path | str | None = None,
        *,
        lexicon: Path | str | None = None,
        threads: int = 2,
        config: Path | str | Mapping[str, object] | None = None,
    ) -> None:
        settings = _settings(config, {"bundle": bundle, "lexicon": lexicon})
        self._synthesizer = Synthesizer.load(
            settings.bundle,
            threads=threads,
            lexicon=settings.lexicon,
            gate=None if config is None else gate_of(settings),
        )
        self._synthesizer.warm_up()
        self._export = Export(settings.label, self._synthesizer, settings.state_dir)

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
        """Speak a line into a WAV, FLAC or Ogg file with the label that the configuration asks for.

        Args:
            path: its suffix chooses the format; `.flac` and `.ogg` need the extra ``files``.
            text: as for ``say``.
            character: who speaks.
            acting: as for ``say``.

        Returns:
            What is in the file, what is heard of a label included.

        Raises:
            ConfigError: no such format.
            OSError: the file cannot be written.
        """
        check_suffix(Path(path).suffix)
        line = self._synthesizer.prepare(self._request(text, character, acting))
        speech = Speech.of(list(self._export.stream(line, self._export.announced(line))), line.warnings)
        content = self._export.labelled(encoded_sound(speech.audio, Path(path).suffix), new_id())
        Path(path).write_bytes(content)
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


def _settings(config: Path | str | Mapping[str, object] | None, given: Mapping[str, object]) -> EdgeConfig:
    if config is None or isinstance(config, Mapping):
        return load_config(None, {**(config or {}), **{key: value for key, value in given.items() if value}})
    return load_config(Path(config), given)
