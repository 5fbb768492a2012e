"""Checks of odd texts: the synthesiser reads what may have nothing to say before it is accepted.

Nearly every line has a letter or a common character, and is accepted without being read. The others wait for
their turn between two chunks of what is being computed, a few milliseconds.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from ..engine.base import CHECK, LineDone, LineError
from ..errors import EdgeError
from ..messages import SayRequest
from ..text.speakable import is_surely_spoken
from .journal.base import Known
from .line import Line
from .state import State

ID_PREFIX = "check/"  # no request id contains a slash


@dataclass(frozen=True)
class CheckWatch:
    """Look whether a text has been read."""

    request_id: str


def needs_check(line: Line) -> bool:
    """Tell whether only reading a line tells that it can be spoken; one without a word is a silence."""
    return any(map(str.isalnum, line.plain)) and not is_surely_spoken(line.plain)


class TextChecks:
    """Lines that are being read before they are accepted. Only the core thread uses it.

    Args:
        state: of the daemon.
        accept: called with a line that can be spoken.
        refuse: called with one that cannot, and the reason.
        engine_hung: called when the synthesiser is stuck, with the line it is stuck with.
    """

    def __init__(
        self,
        state: State,
        accept: Callable[[Line], None],
        refuse: Callable[[Line, EdgeError], None],
        engine_hung: Callable[[str], None],
    ) -> None:
        self._state = state
        self._accept = accept
        self._refuse = refuse
        self._engine_hung = engine_hung
        self._waiting: dict[str, Line] = {}

    def begin(self, line: Line) -> None:
        """Have a line read; it is accepted or refused later."""
        self._waiting[line.request_id] = line
        self._state.engine.start(ID_PREFIX + line.request_id, line.speech, CHECK)
        self._watch(line.request_id)

    def find(self, request_id: str) -> Known | None:
        """Return what is known of a request that is being checked."""
        line = self._waiting.get(request_id)
        asked = None if line is None else line.command.request
        return Known(asked.content_digest()) if isinstance(asked, SayRequest) else None

    def on_done(self, message: LineDone) -> None:
        """Accept a line that can be spoken."""
        line = self._waiting.pop(message.line_id.removeprefix(ID_PREFIX), None)
        if line is not None:
            self._accept(line)

    def on_error(self, message: LineError) -> None:
        """Refuse a line that cannot be spoken."""
        line = self._waiting.pop(message.line_id.removeprefix(ID_PREFIX), None)
        if line is not None:
            self._refuse(line, EdgeError(message.message, message.code))

    def on_watch(self, watch: CheckWatch) -> None:
        """Give up when the synthesiser does not answer."""
        line = self._waiting.get(watch.request_id)
        if line is None:
            return
        if self._state.active.engine_loading:
            self._watch(watch.request_id)
            return
        waited = f"the text was not read within {self._state.config.engine_timeout_s:g} s"
        self._give_up(line, EdgeError(waited, "runner_timeout"))
        self._engine_hung(ID_PREFIX + watch.request_id)

    def clear(self, error: EdgeError) -> None:
        """Refuse everything that is being checked, for the reason given."""
        for line in list(self._waiting.values()):
            self._give_up(line, error)

    def _give_up(self, line: Line, error: EdgeError) -> None:
        del self._waiting[line.request_id]
        self._state.engine.cancel(ID_PREFIX + line.request_id)
        self._refuse(line, error)

    def _watch(self, request_id: str) -> None:
        when = time.monotonic() + self._state.config.engine_timeout_s
        self._state.timers.at(when, CheckWatch(request_id))
