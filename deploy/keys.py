"""Keys of a studio: made on a workstation, kept in files that only their owner reads, never on a device."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.bundle.trust.documents import time_text
from edge.bundle.trust.envelope import key_id, public_bytes

from .errors import DeployError

DAY_S = 86_400
ROLES = ("root", "studio", "release", "revocation")


def make_key(path: Path, passphrase: bytes | None) -> str:
    """Write a private key (PKCS 8, PEM, mode 600) and beside it ``.pub`` with the public one; gives its name.

    Raises:
        DeployError: the file is there.
    """
    key = Ed25519PrivateKey.generate()
    protection: serialization.KeySerializationEncryption = serialization.NoEncryption()
    if passphrase:
        protection = serialization.BestAvailableEncryption(passphrase)
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, protection)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise DeployError(
            f"{path} is there already; a key is never overwritten, give another name"
        ) from error
    with os.fdopen(descriptor, "wb") as file:
        file.write(pem)
    path.with_suffix(".pub").write_text(public_bytes(key).hex() + "\n", "ascii")
    return key_id(public_bytes(key))


def load_key(path: Path, passphrase: bytes | None = None) -> Ed25519PrivateKey:
    """Read a private key.

    Raises:
        DeployError: it cannot be read, its passphrase is another one, or it is of another kind.
    """
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), passphrase or None)
    except (OSError, ValueError, TypeError) as error:
        raise DeployError(
            f"{path}: cannot be read as a private key ({error}); check file and passphrase"
        ) from error
    if not isinstance(key, Ed25519PrivateKey):
        raise DeployError(f"{path}: not an Ed25519 key; make one with: sovits-deploy keys make")
    return key


def load_public(path: Path) -> str:
    """Read a public key as hexadecimal digits.

    Raises:
        DeployError: the file does not hold one.
    """
    try:
        text = path.read_text("ascii").strip()
        if len(bytes.fromhex(text)) != 32:
            raise ValueError("expected 32 bytes")
    except (OSError, ValueError) as error:
        raise DeployError(f"{path}: no public key ({error}); give the .pub file of a key") from error
    return text


def root_document(
    publics: Mapping[str, Sequence[str]], threshold: int, version: int, days: int, now: float | None = None
) -> dict[str, Any]:
    """Write down who may sign what.

    Args:
        publics: public keys by role; every role of ``ROLES`` has one.
        threshold: how many root keys have to sign; of the other roles one is enough.
        version: one more than the one before.
        days: until which the list and its keys may be used.
        now: seconds since 1970.

    Raises:
        DeployError: a role has no key, or the threshold cannot be met.
    """
    missing = [role for role in ROLES if not publics.get(role)]
    if missing:
        raise DeployError(f"no key for {', '.join(missing)}; give --{missing[0]} FILE.pub")
    if not 1 <= threshold <= len(publics["root"]):
        raise DeployError(f"a threshold of {threshold} cannot be met by {len(publics['root'])} root keys")
    moment = time.time() if now is None else now
    until = time_text(moment + days * DAY_S)
    named = {role: [key_id(bytes.fromhex(text)) for text in publics[role]] for role in ROLES}
    keys = {key_id(bytes.fromhex(text)): text for texts in publics.values() for text in texts}
    return {
        "schema": "sovits-root/1",
        "version": version,
        "issued": time_text(moment),
        "expires": until,
        "keys": {name: {"public": text, "until": until} for name, text in keys.items()},
        "roles": {
            role: {"keyids": names, "threshold": threshold if role == "root" else 1}
            for role, names in named.items()
        },
    }
