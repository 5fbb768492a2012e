"""Verification of documents against the list of keys, and of a new list against the old one."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from ...errors import TrustError
from .documents import TYPES, Role, Root, seconds
from .envelope import Envelope, parse_envelope, valid_signers
from .strict_json import strict_json

Document = TypeVar("Document", bound=BaseModel)


def verify_document(
    content: bytes, model: type[Document], root: Root, role: Role, revoked_keys: Collection[str] = ()
) -> Document:
    """Check the signatures of a document, then read it, then see that its keys were in force.

    Args:
        content: the envelope.
        model: what the payload has to be; it has a time ``issued``.
        root: keys in force.
        role: who has to have signed.
        revoked_keys: names of keys that do not count.

    Raises:
        TrustError: one line that says which signature is missing or what is malformed.
    """
    what = schema_of(model)
    envelope = parse_envelope(content, what)
    signers = _signers(envelope, root, role, what, revoked_keys)
    document = _read(envelope, model, what)
    _require_current(signers, root, role, what, seconds(str(_issued(document))))
    return document


def verify_root(content: bytes, previous: Root | None) -> Root:
    """Check a list of keys: the first against itself, each later one against itself and the one before.

    Raises:
        TrustError: too few signatures, or it does not follow.
    """
    what = schema_of(Root)
    envelope = parse_envelope(content, what)
    root = _read(envelope, Root, what)  # its own keys are in it
    issued = seconds(root.issued)
    if seconds(root.expires) <= issued:
        raise TrustError(f"{what}: expires before it was issued; sign a new one")
    if previous is not None:
        if root.version != previous.version + 1:
            raise TrustError(
                f"{what}: version {root.version} does not follow {previous.version}; "
                "bring every version between"
            )
        _require_current(_signers(envelope, previous, "root", what, ()), previous, "root", what, issued)
    _require_current(_signers(envelope, root, "root", what, ()), root, "root", what, issued)
    return root


def read_unverified(content: bytes, model: type[Document]) -> Document:
    """Read a document without checking who signed it, to show it or to see early that it does not fit.

    Raises:
        TrustError: it is malformed.
    """
    what = schema_of(model)
    return _read(parse_envelope(content, what), model, what)


def schema_of(model: type[BaseModel]) -> str:
    """Schema that a document of this model names."""
    annotation: Any = model.model_fields["schema_name"].annotation
    return str(annotation.__args__[0])


def _signers(envelope: Envelope, root: Root, role: Role, what: str, revoked: Collection[str]) -> set[str]:
    if envelope.payload_type != TYPES[what]:
        raise TrustError(f"{what}: signed as {envelope.payload_type!r}, expected {TYPES[what]!r}")
    grant = root.roles[role]
    good = {name: bytes.fromhex(root.keys[name].public) for name in grant.keyids if name not in revoked}
    signers = valid_signers(envelope, good)
    if len(signers) < grant.threshold:
        raise TrustError(
            f"{what}: {len(signers)} valid signatures of role {role}, {grant.threshold} needed; "
            "have it signed by keys that this device knows"
        )
    return signers


def _require_current(signers: set[str], root: Root, role: Role, what: str, moment: int) -> None:
    current = {name for name in signers if seconds(root.keys[name].until) >= moment}
    if len(current) < root.roles[role].threshold:
        expired = ", ".join(sorted(signers - current))
        raise TrustError(f"{what}: key {expired} of role {role} had expired; sign it with a current key")


def _issued(document: BaseModel) -> object:
    return document.__dict__["issued"]


def _read(envelope: Envelope, model: type[Document], what: str) -> Document:
    values = strict_json(envelope.content(), what)
    if values.get("schema") != what:
        raise TrustError(f"{what}: its schema is {values.get('schema')!r}; this version reads {what}")
    try:
        return model.model_validate(values)
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        where = ".".join(map(str, problem["loc"])) or "the document"
        raise TrustError(f"{what}: {where}: {problem['msg']}") from error
