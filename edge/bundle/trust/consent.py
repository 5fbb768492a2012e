"""Whether a consent record covers this voice, on this device, here and now."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from ...errors import TrustError
from ..manifest import Manifest
from .documents import ConsentRecord, Use, seconds


@dataclass(frozen=True)
class Site:
    """Where and for what a voice is used."""

    use: str = "venue"
    """Name of one of the record's uses."""
    venue: str = ""
    device: str = ""
    territory: str = ""
    """``venue``, ``device``, ``territory``: empty where unknown; then only a record without limits covers it.
    """
    label: str = "none"
    """Label profile in force, ``none`` without."""


# What satisfies a demanded least profile; every profile satisfies itself and `none`.
_LABEL_COVERS = {"cn": {"cn"}, "eu": {"eu"}, "eu-art": {"eu-art", "eu"}, "us-ca": {"us-ca", "eu", "cn"}}


def require_consent(record: ConsentRecord, manifest: Manifest, site: Site, now: int) -> Use:
    """Return the use of the record that covers this voice here and now.

    Raises:
        TrustError: ``consent_missing``, with what is not covered.
    """
    uncovered = sorted({entry.name for entry in manifest.characters} - set(record.voice.characters))
    references = manifest.origin.references if manifest.origin else ()
    if uncovered:
        raise _missing(record, f"does not cover character {', '.join(uncovered)}")
    if not references or set(references) - set(record.voice.references):
        raise _missing(record, "names other recordings than those of this voice")
    uses = [use for use in record.uses if use.id == site.use]
    if not uses:
        raise _missing(record, f"has no use {site.use!r}, only {', '.join(use.id for use in record.uses)}")
    refusals = [_first(_refusals(use, manifest, site, now)) for use in uses]
    for use, refusal in zip(uses, refusals, strict=True):
        if refusal is None:
            return use
    raise _missing(record, str(refusals[0]))


def _refusals(use: Use, manifest: Manifest, site: Site, now: int) -> Iterator[str]:
    spoken = {language for entry in manifest.characters for language in entry.languages}
    if spoken - set(use.languages):
        yield f"does not cover language {', '.join(sorted(spoken - set(use.languages)))}"
    for what, value, allowed in (
        ("venue", site.venue, use.venues),
        ("device", site.device, use.devices),
        ("territory", site.territory, use.territory),
    ):
        if "*" not in allowed and value not in allowed:
            yield f"does not cover {what} {value!r}; it names {', '.join(allowed)}"
    if now < seconds(use.since):
        yield f"begins on {use.since}"
    if now > seconds(use.until):
        yield f"ended on {use.until}"
    if use.label != "none" and site.label not in _LABEL_COVERS[use.label]:
        yield f"demands label profile {use.label}, this device has {site.label}"


def _first(refusals: Iterator[str]) -> str | None:
    return next(refusals, None)


def _missing(record: ConsentRecord, reason: str) -> TrustError:
    message = f"consent {record.consent_id} {reason}; ask {record.controller} for a record that covers it"
    return TrustError(message, "consent_missing")
