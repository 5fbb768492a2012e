"""What a revocation list means for the voices at hand: pure decisions; the caller ends and deletes.

A list is taken in by :meth:`edge.bundle.trust.store.TrustStore.accept_revocations`, which checks it and keeps
its number. :func:`plan_endings` then says which voices have to go. The plan is written to disk before it is
carried out, so that a crash in the middle is made good at the next start: see :class:`PendingEndings`.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ..durable import sync_directory, write_whole

if TYPE_CHECKING:
    from .trust.documents import Revocation, Revocations


@dataclass(frozen=True)
class Holding:
    """A voice on this device, by every name under which it can be revoked."""

    bundle: str
    """``sha256:`` and hash of the manifest."""
    models: frozenset[str] = frozenset()
    """``sha256:`` and hash, of each file."""
    consent: str = ""
    """Name of the consent record; empty for a synthetic voice."""
    device: str = ""
    """Name of this device."""
    characters: tuple[str, ...] = ()
    """That would fall silent."""
    path: Path | None = None
    """Bundle on disk, where it is to be deleted."""
    derived: tuple[Path, ...] = ()
    """Files made from it: engines, prepared lines, caches on disk."""


@dataclass(frozen=True)
class Ending:
    """A voice that has to end now."""

    bundle: str
    """As in its holding."""
    characters: tuple[str, ...]
    """Whose running, queued, prepared and cached lines end."""
    reason: str
    """For the message and the audit log."""
    delete: tuple[Path, ...]
    """What is to be deleted; nothing where the list only asks to refuse."""
    code: str = "voice_revoked"
    """For the events of these lines."""


def find_revocation(revocations: Revocations | None, holding: Holding, now: int) -> Revocation | None:
    """Return the entry that ends this voice, None where it may stay; a future ``from`` does not count yet."""
    from .trust.documents import seconds

    names = {
        "consent": {holding.consent} - {""},
        "bundle": {holding.bundle},
        "model": holding.models,
        "device": {holding.device} - {""},
    }
    for entry in revocations.entries if revocations else ():
        if entry.id in names.get(entry.kind, ()) and seconds(entry.since) <= now:
            return entry
    return None


def plan_endings(
    revocations: Revocations | None, holdings: Iterable[Holding], now: int
) -> tuple[Ending, ...]:
    """Say which voices have to end.

    Args:
        revocations: the newest verified list.
        holdings: voices of the device, loaded or only on disk.
        now: seconds since 1970, from the trust store.
    """
    if revocations is None:
        return ()
    endings = []
    for holding in holdings:
        entry = find_revocation(revocations, holding, now)
        if entry is None:
            continue
        own = (holding.path,) if holding.path else ()
        delete = (*own, *holding.derived) if entry.action == "refuse_and_purge" else ()
        reason = f"{entry.kind} {entry.id} was revoked ({entry.reason}) by list {revocations.seq}"
        endings.append(Ending(holding.bundle, holding.characters, reason, delete))
    return tuple(endings)


class PendingEndings:
    """Endings that were begun: written before the first deletion, removed after the last.

    Args:
        path: JSON file in the state directory.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def begin(self, endings: Sequence[Ending]) -> None:
        """Note what is to be deleted, besides what was left from before."""
        paths = dict.fromkeys([*self.left(), *(path for ending in endings for path in ending.delete)])
        if paths:
            write_whole(self._path, json.dumps([str(path) for path in paths]).encode())

    def left(self) -> tuple[Path, ...]:
        """Files and folders that a crash has left; call :meth:`finish` at start-up where there are any."""
        try:
            return tuple(Path(name) for name in json.loads(self._path.read_bytes()))
        except FileNotFoundError:
            return ()

    def finish(self) -> tuple[Path, ...]:
        """Delete everything that was begun; safe to repeat. Returns what was deleted.

        Deleting on flash memory is a best effort: the old blocks may survive until the device reuses them.

        Raises:
            OSError: something cannot be deleted; the rest is done, and it stays noted for the next try.
        """
        deleted, failure = [], None
        for path in self.left():
            try:
                if _remove(path):
                    deleted.append(path)
            except OSError as error:
                failure = error
        if failure is not None:
            raise failure
        self._path.unlink(missing_ok=True)
        return tuple(deleted)


def _remove(path: Path) -> bool:
    """Delete a file or a folder; False where there is none. A link is deleted, not what it points to."""
    import shutil

    if path.is_dir() and not path.is_symlink():
        gone = path.with_name(f".{path.name}.revoked")
        path.rename(gone)
        shutil.rmtree(gone)
    elif path.is_symlink() or path.exists():
        path.unlink()
    else:
        leftover = path.with_name(f".{path.name}.revoked")
        if not leftover.is_dir():
            return False
        shutil.rmtree(leftover)
    sync_directory(path.parent)
    return True
