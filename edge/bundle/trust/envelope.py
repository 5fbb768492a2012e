"""Signed envelopes: Ed25519 over the exact bytes of a payload and over what kind of payload it is.

The layout and the bytes that are signed are those of DSSE (github.com/secure-systems-lab/dsse, protocol
version 1). The payload is read only after its signatures hold, so the reader never writes JSON again to
compare it.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Annotated

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from ...errors import TrustError
from .strict_json import MAX_BYTES, strict_json

KeyId = Annotated[str, Field(pattern=r"^[0-9a-f]{16}$")]
PublicKey = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
MAX_SIGNATURES = 32


class Signature(BaseModel):
    """One signature of an envelope."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    keyid: KeyId
    sig: Annotated[str, Field(max_length=128)]


class Envelope(BaseModel):
    """A payload with its kind and signatures."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, defer_build=True)

    payload_type: str = Field(alias="payloadType", max_length=128)
    payload: str
    signatures: tuple[Signature, ...] = Field(max_length=MAX_SIGNATURES)

    def content(self) -> bytes:
        """Give the bytes that are signed over.

        Raises:
            TrustError: they are not base64.
        """
        return _decode(self.payload, "payload")


def key_id(public: bytes) -> str:
    """Name of a public key of 32 bytes: the first 16 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(public).hexdigest()[:16]


def pre_authentication(payload_type: str, payload: bytes) -> bytes:
    """Bytes that a signature covers: kind and payload, each with its length."""
    kind = payload_type.encode()
    return b"DSSEv1 %d %b %d %b" % (len(kind), kind, len(payload), payload)


def seal(payload: bytes, payload_type: str, keys: Sequence[Ed25519PrivateKey]) -> bytes:
    """Write an envelope signed with every key."""
    signed = pre_authentication(payload_type, payload)
    return _written(payload_type, payload, [_sign(key, signed) for key in keys])


def countersign(content: bytes, keys: Sequence[Ed25519PrivateKey]) -> bytes:
    """Add signatures to an envelope; one by the same key takes the place of the earlier one.

    Raises:
        TrustError: it is no envelope.
    """
    envelope = parse_envelope(content, "envelope")
    payload = envelope.content()
    signed = pre_authentication(envelope.payload_type, payload)
    fresh = [_sign(key, signed) for key in keys]
    names = {entry["keyid"] for entry in fresh}
    kept = [entry.model_dump() for entry in envelope.signatures if entry.keyid not in names]
    return _written(envelope.payload_type, payload, [*kept, *fresh])


def parse_envelope(content: bytes, what: str) -> Envelope:
    """Read an envelope without believing anything in it.

    Raises:
        TrustError: one line that names the document.
    """
    values = strict_json(content, what, 2 * MAX_BYTES)
    try:
        return Envelope.model_validate(values)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        where = ".".join(map(str, problem["loc"]))
        raise TrustError(f"{what}: {where}: {problem['msg']}; it is no signed document") from error


def valid_signers(envelope: Envelope, keys: Mapping[str, bytes]) -> set[str]:
    """Names of the given keys (name to 32 bytes) whose signature on the envelope holds."""
    signed = pre_authentication(envelope.payload_type, envelope.content())
    return {entry.keyid for entry in envelope.signatures if _holds(entry, keys, signed)}


def public_bytes(key: Ed25519PrivateKey) -> bytes:
    """The 32 bytes of the public half."""
    return key.public_key().public_bytes_raw()


def _sign(key: Ed25519PrivateKey, signed: bytes) -> dict[str, str]:
    sig = base64.b64encode(key.sign(signed)).decode()
    return {"keyid": key_id(public_bytes(key)), "sig": sig}


def _written(payload_type: str, payload: bytes, signatures: list[dict[str, str]]) -> bytes:
    text = base64.b64encode(payload).decode()
    envelope = {"payloadType": payload_type, "payload": text, "signatures": signatures}
    return json.dumps(envelope, indent=1).encode() + b"\n"


def _holds(entry: Signature, keys: Mapping[str, bytes], signed: bytes) -> bool:
    public = keys.get(entry.keyid)
    if public is None:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(_decode(entry.sig, "signature"), signed)
    except (InvalidSignature, TrustError, ValueError):
        return False
    return True


def _decode(text: str, what: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise TrustError(f"{what} is not base64: {error}; fetch the document again") from error
