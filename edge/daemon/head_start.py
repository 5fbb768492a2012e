"""Head start: the synthesiser begins with the line that is next while its acceptance is written to disk.

Nobody hears of it: a line starts once it is on disk, and then finds what has been made of it so far. On a
disk that takes as long as the synthesiser, the first sound comes in half the time.
"""

from __future__ import annotations

from typing import Protocol

from ..engine.base import Engine, LineChunk, LineDone, LineError, LineReady
from .line import Line

_Message = LineReady | LineChunk | LineDone | LineError
_HANDLERS = {LineReady: "on_ready", LineChunk: "on_chunk", LineDone: "on_done", LineError: "on_error"}


class Listener(Protocol):
    """Who is told what the synthesiser says of a line."""

    def on_ready(self, message: LineReady) -> None:
        """Its text is read."""

    def on_chunk(self, message: LineChunk) -> None:
        """Sound."""

    def on_done(self, message: LineDone) -> None:
        """Its end."""

    def on_error(self, message: LineError) -> None:
        """What went wrong."""


class HeadStart:
    """What the synthesiser has given of a line that has not started yet; of one line at a time.

    A line that has begun is given up only when it ends: no id is ever used twice in the synthesiser. Only the
    core thread uses it.

    Args:
        engine: makes sound.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._line_id = ""
        self._messages: list[_Message] = []

    @property
    def is_taken(self) -> bool:
        """Tell whether a line has one."""
        return bool(self._line_id)

    def begin(self, line: Line) -> None:
        """Have the synthesiser begin with a line."""
        self._line_id, self._messages = line.request_id, []
        self._engine.start(line.request_id, line.speech, line.urgency)

    def has(self, line_id: str) -> bool:
        """Tell whether the synthesiser has begun with a line that has not started."""
        return self.is_taken and line_id == self._line_id

    def hand_over(self, line_id: str, line: Listener) -> None:
        """Pass on what the synthesiser has said of a line; from now on it is told itself."""
        for message in self._take(line_id):
            getattr(line, _HANDLERS[type(message)])(message)

    def forgo(self, line_id: str) -> None:
        """Give up a line that ends without having started, or that need not be made."""
        if self.has(line_id):
            self._take(line_id)
            self._engine.cancel(line_id)

    def _take(self, line_id: str) -> list[_Message]:
        if not self.has(line_id):
            return []
        messages, self._line_id, self._messages = self._messages, "", []
        return messages

    def on_ready(self, message: LineReady) -> None:
        """Keep a message for later, as all of these."""
        self._messages.append(message)

    def on_chunk(self, message: LineChunk) -> None:
        """Keep sound."""
        self._messages.append(message)

    def on_done(self, message: LineDone) -> None:
        """Keep the end."""
        self._messages.append(message)

    def on_error(self, message: LineError) -> None:
        """Keep what went wrong."""
        self._messages.append(message)
