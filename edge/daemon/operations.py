"""Operations of ``request/<op>`` other than ``say``."""

from __future__ import annotations

import logging

from ..errors import EdgeError, RequestError
from ..messages import CancelRequest, CharacterInfo, PrepareRequest, StopRequest
from ..protocols.commands import Command
from .state import State
from .status import StatusTopics

logger = logging.getLogger(__name__)


class Operations:
    """Answers requests that are no lines. Only the core thread uses it."""

    def __init__(self, state: State, status: StatusTopics) -> None:
        self._state = state
        self._status_topics = status
        self.silenced: list[str] = []
        """Lines that the stop being answered has silenced so far."""
        self._reloads: list[Command] = []
        self._handlers = {
            "cancel": self._cancel,
            "stop": self._stop,
            "prepare": self._prepare,
            "characters": self._characters,
            "status": self._status,
            "reload": self._reload,
            "flush_cache": self._flush_cache,
        }

    def obey(self, command: Command) -> None:
        """Do what a command says and answer it.

        Raises:
            EdgeError: it cannot be done.
        """
        self._handlers[command.op](command)

    def reloaded(self, error: EdgeError | None) -> None:
        """Answer those who asked for the bundle to be loaded again."""
        waiting, self._reloads = self._reloads, []
        self._state.active.engine_loading = False
        voice = self._state.voice
        for command in waiting:
            if error is None and voice is not None:
                self._state.publisher.answer(command, bundle=voice.bundle)
            elif error is not None:
                message = f"{error}; the voice loaded before stays in use" if voice else str(error)
                self._state.publisher.answer(command, code=error.code, message=message)

    def _cancel(self, command: Command) -> None:
        assert isinstance(command.request, CancelRequest)
        line = self._state.lines.get(command.request.id)
        if line is not None:
            self._state.cancel(line, "request")
            self._state.publisher.answer(command, cancelled=True)
            return
        known = self._state.journal.find(command.request.id)
        if known is None or known.last_event is None:
            raise RequestError(f"no request {command.request.id} is known")
        message = f"already over: {known.last_event['event']}"
        self._state.publisher.answer(command, message=message, cancelled=False)

    def _stop(self, command: Command) -> None:
        assert isinstance(command.request, StopRequest)
        character = command.request.character
        if character is not None and not (self._state.admission and self._state.admission.knows(character)):
            raise RequestError(f"{character} is not a character of this voice", code="unknown_character")
        self._state.stop(character, command.received, self.silenced)
        self._state.publisher.answer(command, cancelled=self.silenced)

    def _prepare(self, command: Command) -> None:
        assert isinstance(command.request, PrepareRequest)
        self._state.require_voice()
        self._state.preparations.add(command, command.request)

    def _characters(self, command: Command) -> None:
        voice = self._state.voice
        known = voice.characters if voice else ()
        characters = [
            CharacterInfo.model_validate(character.model_dump()).model_dump() for character in known
        ]
        self._state.publisher.answer(command, characters=characters)

    def _status(self, command: Command) -> None:
        state = self._state
        queue = [ticket.line_id for ticket in state.scheduler.waiting()]
        active = [line.request_id for line in state.active.lines]
        status = self._status_topics.status().model_dump()
        state.publisher.answer(command, **status, active=active, queue=queue)

    def _reload(self, command: Command) -> None:
        self._reloads.append(command)
        self._state.active.engine_loading = True
        self._state.engine.reload()

    def _flush_cache(self, command: Command) -> None:
        self._state.publisher.answer(command, removed=self._state.cache.clear())
