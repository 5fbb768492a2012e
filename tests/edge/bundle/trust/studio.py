"""A studio for tests: keys, documents, and the tiny voice turned into that of a person."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.bundle.bundle import CONSENT_FILE, MANIFEST_FILE, SIGNATURE_FILE
from edge.bundle.trust.documents import TYPES, time_text
from edge.bundle.trust.envelope import key_id, public_bytes, seal

TINY = Path(__file__).parents[3] / "data" / "tiny_voice"
NOW = 1_800_000_000
DAY = 86_400
CLIP = hashlib.sha256(b"the reference clip").hexdigest()


def key(number: int) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32)


def name(number: int) -> str:
    return key_id(public_bytes(key(number)))


def sealed(document: Mapping[str, Any], keys: Sequence[int]) -> bytes:
    payload = json.dumps(document).encode()
    return seal(payload, TYPES[str(document["schema"])], [key(number) for number in keys])


def root_document(version: int = 1, roots: Sequence[int] = (1, 2, 3), **changes: Any) -> dict[str, Any]:
    """Keys 1 to 3 are roots, two of them have to sign; 4 studio, 5 release, 6 revocation."""
    numbers = {*roots, 4, 5, 6}
    keys = {
        name(n): {"public": public_bytes(key(n)).hex(), "until": time_text(NOW + 700 * DAY)} for n in numbers
    }
    roles = {
        "root": {"keyids": [name(n) for n in roots], "threshold": min(2, len(roots))},
        "studio": {"keyids": [name(4)], "threshold": 1},
        "release": {"keyids": [name(5)], "threshold": 1},
        "revocation": {"keyids": [name(6)], "threshold": 1},
    }
    return {
        "schema": "sovits-root/1",
        "version": version,
        "issued": time_text(NOW - 10 * DAY),
        "expires": time_text(NOW + 700 * DAY),
        "keys": keys,
        "roles": roles,
    } | changes


def root(keys: Sequence[int] = (1, 2), **changes: Any) -> bytes:
    return sealed(root_document(**changes), keys)


def revocations(seq: int = 1, entries: Sequence[Any] = (), issued: int = NOW - DAY, **changes: Any) -> bytes:
    document = {
        "schema": "sovits-revocations/1",
        "seq": seq,
        "issued": time_text(issued),
        "next_due": time_text(issued + 30 * DAY),
        "stale_after": time_text(issued + 60 * DAY),
        "entries": list(entries),
    }
    return sealed(document | changes, [6])


def revoked(kind: str, what: str, since: int = NOW - DAY, action: str = "refuse_and_purge") -> dict[str, str]:
    return {"kind": kind, "id": what, "from": time_text(since), "reason": "withdrawn", "action": action}


def index(version: int = 1, targets: Sequence[Any] = (), **changes: Any) -> bytes:
    document = {
        "schema": "sovits-index/1",
        "version": version,
        "issued": time_text(NOW - DAY),
        "expires": time_text(NOW + 90 * DAY),
        "targets": list(targets),
    }
    return sealed(document | changes, [5])


def use(**changes: Any) -> dict[str, Any]:
    return {
        "id": "venue",
        "text": "Lines of the character in the attraction.",
        "languages": ["zh", "en", "ja"],
        "from": time_text(NOW - 100 * DAY),
        "until": time_text(NOW + 100 * DAY),
    } | changes


def consent(**changes: Any) -> dict[str, Any]:
    return {
        "schema": "sovits-consent/1",
        "consent_id": "c-2026-0117",
        "issued": time_text(NOW - 100 * DAY),
        "grantor": {"role": "speaker", "ref": "sha256:" + "a" * 64, "separate_consent": True},
        "controller": "privacy@studio.example",
        "voice": {"characters": ["noah", "ava", "claire", "mei"], "references": [CLIP]},
        "notice": {"sha256": "b" * 64, "lang": "en"},
        "uses": [use()],
        "withdrawal": "a letter to the studio",
    } | changes


@dataclass
class Voice:
    """A voice of a person on disk, signed as asked.

    Attributes:
        folder: bundle directory, made anew.
        record: content of the consent record; None for none.
        consent_keys, bundle_keys: who signs.
        origin: of the manifest.
    """

    folder: Path
    record: dict[str, Any] | None = field(default_factory=consent)
    consent_keys: Sequence[int] = (4,)
    bundle_keys: Sequence[int] = (4,)
    origin: dict[str, Any] | None = field(default_factory=lambda: {"kind": "person", "references": [CLIP]})

    def write(self, **signed: Any) -> Path:
        """Write it; ``signed`` changes what the signature says."""
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(TINY, self.folder)
        manifest = json.loads((self.folder / MANIFEST_FILE).read_bytes())
        manifest["origin"] = self.origin
        if self.record is not None:
            content = sealed(self.record, self.consent_keys)
            (self.folder / CONSENT_FILE).write_bytes(content)
            entry = {"sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
            manifest["files"][CONSENT_FILE] = entry
        (self.folder / MANIFEST_FILE).write_text(json.dumps(manifest))
        self.sign(**signed)
        return self.folder

    def sign(self, **changes: Any) -> None:
        """Sign the manifest as it lies there."""
        content = (self.folder / MANIFEST_FILE).read_bytes()
        document = {
            "schema": "sovits-bundle/1",
            "name": "tiny",
            "version": "0.1.0",
            "issued": time_text(NOW - 50 * DAY),
            "manifest_sha256": hashlib.sha256(content).hexdigest(),
        }
        if self.bundle_keys:
            (self.folder / SIGNATURE_FILE).write_bytes(sealed(document | changes, self.bundle_keys))
