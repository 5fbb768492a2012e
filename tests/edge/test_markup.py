from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from edge.errors import TextError
from edge.markup import MAX_PAUSE_MS, Markup, Tag, parse


def test_tags_come_out_and_keep_their_place() -> None:
    parsed = parse("[emotion:sad]我本可以[pause:1.2s]拯救[mark:door_open]所有人。")
    assert parsed == Markup(
        "我本可以拯救所有人。",
        (Tag("emotion", "sad", 0), Tag("pause", 1200, 4), Tag("mark", "door_open", 6)),
    )


def test_text_without_tags_is_left_alone() -> None:
    text = "Hello (world), 3 < 5: 「はい」 {x} \\n \\"
    assert parse(text) == Markup(text, ())


def test_tag_inside_a_word_does_not_split_it() -> None:
    assert parse("won[mark:x]derful") == Markup("wonderful", (Tag("mark", "x", 3),))


def test_full_width_tag() -> None:
    assert parse("［emotion：sad］や［ｐａｕｓｅ：３００ｍｓ］あ").tags == (
        Tag("emotion", "sad", 0),
        Tag("pause", 300, 1),
    )


@pytest.mark.parametrize(
    ("body", "value"),
    [
        ("300ms", 300),
        ("0ms", 0),
        ("1.2s", 1200),
        ("0.0005s", 0),
        ("10s", 10_000),
        ("10000ms", 10_000),
        ("400 ms", 400),
    ],
)
def test_pause_lengths(body: str, value: int) -> None:
    assert parse(f"a[pause:{body}]").tags == (Tag("pause", value, 1),)


def test_spaces_inside_a_tag_do_not_matter() -> None:
    assert parse("[ emotion : happy ]hi").tags == (Tag("emotion", "happy", 0),)


def test_tags_at_one_place_keep_their_order() -> None:
    assert [tag.value for tag in parse("a[mark:one][pause:1s][mark:two]").tags] == ["one", 1000, "two"]


def test_escaped_brackets_are_text() -> None:
    assert parse(r"array\[0\] and \\[mark:x]\［注\］") == Markup(
        r"array[0] and \［注］", (Tag("mark", "x", 14),)
    )


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ab[laughs]", r"unknown tag \[laughs\] at character 3; the tags are .*pause:400ms"),
        ("[emotion]", "unknown tag"),
        ("[Emotion:sad]", "unknown tag"),
        ("ab[emotion:sad", r"at character 3 is not closed; add ']'"),
        ("[emotion:[pause:1s]]", "at character 1 is not closed"),
        ("[mark:a\nb]", "is not closed"),
        ("ab]", r"']' at character 3 closes no tag; write \\\]"),
        ("[emotion:Sad]", "1 to 64 of a-z 0-9 _ -, found 'Sad'"),
        ("[mark:]", "found ''"),
        (f"[mark:{'x' * 65}]", "1 to 64"),
        ("[pause:400]", "400ms or 1.2s, found '400'"),
        ("[pause:-1s]", "found '-1s'"),
        ("[pause:10.1s]", "at most 10s"),
        ("[pause:99999999999999999999s]", "expected a length"),
    ],
)
def test_wrong_tags_are_refused_with_the_place_and_the_remedy(text: str, message: str) -> None:
    with pytest.raises(TextError, match=message) as caught:
        parse(text)
    assert caught.value.code == "bad_request"


_ALPHABET = st.sampled_from(list("ab你き []［］:：\\msepau.1\n"))


@given(st.text(_ALPHABET, max_size=40))
def test_anything_is_parsed_or_refused(text: str) -> None:
    try:
        parsed = parse(text)
    except TextError as error:
        assert error.code == "bad_request"
        return
    assert len(parsed.plain) <= len(text)
    positions = [tag.position for tag in parsed.tags]
    assert positions == sorted(positions)
    assert all(0 <= position <= len(parsed.plain) for position in positions)


_TAGS = st.one_of(
    st.from_regex(r"\A[a-z0-9_-]{1,64}\Z").map(lambda name: ("mark", name, f"[mark:{name}]")),
    st.from_regex(r"\A[a-z0-9_-]{1,64}\Z").map(lambda name: ("emotion", name, f"[emotion:{name}]")),
    st.integers(0, MAX_PAUSE_MS).map(lambda ms: ("pause", ms, f"[pause:{ms}ms]")),
)
_PIECES = st.lists(st.one_of(st.text(max_size=6), _TAGS), max_size=12)


@given(_PIECES)
def test_what_was_put_in_comes_out(pieces: list[str | tuple[str, str | int, str]]) -> None:
    source, plain = "", ""
    tags = []
    for piece in pieces:
        if isinstance(piece, str):
            plain += piece
            source += "".join("\\" + c if c in "[]［］\\" else c for c in piece)
        else:
            tags.append(Tag(piece[0], piece[1], len(plain)))  # type: ignore[arg-type]
            source += piece[2]
    assert parse(source) == Markup(plain, tuple(tags))
