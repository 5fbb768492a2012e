"""What a device has seen: highest numbers and a floor under the clock, twice, each with a check value.

Losing one copy is noticed and mended from the other. Losing both together with the key is a fresh device:
only hardware counters (TPM, OP-TEE) would tell that apart, and these are not used.
"""

from __future__ import annotations

import hmac
import json
import logging
import secrets
from dataclasses import asdict, dataclass, replace
from hashlib import sha256
from pathlib import Path

from ...durable import write_whole
from ...errors import TrustError

logger = logging.getLogger(__name__)
KEY_FILE, FIRST, SECOND = "device.key", "seen.json", "seen-copy.json"


@dataclass(frozen=True)
class Seen:
    """Numbers that only rise."""

    root: int = 0
    """Version of the key list."""
    index: int = 0
    """Version of the release index."""
    revocations: int = 0
    """``seq`` of the revocation list."""
    time_floor: int = 0
    """Seconds since 1970; it was at least this late already."""

    def risen(self, **numbers: int) -> Seen:
        """Take in newer numbers; smaller ones change nothing."""
        return replace(self, **{name: max(value, getattr(self, name)) for name, value in numbers.items()})


class Memory:
    """Keeps :class:`Seen` in two directories.

    Args:
        directory: of the trust store.
        copy: a second place that is not wiped with the first; the same directory where there is none.
    """

    def __init__(self, directory: Path, copy: Path | None = None) -> None:
        self._paths = (directory / FIRST, (copy or directory) / SECOND)
        self._key_path = (copy or directory) / KEY_FILE
        self.faults: list[str] = []

    def load(self) -> Seen:
        """Give the highest numbers of both copies; what is wrong with a copy goes to ``faults``.

        Raises:
            TrustError: copies are there, but neither proves itself.
        """
        self.faults = []
        present = [path for path in self._paths if path.exists()]
        found = [seen for seen in map(self._read, present) if seen is not None]
        if present and not found:
            raise TrustError(
                f"{self._paths[0]}: what the device has seen cannot be verified; bring the box to the person "
                "who holds its keys, or reset it with sovits-deploy import --reset-trust"
            )
        if len(present) == 1:
            missing = next(path for path in self._paths if path not in present)
            self.faults.append(f"{missing} is missing; it is written again with the next document")
        best = Seen()
        for seen in found:
            best = best.risen(**asdict(seen))
        return best

    def save(self, seen: Seen) -> None:
        """Write both copies.

        Raises:
            OSError: the disk is full or read-only.
        """
        body = json.dumps(asdict(seen), sort_keys=True)
        content = json.dumps({"body": body, "mac": self._mac(body)}).encode()
        for path in self._paths:
            write_whole(path, content)

    def _read(self, path: Path) -> Seen | None:
        try:
            values = json.loads(path.read_bytes())
            body = str(values["body"])
            if not hmac.compare_digest(str(values["mac"]), self._mac(body)):
                raise ValueError("its check value is wrong")
            return Seen(**{name: int(value) for name, value in json.loads(body).items()})
        except (OSError, ValueError, TypeError, KeyError) as error:
            self.faults.append(f"{path}: {error}")
            logger.warning("%s cannot be used: %s", path, error)
            return None

    def _mac(self, body: str) -> str:
        return hmac.new(self._key(), body.encode(), sha256).hexdigest()

    def _key(self) -> bytes:
        try:
            return self._key_path.read_bytes()
        except FileNotFoundError:
            key = secrets.token_bytes(32)
            write_whole(self._key_path, key, 0o600)
            return key
