"""Admission: which requests become lines, by character, text and tags, emotion and cache."""

from __future__ import annotations

from collections.abc import Container

from .. import markup
from ..bundle.manifest import choose_character
from ..engine.base import VoiceInfo
from ..errors import RequestError
from ..messages import SayRequest
from ..protocols.commands import Command
from ..show import Script
from ..synthesizer import SpeechRequest
from .cache import content_key
from .line import Line


class Admission:
    """Checks requests against the loaded voice.

    Args:
        voice: what is loaded.
        cached: content keys in the cache.
        per_character: whether each character speaks in a channel of its own.
    """

    def __init__(self, voice: VoiceInfo, cached: Container[str], *, per_character: bool = False) -> None:
        self._per_character = per_character
        self._voice = voice
        self._cached = cached
        self.lexicon = voice.lexicon
        """Digest of the show's lexicon, as far as is known: its file may change while the daemon runs."""
        self._names = frozenset(character.name for character in voice.characters)

    def line(self, command: Command, request: SayRequest, script: Script | None = None) -> Line:
        """Make a line of a request.

        Args:
            command: that brought it.
            request: as given.
            script: of the show, for a request that names one of its lines.

        Raises:
            RequestError, TextError: the request cannot become a line; the code says why.
        """
        shown = None
        if request.line is not None and request.text is None:
            if script is None:
                message = f"no line {request.line} is known: there is no show file; name one: show = "
                raise RequestError(message, code="unknown_line")
            shown, request = script.line(request.line), script.request(request)
        plain = self.check_text(request)
        speech = self.speech(request, command.warnings)
        command.character = speech.character
        key = self.key(speech)
        if request.cache == "only" and key not in self._cached:
            raise RequestError("the line is not in the cache and must not be synthesised", code="not_cached")
        limits = [limit for limit in (_ms(request.deadline_ms), command.expiry_s) if limit is not None]
        return Line(
            request_id=command.request_id,
            character=speech.character,
            received=command.received,
            request=request,
            speech=speech,
            plain=plain,
            key=key,
            command=command,
            channel=speech.character if self._per_character else "",
            follower=command.follower,
            deadline=command.received + min(limits) if limits else None,
            shown=shown,
        )

    def speech(self, request: SayRequest, warnings: list[str]) -> SpeechRequest:
        """Translate a request for the synthesiser; what is done otherwise than asked goes into `warnings`.

        Raises:
            RequestError: `unknown_character`.
        """
        character = choose_character(self._voice.characters, request.character)
        warnings += character.emotion_warning(request.emotion)
        return SpeechRequest(
            text=request.text or "",
            character=character.name,
            language=request.language,
            emotion=character.emotion(request.emotion),
            emotion_strength=request.emotion_strength,
            rate=request.rate,
            pitch=request.pitch,
            volume=request.volume,
            markup=request.markup,
            trust=request.trust,
        )

    def key(self, speech: SpeechRequest) -> str:
        """Name a line in the cache."""
        return content_key(self._voice.fingerprint, self.lexicon, speech)

    def knows(self, character: str) -> bool:
        """Tell whether a character is loaded."""
        return character in self._names

    def check_text(self, request: SayRequest) -> str:
        """Return the text without its tags.

        Raises:
            RequestError, TextError: there is none, or a tag is wrong.
        """
        if (request.text is None) == (request.line is None):
            raise RequestError("give exactly one of text and line")
        if request.line is not None:
            raise RequestError("a line of the show file is prepared with the show; give its text")
        text = request.text or ""
        if not text.strip():
            raise RequestError("there is nothing to say in the text", code="text_empty")
        return markup.parse(text, request.markup, request.trust).plain


def _ms(duration: int | None) -> float | None:
    return None if duration is None else duration / 1000
