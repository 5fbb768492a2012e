"""The voice card: what a person has to say about a voice, as TOML; the rest of the manifest is computed."""

from __future__ import annotations

import sys
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from edge.bundle.manifest import Consent, Language, Name, Origin, Provenance

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CardCharacter(_Model):
    """A character as the bundle will describe it; its id comes from the checkpoint."""

    name: Name
    languages: tuple[Language, ...]
    emotions: tuple[Name, ...] = ("neutral",)
    fallbacks: dict[Name, Name] = Field(default_factory=dict)
    description: str = ""


class CardGolden(_Model):
    """The line that every device speaks to prove that it can."""

    text: str
    character: Name
    language: str = "auto"


class VoiceCard(_Model):
    """Everything about a voice that no checkpoint knows."""

    name: Name
    version: str
    licence: str
    characters: tuple[CardCharacter, ...]
    provenance: tuple[Provenance, ...]
    golden: CardGolden
    consent: Consent | None = None
    origin: Origin | None = None
    consent_record: Path | None = None
    """Signed record of the person whose voice it is; relative to the card."""
    first_window_frames: int = 16
    window_frames: int = 256


def read_card(path: Path) -> VoiceCard:
    """Read a voice card.

    Raises:
        ValueError: one line that names the file, the key and what is wrong with it.
    """
    try:
        card = VoiceCard.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except OSError as error:
        raise ValueError(
            f"{path}: {error.strerror}; write a voice card, docs/quantize.md shows one"
        ) from error
    except tomllib.TOMLDecodeError as error:
        raise ValueError(f"{path}: not TOML: {error}") from error
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in problem["loc"])
        raise ValueError(f"{path}: {where}: {problem['msg']}") from error
    if card.consent_record is None:
        return card
    return card.model_copy(update={"consent_record": path.resolve().parent / card.consent_record})
