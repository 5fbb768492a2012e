"""A request on its way from acceptance to its terminal event."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from typing import Literal

from ..audio import AudioChunk
from ..messages import SayRequest
from ..protocols.commands import Command
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


@dataclass
class Line:
    """What the core knows about one request. Only the core thread touches it."""

    request_id: str
    character: str
    received: float
    """`time.monotonic()` at arrival."""
    request: SayRequest
    speech: SpeechRequest
    plain: str
    """The text without its tags."""
    key: str
    """Content key in the cache."""
    command: Command
    deadline: float | None = None
    order: int = 0
    """Place in the order of arrival, given by the scheduler."""
    phase: Phase = Phase.COMMITTING
    n_events: int = 0
    warnings: list[str] = field(default_factory=list)
    cached: bool = False
    cut_by: CutBy | None = None
    synthesising: bool = False
    chunks: list[AudioChunk] = field(default_factory=list)
    pending: set[str] = field(default_factory=set)
    """What has still to be completed before the line is finished: `sound`, `play`, `file`."""
    sounding: bool = False
    progress: int = 0
    """Messages received from the synthesiser; a watch compares it."""
    n_segments: int = 0
    """Lip-sync segments sent."""
    n_phrases: int | None = None
    final_sent: bool = False
    n_samples: int = 0
    played_samples: int = 0
    synthesis_ms: float = 0.0
    underruns: int = 0
    path: str | None = None

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
        )

    @property
    def plays(self) -> bool:
        """Tell whether the loudspeaker is wanted."""
        return "play" in self.request.output
