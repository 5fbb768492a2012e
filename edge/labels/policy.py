"""Label policy of a device: which profile, what it shows, and when something has to be said."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from .aigc import is_label_value
from .profiles import PROFILES, Profile, ProfileName, When


class LabelConfig(BaseModel):
    """The ``[label]`` section of a device."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    profile: ProfileName = "eu"
    attestation: str = Field("", max_length=500)
    """Who answers for a device without labels, and why; `none` asks for it, and it goes to the audit log."""
    spoken: When | None = None
    """When the sentence is said; absent: as the profile has it."""
    rhythm: When | None = None
    """When the rhythm for "AI" sounds; absent: as the profile has it."""
    position: Literal["start", "end"] = "start"
    session_gap_s: int = Field(60, ge=1, le=3600)
    """Silence after which an interaction is a new one."""
    producer: str = Field("", max_length=64)
    """Code of the provider in file labels: ASCII without spaces; the registered one where there is one."""

    @model_validator(mode="after")
    def _is_answered_for(self) -> LabelConfig:
        if self.profile == "none" and len(self.attestation.strip()) < 20:
            raise ValueError(
                "profile none needs an attestation: who answers for it and why (20 characters or more)"
            )
        if self.producer and not is_label_value(self.producer):
            raise ValueError("producer: only visible ASCII without spaces, backslash and quotes")
        return self


@dataclass(frozen=True)
class LinePlan:
    """What goes with a line.

    Attributes:
        notice: sentence to be said in the voice of the line; empty for none.
        rhythm: whether the rhythm sounds.
        position: before or after the line.
    """

    notice: str
    rhythm: bool
    position: Literal["start", "end"]

    @property
    def key(self) -> str:
        """What tells cached sound with these labels from others; empty for none."""
        if not self.notice and not self.rhythm:
            return ""
        return f"{self.position}:{'rhythm' if self.rhythm else ''}:{self.notice}"


class LabelPolicy:
    """Decides line by line. Belongs to one thread.

    Args:
        config: of the device.
    """

    def __init__(self, config: LabelConfig) -> None:
        self.config = config
        self.profile: Profile = PROFILES[config.profile]
        self._quiet_since_s: dict[str, float] = {}

    def screen_text(self, language: str = "") -> str:
        """Text that a screen has to show; empty for none."""
        return self.profile.screen.get(language, self.profile.screen.get("", ""))

    def plan(self, character: str, language: str, now_s: float) -> LinePlan:
        """Say what goes with a line that begins now; nothing is noted until :meth:`ended`."""
        ended = self._quiet_since_s.get(character)
        fresh = ended is None or now_s - ended >= self.config.session_gap_s
        spoken = _is_due(self.config.spoken or self.profile.spoken, fresh)
        notices = self.profile.notice
        notice = notices.get(language, notices.get("en", "")) if spoken else ""
        rhythm = _is_due(self.config.rhythm or self.profile.rhythm, fresh)
        return LinePlan(notice, rhythm, self.config.position)

    def ended(self, character: str, now_s: float) -> None:
        """Note that a character has fallen silent: the interaction goes on until the gap has passed."""
        self._quiet_since_s[character] = now_s

    def meta(self) -> dict[str, object]:
        """What ``audio/<id>/meta`` says as ``label``."""
        return {"ai_generated": True, "profile": self.profile.name, "text": self.screen_text()}


def _is_due(when: When, fresh: bool) -> bool:
    return when == "each" or (when == "session" and fresh)
