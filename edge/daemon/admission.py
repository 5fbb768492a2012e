"""Which requests become lines: character, text and tags, emotion, and what the cache knows."""

from __future__ import annotations

from collections.abc import Container

from .. import markup
from ..cache import content_key
from ..engine import VoiceInfo
from ..errors import RequestError
from ..messages import SayRequest
from ..synthesizer import SpeechRequest
from .intake import Command
from .line import Line


class Admission:
    """Checks requests against the loaded voice.

    Args:
        voice: what is loaded.
        cached: content keys in the cache.
    """

    def __init__(self, voice: VoiceInfo, cached: Container[str]) -> None:
        self._voice = voice
        self._cached = cached
        self._characters = {character.name: character for character in voice.characters}

    def line(self, command: Command, request: SayRequest) -> Line:
        """Make a line of a request.

        Raises:
            RequestError, TextError: the request cannot become a line; the code says why.
        """
        plain = self.check_text(request)
        speech = self.speech(request, command.warnings)
        command.character = speech.character
        key = self.key(speech)
        if request.cache == "only" and key not in self._cached:
            raise RequestError("the line is not in the cache and must not be synthesised", code="not_cached")
        inbound = command.inbound
        limits = [limit for limit in (_ms(request.deadline_ms), inbound.expiry_s) if limit is not None]
        return Line(
            request_id=command.request_id,
            character=speech.character,
            received=inbound.received,
            request=request,
            speech=speech,
            plain=plain,
            key=key,
            command=command,
            deadline=inbound.received + min(limits) if limits else None,
        )

    def speech(self, request: SayRequest, warnings: list[str]) -> SpeechRequest:
        """Translate a request for the synthesiser; what is done otherwise than asked goes into `warnings`.

        Raises:
            RequestError: `unknown_character`.
        """
        character = self._character(request.character)
        return SpeechRequest(
            text=request.text or "",
            character=character,
            language=request.language,
            emotion=self._emotion(character, request.emotion, warnings),
            emotion_strength=request.emotion_strength,
            rate=request.rate,
            pitch=request.pitch,
            volume=request.volume,
        )

    def key(self, speech: SpeechRequest) -> str:
        """Name a line in the cache."""
        return content_key(self._voice.identity, speech)

    def knows(self, character: str) -> bool:
        """Tell whether a character is loaded."""
        return character in self._characters

    def check_text(self, request: SayRequest) -> str:
        """Return the text without its tags.

        Raises:
            RequestError, TextError: there is none, or a tag is wrong.
        """
        if (request.text is None) == (request.line is None):
            raise RequestError("give exactly one of text and line")
        if request.line is not None:
            raise RequestError(f"no line {request.line} is known: there is no show file", code="unknown_line")
        plain = markup.parse(request.text or "").plain
        if not plain.strip():
            raise RequestError("there is nothing to say in the text", code="text_empty")
        return plain

    def _character(self, name: str | None) -> str:
        if name is None and len(self._characters) == 1:
            return next(iter(self._characters))
        if name is None or name not in self._characters:
            found = "none was named" if name is None else f"{name} is not one"
            known = ", ".join(self._characters)
            raise RequestError(f"the characters are {known}; {found}", code="unknown_character")
        return name

    def _emotion(self, character: str, asked: str, warnings: list[str]) -> str:
        emotions = self._characters[character].emotions
        if asked in emotions:
            return asked
        used = self._voice.fallbacks.get(character, {}).get(asked, emotions[0])
        warnings.append(f"{character} has no emotion {asked!a}: {used} is used")
        return used


def _ms(duration: int | None) -> float | None:
    return None if duration is None else duration / 1000
