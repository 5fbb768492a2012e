"""Gate in front of every voice: signature, consent and revocation, in that order, before a network opens."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ...errors import BundleError, TrustError
from ..bundle import CONSENT_FILE, SIGNATURE_FILE, Bundle, nobody_imitated
from ..revocation import Holding, find_revocation
from .chain import verify_document
from .consent import Site, require_consent
from .documents import BundleSignature, ConsentRecord, Use
from .store import TrustStore

MAX_DOCUMENT_BYTES = 256 * 1024
ANYWHERE = Site()  # nothing is known: only records without limits cover it
MUTED = "the revocation list is too old, and this consent then asks for silence; import the newest list"


@dataclass(frozen=True)
class Permit:
    """What was found at the gate."""

    holding: Holding
    """Names under which the voice can be revoked."""
    record: ConsentRecord | None = None
    """Consent of the person; None for a synthetic voice."""
    use: Use | None = None
    """The use that covers this device."""
    warnings: tuple[str, ...] = ()
    """To be shown, such as a list that has become old."""

    @property
    def marked(self) -> bool:
        """Whether every sample has to carry the inaudible mark."""
        return self.record is not None


def admit(bundle: Bundle, store: TrustStore, site: Site, *, part_of_release: bool = False) -> Permit:
    """Let a voice pass or refuse it.

    Without a key list in the store only voices that nobody is imitated in pass. With one, every bundle needs
    the studio's signature, but for the voice that comes with the software and was signed with it.

    Args:
        bundle: checked for damage.
        store: of the device.
        site: where and for what it is used.
        part_of_release: the built-in voice.

    Raises:
        TrustError: ``consent_missing``, ``voice_revoked`` or ``bundle_corrupt`` with one line that says why.
    """
    person = bundle.imitates_a_person
    signed = store.root is not None and not part_of_release
    if store.root is None:
        nobody_imitated(bundle)
    if signed:
        _require_signature(bundle, store)
    record = _consent(bundle, store) if person else None
    holding = holding_of(bundle, record, site)
    _require_not_revoked(bundle, store, holding)
    if record is None:
        return Permit(holding, warnings=_age_warnings(store, None) if signed else ())
    use = require_consent(record, bundle.manifest, site, store.now())
    return Permit(holding, record, use, _age_warnings(store, record))


def holding_of(bundle: Bundle, record: ConsentRecord | None, site: Site) -> Holding:
    """Give the names under which a revocation list may mean this voice."""
    files = bundle.manifest.files.values()
    return Holding(
        bundle=f"sha256:{bundle.manifest_sha256}",
        models=frozenset(f"sha256:{entry.sha256}" for entry in files),
        consent=record.consent_id if record else "",
        device=site.device,
        characters=tuple(entry.name for entry in bundle.manifest.characters),
    )


def names_of(bundle: Bundle, store: TrustStore, site: Site) -> Holding:
    """Give the names of a voice that need not pass; without that of a consent record that does not hold."""
    record = None
    if bundle.imitates_a_person and store.root is not None:
        with suppress(TrustError):
            record = _consent(bundle, store)
    return holding_of(bundle, record, site)


def _require_signature(bundle: Bundle, store: TrustStore) -> None:
    content = bundle.read_unlisted(SIGNATURE_FILE, MAX_DOCUMENT_BYTES)
    if content is None:
        raise TrustError(
            f"{bundle.path}: not signed; sign it with: sovits-deploy sign bundle {bundle.path.name}"
        )
    try:
        found = verify_document(content, BundleSignature, store.keys(), "studio", store.revoked_keys())
    except TrustError as error:
        raise TrustError(f"{bundle.path}: {error}", error.code) from error
    manifest = bundle.manifest
    named = (found.name, found.version, found.manifest_sha256)
    if named != (manifest.name, manifest.version, bundle.manifest_sha256):
        raise TrustError(
            f"{bundle.path}: its signature is for {found.name} {found.version}, manifest "
            f"{found.manifest_sha256[:12]}…, not for this content; sign the bundle again"
        )


def _consent(bundle: Bundle, store: TrustStore) -> ConsentRecord:
    if CONSENT_FILE not in bundle.manifest.files:
        raise TrustError(
            f"{bundle.path}: the voice of a person without {CONSENT_FILE}; ask the studio for its record",
            "consent_missing",
        )
    try:
        content = bundle.read(CONSENT_FILE)
        return verify_document(content, ConsentRecord, store.keys(), "studio", store.revoked_keys())
    except TrustError as error:
        raise TrustError(f"{bundle.path}: {CONSENT_FILE}: {error}", "consent_missing") from error


def _require_not_revoked(bundle: Bundle, store: TrustStore, holding: Holding) -> None:
    entry = find_revocation(store.revocations, holding, store.now())
    if entry is not None:
        raise TrustError(
            f"{bundle.path}: {entry.kind} {entry.id} was revoked ({entry.reason}, {entry.since}); "
            "remove the voice, or ask the rights holder",
            "voice_revoked",
        )


def _age_warnings(store: TrustStore, record: ConsentRecord | None) -> tuple[str, ...]:
    """Say that the list is old.

    Raises:
        TrustError: the consent asks for silence then.
    """
    age = store.freshness()
    days = record.offline.list_stale_after_days if record else None
    too_old = age.stale or (days is not None and (age.age_s is None or age.age_s > days * 86_400))
    if not too_old:
        return ()
    if record is not None and record.offline.grace == "mute":
        raise TrustError(f"consent {record.consent_id}: {MUTED}", "consent_missing")
    return (f"revocation list {age.seq} is too old; import the newest list",)


@dataclass(frozen=True)
class DeviceGate:
    """Gate of one device; it opens the trust store each time, so that it sees the newest list."""

    directory: Path
    """Trust store."""
    site: Site = ANYWHERE
    """Where and for what voices are used."""
    copy: Path | None = None
    """Second place for the numbers that only rise."""

    def __call__(self, bundle: Bundle) -> Permit:
        """Let a bundle pass or refuse it, as :func:`admit`."""
        try:
            store = TrustStore(self.directory, self.copy)
        except OSError as error:
            raise BundleError(
                f"{self.directory}: cannot be read: {error.strerror}; check permissions and disk"
            ) from error
        return admit(bundle, store, self.site, part_of_release=bundle.is_builtin)
