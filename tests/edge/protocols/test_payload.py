from __future__ import annotations

import pytest

from edge.errors import RequestError
from edge.messages import SayRequest
from edge.protocols.payload import clean_line, decode_utf8, guess_encoding, parse_object, validate


@pytest.mark.parametrize(
    ("text", "encoding", "guess"),
    [
        ("你好，世界。欢迎光临", "gb18030", "GB18030"),
        ("繁體", "gb18030", "GB18030"),
        ("こんにちは、世界", "shift_jis", "Shift-JIS"),
        ("カタカナ", "shift_jis", "Shift-JIS"),
        ("カタカナ", "gb18030", "GB18030"),
        ("héllo wörld", "latin-1", "Latin-1"),
        ("你好", "utf-16", "UTF-16"),
    ],
)
def test_the_encoding_of_the_sender_is_guessed(text: str, encoding: str, guess: str) -> None:
    assert guess_encoding(text.encode(encoding)) == guess
    with pytest.raises(RequestError, match=guess) as caught:
        decode_utf8(text.encode(encoding))
    assert caught.value.code == "bad_encoding"


def test_a_line_is_cleaned() -> None:
    assert clean_line("  hello\nthere\x00\x00") == (
        "hello there",
        ["2 control characters removed from the text"],
    )
    assert clean_line("\ufeff你好\r\n") == ("你好", ["1 control characters removed from the text"])
    assert clean_line("a\tb\u2028c") == ("a b c", [])
    assert clean_line("👩‍🚀 ok") == ("👩‍🚀 ok", [])


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        (b'{"a": NaN}', "NaN"),
        (b'{"a": 1e999}', "too large"),
        (b'{"a": ' + b"1" * 500 + b"}", "500 digits"),
        (b'{"a": 1, "a": 2}', "twice"),
        (b"[" * 200_000, "nested"),
        (b"[1]", "expected a JSON object, found list"),
        (b'{"a": "x\x01"}', "control character"),
    ],
)
def test_bad_json_is_named(payload: bytes, message: str) -> None:
    with pytest.raises(RequestError, match=message) as caught:
        parse_object(payload)
    assert caught.value.code == "bad_json"


def test_what_show_tools_do_to_json_is_let_pass() -> None:
    assert parse_object(b"") == ({}, [])
    assert parse_object(b'{"a": 1}\x00\x00') == ({"a": 1}, [])
    assert parse_object(b'\xef\xbb\xbf{"a": 1}') == ({"a": 1}, ["byte order mark before the JSON ignored"])


def test_validation_names_key_expectation_and_value() -> None:
    with pytest.raises(
        RequestError, match=r"rate: input should be less than or equal to 2, found 7"
    ) as caught:
        validate(SayRequest, {"text": "x", "rate": 7})
    assert caught.value.code == "bad_request"
    with pytest.raises(RequestError) as caught:
        validate(SayRequest, {"text": "x" * 2001})
    assert caught.value.code == "too_large"


def test_unknown_keys_are_named_up_to_a_bound() -> None:
    request, warnings = validate(SayRequest, {"text": "x", "colour": 1})
    assert request.text == "x" and warnings == ["unknown key 'colour' ignored"]
    _, warnings = validate(SayRequest, {f"k{number}": 1 for number in range(100)})
    assert len(warnings) == 17 and warnings[-1] == "and 84 more"
