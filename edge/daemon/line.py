"""Lines: requests on their way from acceptance to the terminal event."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

from ..engine.base import PLAY, RENDER, STREAM
from ..messages import SayRequest
from ..protocols.commands import Command, Follower, Reply
from ..show import ShowLine
from ..synthesizer import SpeechRequest
from .scheduler import Ticket

CutBy = Literal["request", "interrupt", "stop", "shutdown"]


class Phase(Enum):
    """Where a line is."""

    COMMITTING = "committing"
    """Not yet on disk: nobody has been told."""
    QUEUED = "queued"
    ACTIVE = "active"
    CUTTING = "cutting"
    """Fading out; the terminal event follows when it is silent."""
    ENDED = "ended"


@dataclass(kw_only=True)
class Reported:
    """What events say of a request."""

    request_id: str
    character: str
    n_events: int = 0
    """Events sent so far: the number of the next one."""
    follower: Follower | None = None


@dataclass(kw_only=True)
class Line(Reported):
    """What was asked, and where it stands. Only the core thread touches it."""

    received: float
    """``time.monotonic()`` at arrival."""
    request: SayRequest
    speech: SpeechRequest
    plain: str
    """The text without its tags."""
    key: str
    """Content key in the cache."""
    command: Command
    channel: str = ""
    """In which it speaks."""
    deadline: float | None = None
    order: int = 0
    """Place in the order of arrival, given by the scheduler."""
    phase: Phase = Phase.COMMITTING
    cut_by: CutBy | None = None
    shown: ShowLine | None = None
    """Line of the show file that it is."""
    repeats: list[Reply] = field(default_factory=list)
    """Of the same request, delivered again before it was on disk: as little dealt with as the first."""

    def committed(self) -> None:
        """Tell whoever carried the request that it is on disk, or refused."""
        for reply in (self.command.reply, *self.repeats):
            reply.committed()

    @property
    def gives_way(self) -> bool:
        """Tell whether it only fills a pause."""
        return self.shown is not None and self.shown.waiting

    def ticket(self) -> Ticket:
        """Make its place in the queue."""
        return Ticket(
            line_id=self.request_id,
            character=self.character,
            lane="play" if self.plays else "render",
            priority=self.request.priority,
            interrupt=self.request.interrupt,
            due=self.received + self.request.not_before_ms / 1000,
            deadline=self.deadline,
            channel=self.channel,
        )

    @property
    def plays(self) -> bool:
        """Tell whether the loudspeaker is wanted."""
        return "play" in self.request.output

    @property
    def urgency(self) -> int:
        """Say how much the synthesiser has to hurry."""
        return PLAY if self.plays else STREAM if "audio" in self.request.output else RENDER
