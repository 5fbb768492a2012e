"""Deletion of voices that the list in force revokes: by root, who owns what the daemon only reads."""

from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

from edge.bundle.audit import AuditLog
from edge.bundle.bundle import Bundle, workshop
from edge.bundle.revocation import Ending, PendingEndings, plan_endings
from edge.bundle.trust.consent import Site
from edge.bundle.trust.gate import names_of
from edge.bundle.trust.store import TrustStore
from edge.errors import BundleError

from .slot import Slot

logger = logging.getLogger(__name__)
PENDING_FILE = "pending-endings.json"


def revoked_voices(content: Slot, store: TrustStore, site: Site) -> tuple[Ending, ...]:
    """Say which voices of any release the list in force ends; what is no bundle is left to the doctor."""
    holdings = []
    for path in sorted(content.releases.glob("*/voices/*.voice")):
        try:
            bundle = Bundle.load(path, gate=workshop)
        except BundleError as error:
            logger.warning("%s", error)
            continue
        holdings.append(replace(names_of(bundle, store, site), path=path))
    return plan_endings(store.revocations, holdings, store.now())


def purge(content: Slot, store: TrustStore, site: Site, state: Path, audit: AuditLog) -> list[Path]:
    """Delete what is revoked, and what a crash left of an earlier time; gives what was deleted.

    Args:
        content: slot of the voices.
        store: of the device.
        site: of the device, for lists that revoke a device.
        state: folder for what is noted until it is done.
        audit: log of decisions.

    Raises:
        OSError: something cannot be deleted; it is tried again the next time.
    """
    pending = PendingEndings(state / PENDING_FILE)
    endings = revoked_voices(content, store, site)
    pending.begin(endings)
    for ending in endings:
        audit.write(ending.code, bundle=ending.bundle, reason=ending.reason)
    deleted = list(pending.finish())
    for path in deleted:
        audit.write("deleted", path=str(path))
    return deleted
