"""Show of a running daemon: its lines by id, and their preparation."""

from __future__ import annotations

import logging
import time
from itertools import count

from ..messages import PrepareRequest, SayRequest
from ..protocols.commands import Command
from ..show import Script
from .admission import Admission
from .cache import LineCache
from .line import Line
from .prepare import Preparations
from .show_watch import ShowRead, ShowRefused
from .tally import Tally

logger = logging.getLogger(__name__)

MAX_AHEAD = 16  # texts that are read into memory for one line


class Shows:
    """The show in use. Only the core thread uses it.

    Args:
        preparations: have lines made while nothing else is done.
        tally: keeps the last error.
    """

    def __init__(self, preparations: Preparations, tally: Tally) -> None:
        self.script: Script | None = None
        """Turns ids into requests; None without a show."""
        self.fault = ""
        """Why the file as it stands now is not used."""
        self.fills_pauses = False
        """Whether a show in use had lines that give way to others."""
        self._preparations = preparations
        self._tally = tally
        self._numbers = count(1)
        self._preparing = ""

    def on_read(self, message: ShowRead) -> None:
        """Take a show into use; lines of the one before that have been accepted are said."""
        show = message.show
        logger.info("show %s, %d lines", show.name, len(show.lines))
        self.script, self.fault = Script(show), ""
        self.fills_pauses = self.fills_pauses or any(line.waiting for line in show.lines)
        self.prepare()

    def on_refused(self, message: ShowRefused) -> None:
        """Show that a file is wrong; the show as it was stays."""
        logger.error("%s", message.message)
        self.fault = self._tally.last_error = message.message

    def follow(self, line: Line, admission: Admission, cache: LineCache) -> list[str]:
        """Return the keys of lines that may follow one, as far as they lie on disk and not in memory."""
        if self.script is None or line.shown is None:
            return []
        known = {each.id: each for each in self.script.show.lines}
        nexts = [known[name] for name in line.shown.next if name in known]
        items = [item for each in nexts for item in self.script.show.items(each)]
        keys = [
            admission.key(admission.speech(SayRequest.model_validate(item), [])) for item in items[:MAX_AHEAD]
        ]
        return [key for key in keys if cache.get(key) is None and cache.is_stored(key)]

    def prepare(self) -> None:
        """Have everything that the show may say made, in place of what was being prepared of it."""
        if self.script is None:
            return
        self._preparations.withdraw(self._preparing)
        show = self.script.show
        self._preparing = f"show-{show.name[:48]}-{next(self._numbers)}"
        items = [item for line in show.lines for item in show.items(line)]
        command = Command("prepare", self._preparing, time.monotonic())
        self._preparations.add(command, PrepareRequest.model_construct(items=items))
