"""JSON as signed documents use it: nothing in it that two readers could read in two ways."""

from __future__ import annotations

import json
from typing import Any, NoReturn

from ...errors import TrustError

MAX_BYTES = 4 * 2**20


def strict_json(content: bytes, what: str, limit: int = MAX_BYTES) -> dict[str, Any]:
    """Read an object.

    Args:
        content: UTF-8.
        what: the document, for the message.
        limit: bytes.

    Raises:
        TrustError: too long, not UTF-8, not JSON, a key twice, a number with a fraction, or no object.
    """
    if len(content) > limit:
        raise TrustError(f"{what}: {len(content)} bytes, at most {limit} are read; it is not one of ours")
    try:
        value = json.loads(
            content.decode("utf-8"),
            object_pairs_hook=_object,
            parse_float=_refuse_number,
            parse_constant=_refuse_number,
        )
    except (ValueError, RecursionError) as error:
        reason = str(error) or "nested too deeply"
        raise TrustError(f"{what}: not a document of ours ({reason}); fetch it again") from error
    if not isinstance(value, dict):
        raise TrustError(f"{what}: expected an object, found {type(value).__name__}; fetch it again")
    return value


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key occurs twice")
    return found


def _refuse_number(text: str) -> NoReturn:
    raise ValueError(f"number {text[:20]!r} is not whole")
