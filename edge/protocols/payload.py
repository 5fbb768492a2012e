"""Payloads: bytes to text or a JSON object, whatever the sender did to them."""

from __future__ import annotations

import json
import math
import re
from typing import Any, NoReturn, TypeVar

from pydantic import BaseModel, ValidationError

from ..errors import RequestError

Model = TypeVar("Model", bound=BaseModel)

_KANA = re.compile("[\u3041-\u30fa]")
_KANA_OR_HAN = re.compile("[\u3041-\u30fa\u4e00-\u9fff]")
_TWO_HAN = re.compile("[\u4e00-\u9fff]{2}")
MAX_DIGITS = 400  # more than any number has, and Python's own limit speaks of Python
_SPACE_CONTROLS = re.compile("[\t\n\r\v\f\u0085\u2028\u2029]+")
_OTHER_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\ufeff\ufffe\uffff]")
MAX_WARNINGS = 16
"""More are summed up, so that an answer stays small however odd the request."""


def decode_utf8(payload: bytes) -> str:
    """Decode a payload; a byte order mark is left in place.

    Raises:
        RequestError: `bad_encoding`, with a guess at the encoding that the sender used.
    """
    try:
        return payload.decode("utf-8")
    except UnicodeDecodeError as error:
        guess = guess_encoding(payload)
        hint = f"; it reads as {guess}: set the sender to UTF-8" if guess else "; send UTF-8"
        raise RequestError(f"byte {error.start} is not UTF-8{hint}", code="bad_encoding") from error


def guess_encoding(payload: bytes) -> str | None:
    """Name the encoding that show tools in China, Japan or Europe most likely used, if one fits."""
    japanese = _decoded(payload, "shift_jis")
    if japanese is not None and _KANA.search(japanese):
        return "Shift-JIS"
    if _KANA_OR_HAN.search(_decoded(payload, "gb2312") or ""):
        return "GB18030"
    if _TWO_HAN.search(_decoded(payload, "gb18030") or ""):  # one Han sign may be an accent and a letter
        return "GB18030"
    if _TWO_HAN.search(japanese or ""):
        return "Shift-JIS"
    if payload.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "UTF-16"
    western = payload.decode("latin-1")
    return "Latin-1" if not _OTHER_CONTROLS.search(western) else None


def _decoded(payload: bytes, encoding: str) -> str | None:
    try:
        return payload.decode(encoding)
    except UnicodeDecodeError:
        return None


def clean_line(text: str) -> tuple[str, list[str]]:
    """Take out of a line what can be neither spoken nor shown; return it and what was done.

    Line breaks and tabs become spaces. Trailing NUL bytes (C strings), byte order marks and other control
    characters go.
    """
    warnings = []
    cleaned, n_removed = _OTHER_CONTROLS.subn("", text)
    if n_removed:
        warnings.append(f"{n_removed} control characters removed from the text")
    return _SPACE_CONTROLS.sub(" ", cleaned).strip(), warnings


def parse_object(payload: bytes) -> tuple[dict[str, Any], list[str]]:
    """Read a JSON object; an empty payload is an empty object.

    Returns:
        The object, and warnings about what was let pass.

    Raises:
        RequestError: `bad_encoding`, or `bad_json` naming the place.
    """
    text = decode_utf8(payload)
    warnings = []
    if text.startswith("\ufeff"):
        text = text[1:]
        warnings.append("byte order mark before the JSON ignored")
    text = text.rstrip("\x00")
    if not text.strip():
        return {}, warnings
    try:
        value = json.loads(
            text,
            object_pairs_hook=_unique,
            parse_constant=_no_constant,
            parse_float=_finite,
            parse_int=_integer,
        )
    except RecursionError as error:
        raise RequestError("the JSON is nested too deeply; a request is flat", code="bad_json") from error
    except ValueError as error:
        raise RequestError(f"not valid JSON: {error}", code="bad_json") from error
    if not isinstance(value, dict):
        raise RequestError(f"expected a JSON object, found {type(value).__name__}", code="bad_json")
    return value, warnings


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise ValueError(f"key {ascii(twice)[:80]} appears twice")
    return found


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _finite(digits: str) -> float:
    value = float(digits)
    if math.isinf(value):
        raise ValueError(f"number {digits[:20]} is too large")
    return value


def _integer(digits: str) -> int:
    if len(digits) > MAX_DIGITS:
        raise ValueError(f"a number of {len(digits)} digits is too large")
    return int(digits)


def validate(model: type[Model], values: dict[str, Any]) -> tuple[Model, list[str]]:
    """Build a request from a JSON object; return it and one warning for each unknown key.

    Raises:
        RequestError: `too_large`, `text_empty` or `bad_request`, naming key, expectation and value.
    """
    try:
        request = model.model_validate(values)
    except ValidationError as error:
        raise _request_error(error) from error
    return request, unknown_keys(model, values)


def unknown_keys(model: type[BaseModel], values: dict[str, Any]) -> list[str]:
    """Name the keys that the model does not know, in the order found."""
    warnings = [f"unknown key {ascii(key)[:80]} ignored" for key in values if key not in model.model_fields]
    if len(warnings) > MAX_WARNINGS:
        warnings[MAX_WARNINGS:] = [f"and {len(warnings) - MAX_WARNINGS} more"]
    return warnings


def _request_error(error: ValidationError) -> RequestError:
    faults = error.errors(include_url=False)
    code = "bad_request"
    if any(fault["type"] == "string_too_long" and fault["loc"] == ("text",) for fault in faults):
        code = "too_large"
    described = []
    for fault in faults[:MAX_WARNINGS]:
        where = ".".join(str(part) for part in fault["loc"])
        found = "" if fault["type"] == "missing" else f", found {ascii(fault['input'])[:60]}"
        described.append(f"{where}: {fault['msg'][0].lower()}{fault['msg'][1:]}{found}")
    return RequestError("; ".join(described), code=code)
