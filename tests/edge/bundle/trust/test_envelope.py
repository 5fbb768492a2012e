"""Signed envelopes: what holds, and that nothing else does."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.bundle.trust.envelope import (
    countersign,
    parse_envelope,
    pre_authentication,
    public_bytes,
    seal,
    valid_signers,
)
from edge.bundle.trust.strict_json import strict_json
from edge.errors import TrustError

from .studio import key, name

KEYS = {name(n): public_bytes(key(n)) for n in (1, 2)}


def signers(content: bytes) -> set[str]:
    return valid_signers(parse_envelope(content, "x"), KEYS)


def test_the_bytes_that_are_signed_are_those_of_the_published_example() -> None:
    # github.com/secure-systems-lab/dsse, protocol.md, version 1
    expected = b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    assert pre_authentication("http://example.com/HelloWorld", b"hello world") == expected


def test_every_key_that_signed_is_found_and_no_other() -> None:
    content = seal(b"text", "kind", [key(1), key(2), key(3)])
    assert signers(content) == {name(1), name(2)}
    assert signers(seal(b"text", "kind", [key(3)])) == set()
    assert parse_envelope(content, "x").content() == b"text"


def test_a_signature_can_be_added_later_and_counts_once() -> None:
    content = countersign(countersign(seal(b"text", "kind", [key(1)]), [key(2)]), [key(2)])
    assert signers(content) == set(KEYS)
    assert len(json.loads(content)["signatures"]) == 2


def test_a_signature_under_another_name_does_not_hold() -> None:
    values = json.loads(seal(b"text", "kind", [key(1)]))
    values["signatures"][0]["keyid"] = name(2)
    assert signers(json.dumps(values).encode()) == set()


@pytest.mark.parametrize("change", [{"payload": "dGV4dDI="}, {"payloadType": "other"}])
def test_another_content_or_kind_does_not_hold(change: dict[str, str]) -> None:
    values = json.loads(seal(b"text", "kind", [key(1)])) | change
    assert signers(json.dumps(values).encode()) == set()


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "not a document"),
        (b"[]", "expected an object"),
        (b"\xff\xfe{}", "not a document"),
        (b'{"a": 1, "a": 2}', "twice"),
        (b'{"a": 1.5}', "not whole"),
        (b'{"a": NaN}', "not whole"),
        (b"[" * 100_000, "not a document"),
        (b" " * 5_000_000, "at most"),
    ],
)
def test_json_that_could_be_read_in_two_ways_is_refused(content: bytes, word: str) -> None:
    with pytest.raises(TrustError, match=word) as caught:
        strict_json(content, "list")
    assert "\n" not in str(caught.value)


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 255))
def test_no_flipped_byte_leaves_a_signature_on_another_text(position: int, flip: int) -> None:
    whole = seal(b"the text that was signed", "kind", [key(1)])
    content = bytearray(whole)
    content[position % len(content)] ^= flip
    try:
        envelope = parse_envelope(bytes(content), "x")
        held = valid_signers(envelope, KEYS)
        text = envelope.content()
    except TrustError:
        return
    assert not held or text == b"the text that was signed"
