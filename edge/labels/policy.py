"""Label policy of a device: which profile, what it shows, and when something has to be said."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from .aigc import is_label_value
from .profiles import PROFILES, Profile, ProfileName, When

Position = Literal["start", "end"]


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
    position: Position = "start"
    session_gap_s: int = Field(60, ge=1, le=3600)
    """Silence after which an interaction is a new one."""
    producer: str = Field("", max_length=64)
    """Code of the provider in file labels: ASCII without spaces; the registered one where there is one."""

    certificate: Path | None = None
    """Certificate with which files are signed (C2PA), PEM; needs the extra `provenance`."""
    certificate_key: Path | None = None
    """Its private key, PEM."""

    @model_validator(mode="after")
    def _is_answered_for(self) -> LabelConfig:
        if self.profile == "none" and len(self.attestation.strip()) < 20:
            raise ValueError(
                "profile none needs an attestation: who answers for it and why (20 characters or more)"
            )
        if self.producer and not is_label_value(self.producer):
            raise ValueError("producer: only visible ASCII without spaces, backslash and quotes")
        if (self.certificate is None) != (self.certificate_key is None):
            raise ValueError("certificate and certificate_key go together")
        return self

    @property
    def is_chosen(self) -> bool:
        """Whether somebody has chosen the profile; absent, it is that of the Union."""
        return "profile" in self.model_fields_set


def file_producer(config: LabelConfig) -> str:
    """Code for the label in files; empty where the profile has none, or nobody has given a code."""
    return config.producer if PROFILES[config.profile].file_label else ""


@dataclass(frozen=True)
class LinePlan:
    """What goes with a line."""

    notice: str
    """Sentence to be said in the voice of the line; empty for none."""
    rhythm: bool
    """Whether the rhythm sounds."""
    position: Position
    """Before or after the line."""

    @property
    def is_due(self) -> bool:
        """Whether anything is to be heard."""
        return bool(self.notice) or self.rhythm


class LabelPolicy:
    """Decides line by line. Belongs to one thread.

    A voice that imitates nobody is announced only where somebody has chosen a profile: what a venue has to
    say of a person's voice is not left to a file that nobody has written.

    Args:
        config: of the device.
    """

    def __init__(self, config: LabelConfig) -> None:
        self.config = config
        self.profile: Profile = PROFILES[config.profile]
        self._quiet_since_s: dict[tuple[str, str], float] = {}

    def screen_text(self, language: str = "") -> str:
        """Text that a screen has to show; empty for none."""
        return self.profile.screen.get(language, self.profile.screen.get("", ""))

    @property
    def is_heard(self) -> bool:
        """Whether sentence or rhythm is heard at all."""
        return {self._spoken, self._rhythm} != {"never"}

    def announces(self, a_person: bool) -> bool:
        """Tell whether anything is ever to be heard with a voice, that of a person or not."""
        return self.config.is_chosen or a_person

    def notices(self, a_person: bool) -> dict[str, str]:
        """Sentences that may have to be said, by language."""
        return self.profile.notice if self.announces(a_person) and self._spoken != "never" else {}

    def plan(self, character: str, language: str, now_s: float, hearer: str = "") -> LinePlan:
        """Say what goes with a line that begins now; nothing is noted until :meth:`ended`.

        Args:
            character: who speaks.
            language: of the line.
            now_s: monotonic.
            hearer: who listens; each has interactions of their own.
        """
        ended = self._quiet_since_s.get((character, hearer))
        fresh = ended is None or now_s - ended >= self.config.session_gap_s
        notices = self.profile.notice
        notice = notices.get(language, notices.get("en", "")) if _is_due(self._spoken, fresh) else ""
        rhythm = _is_due(self._rhythm, fresh)
        return LinePlan(notice, rhythm, self.config.position)

    def ended(self, character: str, now_s: float, hearer: str = "") -> None:
        """Note that a character has fallen silent: the interaction goes on until the gap has passed."""
        self._quiet_since_s[character, hearer] = now_s

    @property
    def _spoken(self) -> When:
        return self.config.spoken or self.profile.spoken

    @property
    def _rhythm(self) -> When:
        return self.config.rhythm or self.profile.rhythm

    def meta(self) -> dict[str, object]:
        """What ``audio/<id>/meta`` says as ``label``."""
        return {"ai_generated": True, "profile": self.profile.name, "text": self.screen_text()}


def _is_due(when: When, fresh: bool) -> bool:
    return when == "each" or (when == "session" and fresh)
