"""Trust store of a device: the key list in force, the newest revocation list, and what was seen before."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from ...durable import write_whole
from ...errors import TrustError
from .chain import verify_document, verify_root
from .documents import Index, Revocations, Root, seconds, time_text
from .memory import Memory, Seen

ROOT_FILE, REVOCATIONS_FILE, INDEX_FILE = "root.json", "revocations.json", "index.json"


@dataclass(frozen=True)
class Freshness:
    """How old the revocation list is."""

    seq: int
    """Of the list; 0 without one."""
    age_s: int | None
    """Since it was issued, None without one."""
    stale: bool
    """Past its ``stale_after``, or there is none."""


class TrustStore:
    """Documents that were verified once are kept as they came and verified again at each start.

    Args:
        directory: of the device; made when first written.
        copy: second place for the numbers that only rise.
        clock: seconds since 1970.
    """

    def __init__(
        self, directory: Path, copy: Path | None = None, clock: Callable[[], float] = time.time
    ) -> None:
        self.directory = directory
        self._memory = Memory(directory, copy)
        self._clock = clock
        self.seen: Seen = self._memory.load()
        self.root = self._load_root()
        self.revocations = self._load_revocations()

    def rehearsal(self, folder: Path) -> TrustStore:
        """Give a store that knows the same and writes to another folder, to see what would be accepted."""
        other = TrustStore(folder, clock=self._clock)
        other.seen, other.root, other.revocations = self.seen, self.root, self.revocations
        return other

    @property
    def faults(self) -> list[str]:
        """What is wrong with the store itself, for a doctor to say."""
        faults = list(self._memory.faults)
        if self._clock() < self.seen.time_floor:
            faults.append(
                f"the clock says {time_text(self._clock())}, but it was {time_text(self.seen.time_floor)} "
                "before; set the clock (the later time is used)"
            )
        return faults

    def now(self) -> int:
        """Seconds since 1970, never before what was seen."""
        return max(int(self._clock()), self.seen.time_floor)

    def revoked_keys(self) -> frozenset[str]:
        """Names of keys that no longer count."""
        entries = self.revocations.entries if self.revocations else ()
        return frozenset(entry.id for entry in entries if entry.kind == "key")

    def freshness(self) -> Freshness:
        """Tell how old the revocation list is."""
        if self.revocations is None:
            return Freshness(0, None, self.root is not None)
        age = self.now() - seconds(self.revocations.issued)
        return Freshness(self.revocations.seq, age, self.now() > seconds(self.revocations.stale_after))

    def accept_root(self, content: bytes) -> Root:
        """Take a key list: the first one that a device sees, or the next version.

        Raises:
            TrustError: it does not follow from the one in force, or has expired.
        """
        if self.root is not None and content == (self.directory / ROOT_FILE).read_bytes():
            return self.root
        root = verify_root(content, self.root)
        if root.version < self.seen.root:
            raise TrustError(
                f"sovits-root/1: version {root.version} is older than {self.seen.root}, seen before"
            )
        self._not_expired("sovits-root/1", root.expires)
        self._keep(ROOT_FILE, content, root=root.version, time_floor=seconds(root.issued))
        self.root = root
        return root

    def check_revocations(self, content: bytes) -> Revocations:
        """Read a revocation list; nothing is remembered until :meth:`accept_revocations`.

        Raises:
            TrustError: its signature does not hold, or it is older than what was seen.
        """
        found = verify_document(content, Revocations, self._keys(), "revocation", self.revoked_keys())
        if found.seq < self.seen.revocations:
            raise TrustError(
                f"sovits-revocations/1: seq {found.seq} is older than {self.seen.revocations}, seen before; "
                "fetch the newest list"
            )
        known = self.revocations
        if known is not None and found.seq == known.seq and found != known:
            raise TrustError(f"sovits-revocations/1: another list with the same seq {found.seq}; raise seq")
        return found

    def accept_revocations(self, content: bytes) -> bool:
        """Take a revocation list if it is newer; True if it was.

        Raises:
            TrustError: as :meth:`check_revocations`.
            OSError: it cannot be written; the list before stays in force.
        """
        found = self.check_revocations(content)
        if found == self.revocations:
            return False
        self._keep(REVOCATIONS_FILE, content, revocations=found.seq, time_floor=seconds(found.issued))
        self.revocations = found
        return True

    def check_index(self, content: bytes) -> Index:
        """Read a release index; nothing is remembered until :meth:`accept_index`.

        Raises:
            TrustError: signature, age, or an older version than was seen.
        """
        index = verify_document(content, Index, self._keys(), "release", self.revoked_keys())
        if index.version < self.seen.index:
            raise TrustError(
                f"sovits-index/1: version {index.version} is older than {self.seen.index}, seen before; "
                "fetch the newest index"
            )
        self._not_expired("sovits-index/1", index.expires)
        return index

    def accept_index(self, content: bytes) -> Index:
        """Remember an index as the newest.

        Raises:
            TrustError: as :meth:`check_index`.
        """
        index = self.check_index(content)
        self._keep(INDEX_FILE, content, index=index.version, time_floor=seconds(index.issued))
        return index

    def raise_floor(self, moment: float) -> None:
        """Note that it is at least this late, for a clock that is lost at power-off."""
        if moment >= self.seen.time_floor + 60:
            self._remember(time_floor=int(moment))

    def keys(self) -> Root:
        """Key list in force.

        Raises:
            TrustError: there is none yet.
        """
        return self._keys()

    def _keys(self) -> Root:
        if self.root is None:
            raise TrustError(
                f"{self.directory}: no {ROOT_FILE} yet; bring the studio's with: sovits-deploy import FOLDER"
            )
        return self.root

    def _not_expired(self, what: str, expires: str) -> None:
        if self.now() > seconds(expires):
            raise TrustError(f"{what}: expired on {expires}; fetch the newest, and check the clock")

    def _keep(self, name: str, content: bytes, **numbers: int) -> None:
        """Write a document, then the numbers: after a crash between the two it is taken again."""
        write_whole(self.directory / name, content)
        self._remember(**numbers)

    def _remember(self, **numbers: int) -> None:
        self.seen = self.seen.risen(**numbers)
        self._memory.save(self.seen)

    def _load_root(self) -> Root | None:
        path = self.directory / ROOT_FILE
        if not path.exists():
            return None
        root = verify_root(path.read_bytes(), None)
        if root.version < self.seen.root:
            raise TrustError(
                f"{path}: version {root.version}, but {self.seen.root} was seen; import it again"
            )
        return root

    def _load_revocations(self) -> Revocations | None:
        path = self.directory / REVOCATIONS_FILE
        if self.root is None or not path.exists():
            return None
        found = verify_document(path.read_bytes(), Revocations, self.root, "revocation")
        if found.seq < self.seen.revocations:
            raise TrustError(
                f"{path}: seq {found.seq}, but {self.seen.revocations} was seen; import the newest list"
            )
        return found
