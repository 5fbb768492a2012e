"""Signing of documents and bundles, and the next revocation list."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import BaseModel, ValidationError

from edge.bundle.bundle import MANIFEST_FILE, SIGNATURE_FILE, Bundle, workshop
from edge.bundle.trust.chain import read_unverified
from edge.bundle.trust.documents import (
    TYPES,
    BundleSignature,
    ConsentRecord,
    Index,
    Revocations,
    Root,
    time_text,
)
from edge.bundle.trust.envelope import countersign, parse_envelope, seal
from edge.bundle.trust.strict_json import strict_json
from edge.durable import write_whole

from .errors import DeployError
from .keys import DAY_S

MODELS: dict[str, type[BaseModel]] = {
    "sovits-root/1": Root,
    "sovits-index/1": Index,
    "sovits-revocations/1": Revocations,
    "sovits-bundle/1": BundleSignature,
    "sovits-consent/1": ConsentRecord,
}


def sealed(document: Mapping[str, Any], keys: Sequence[Ed25519PrivateKey]) -> bytes:
    """Sign a document after it was checked as a device will.

    Raises:
        DeployError: it does not fit its schema.
    """
    schema = str(document.get("schema"))
    if schema not in MODELS:
        raise DeployError(f"schema {schema!r} is not one of {', '.join(MODELS)}")
    try:
        MODELS[schema].model_validate(document)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        raise DeployError(f"{schema}: {'.'.join(map(str, problem['loc']))}: {problem['msg']}") from error
    payload = json.dumps(document, ensure_ascii=False, indent=1).encode()
    return seal(payload, TYPES[schema], keys)


def sign_file(path: Path, keys: Sequence[Ed25519PrivateKey]) -> str:
    """Sign a document in place, or add signatures to one that has some; gives its schema.

    Raises:
        EdgeError: it is not one of ours, or malformed.
    """
    values = strict_json(_read(path), path.name)
    if "payload" not in values:
        write_whole(path, sealed(values, keys), 0o644)
        return str(values["schema"])
    content = path.read_bytes()
    write_whole(path, countersign(content, keys), 0o644)
    return str(strict_json(parse_envelope(content, path.name).content(), path.name).get("schema"))


def sign_bundle(path: Path, keys: Sequence[Ed25519PrivateKey], now: float | None = None) -> Bundle:
    """Put a signature into a bundle, directory or ``.voice``, in the place of an earlier one.

    Raises:
        BundleError: the bundle is damaged.
    """
    bundle = Bundle.load(path, gate=workshop)
    document = {
        "schema": "sovits-bundle/1",
        "name": bundle.manifest.name,
        "version": bundle.manifest.version,
        "issued": time_text(time.time() if now is None else now),
        "manifest_sha256": bundle.manifest_sha256,
    }
    content = sealed(document, keys)
    if path.is_dir():
        write_whole(path / SIGNATURE_FILE, content, 0o644)
    else:
        _into_tar(path, content)
    return bundle


def _into_tar(path: Path, signature: bytes) -> None:
    """Write the tar anew: manifest and signature first, the other files as they were."""
    partial = path.with_name(f".{path.name}.partial")
    with tarfile.open(path, "r:") as old, tarfile.open(partial, "w", format=tarfile.USTAR_FORMAT) as new:
        members = {member.name: member for member in old}
        for name in [
            MANIFEST_FILE,
            SIGNATURE_FILE,
            *sorted(members.keys() - {MANIFEST_FILE, SIGNATURE_FILE}),
        ]:
            source = None if name == SIGNATURE_FILE else old.extractfile(members[name])
            content = signature if source is None else source.read()
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o644
            new.addfile(member, io.BytesIO(content))
    partial.replace(path)


def next_revocations(
    before: bytes | None, entry: Mapping[str, str] | None, days: int, now: float | None = None
) -> dict[str, Any]:
    """Write the next list: all entries of the one before and a new one.

    Args:
        before: the list in force, None for the first.
        entry: ``kind``, ``id``, ``reason``, ``action``; None only renews the dates.
        days: until which the list counts as fresh; half of that until the next one is due.
        now: seconds since 1970.

    Raises:
        TrustError: the list before is malformed.
    """
    moment = time.time() if now is None else now
    entries: list[dict[str, Any]] = []
    seq = 1
    if before is not None:
        found = read_unverified(before, Revocations)
        seq = found.seq + 1
        entries = [one.model_dump(mode="json", by_alias=True) for one in found.entries]
    if entry is not None:
        entries.append({**entry, "from": time_text(moment)})
    return {
        "schema": "sovits-revocations/1",
        "seq": seq,
        "issued": time_text(moment),
        "next_due": time_text(moment + days * DAY_S / 2),
        "stale_after": time_text(moment + days * DAY_S),
        "entries": entries,
    }


def file_hash(path: Path) -> str:
    """SHA-256 of a file.

    Raises:
        DeployError: it cannot be read.
    """
    return hashlib.sha256(_read(path)).hexdigest()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DeployError(f"{path}: {error.strerror}; name a file that is there") from error
