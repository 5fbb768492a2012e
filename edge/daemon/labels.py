"""Audible labels of a running daemon: when one is due, and the sentence for it in the voice of the line."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count

from ..audio import AudioChunk
from ..engine.base import PLAY, PREPARE, Engine, LineChunk, LineDone, LineError, VoiceInfo
from ..labels.announcement import line_language
from ..labels.policy import LabelPolicy, LinePlan
from ..synthesizer import SpeechRequest
from .line import Line

logger = logging.getLogger(__name__)

ID_PREFIX = "label/"  # no request id contains a slash
NOTHING = LinePlan("", False, "start")
Notice = tuple[str, str]
"""Who says which sentence."""


@dataclass
class _Job:
    notice: Notice
    urgency: int
    is_kept: bool = True
    """False once another voice has been loaded."""
    chunks: list[AudioChunk] = field(default_factory=list)


class Labels:
    """Sentences are spoken while nothing else is done and kept; a line never waits for one twice.

    Only the core thread uses it.

    Args:
        policy: of the device.
        engine: speaks the sentences.
        spoken: told of each with its sound; empty where it could not be spoken.
    """

    def __init__(
        self, policy: LabelPolicy, engine: Engine, spoken: Callable[[Notice, Sequence[AudioChunk]], None]
    ) -> None:
        self.policy = policy
        self._engine = engine
        self._spoken = spoken
        self._voice: VoiceInfo | None = None
        self._kept: dict[Notice, tuple[AudioChunk, ...]] = {}
        self._jobs: dict[str, _Job] = {}
        self._numbers = count()

    def load(self, voice: VoiceInfo) -> None:
        """Begin with another voice: what the one before has said is forgotten."""
        self._voice = voice
        self._kept.clear()
        for job in self._jobs.values():
            job.is_kept = False
        sentences = self.policy.notices(voice.imitates_a_person)
        for character in voice.characters:
            for language in character.languages:
                if language in sentences:
                    self._speak((character.name, sentences[language]), PREPARE)

    def unload(self) -> None:
        """Forget the voice and everything that it has said."""
        self._voice = None
        self._kept.clear()
        self._jobs.clear()

    def plan(self, line: Line) -> LinePlan:
        """Say what is due with a line that begins now."""
        voice = self._voice
        if voice is None or not self.policy.announces(voice.imitates_a_person):
            return NOTHING
        languages = next(one.languages for one in voice.characters if one.name == line.character)
        language = line_language(line.plain, line.request.language, languages)
        return self.policy.plan(line.character, language, time.monotonic(), _hearer(line))

    def ended(self, line: Line) -> None:
        """Note that a line has ended whose label, if one was due, has been heard."""
        self.policy.ended(line.character, time.monotonic(), _hearer(line))

    def notice(self, wanted: Notice) -> tuple[AudioChunk, ...] | None:
        """Return a sentence as spoken; None if that is being done now, and told when it is."""
        kept = self._kept.get(wanted)
        if kept is None:
            self._speak(wanted, PLAY)
        return kept

    def on_chunk(self, message: LineChunk) -> None:
        """Collect the sound of a sentence."""
        job = self._jobs.get(message.line_id)
        if job is not None:
            job.chunks.append(message.chunk)

    def on_done(self, message: LineDone) -> None:
        """Keep a sentence, and tell of it."""
        job = self._jobs.pop(message.line_id, None)
        if job is not None:
            if job.is_kept:
                self._kept[job.notice] = tuple(job.chunks)
            self._spoken(job.notice, job.chunks)

    def on_error(self, message: LineError) -> None:
        """Tell that a sentence cannot be spoken; the next line that needs it tries again."""
        job = self._jobs.pop(message.line_id, None)
        if job is not None:
            logger.warning("label %s: %s: %s", job.notice, message.code, message.message)
            self._spoken(job.notice, ())

    def _speak(self, notice: Notice, urgency: int) -> None:
        """Have a sentence spoken; what was begun for later is begun anew once somebody waits for it."""
        for line_id, job in list(self._jobs.items()):
            if job.notice == notice and job.is_kept:
                if job.urgency <= urgency:
                    return
                self._engine.cancel(line_id)
                del self._jobs[line_id]
        line_id = f"{ID_PREFIX}{next(self._numbers)}"
        self._jobs[line_id] = _Job(notice, urgency)
        self._engine.start(line_id, SpeechRequest(notice[1], notice[0]), urgency)


def _hearer(line: Line) -> str:
    """Whoever stands before the loudspeaker has not heard what went into a file or over the network."""
    return "play" if line.plays else "render"
