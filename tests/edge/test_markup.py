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
        parse(text, "strict")
    assert caught.value.code == "bad_request"


_ALPHABET = st.sampled_from(list("ab你き []［］:：\\msepau.1\n"))


@given(st.text(_ALPHABET, max_size=40))
def test_anything_is_parsed_or_refused(text: str) -> None:
    try:
        parsed = parse(text, "strict")
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
    assert parse(source, "strict") == Markup(plain, tuple(tags))


@pytest.mark.parametrize(
    ("text", "plain", "tags"),
    [
        ("[Emotion: Happy]来吧", "来吧", [("emotion", "happy", 0)]),
        ("[情绪:难过]别走", "别走", [("emotion", "sad", 0)]),
        ("［感情：怒り］下がれ", "下がれ", [("emotion", "angry", 0)]),
        ("a[pause:750]b", "ab", [("pause", 750, 1)]),
        ("a[Pause = 2]b", "ab", [("pause", 2000, 1)]),
        ("a[停顿:1.5秒]b", "ab", [("pause", 1500, 1)]),
        ("a[pause]b", "ab", [("pause", 500, 1)]),
        ("a[pause:99s]b", "ab", [("pause", MAX_PAUSE_MS, 1)]),
        ("[MARK:Door_2]开门", "开门", [("mark", "door_2", 0)]),
        ("[emotion:sad 别走", " 别走", [("emotion", "sad", 0)]),
        ('a<break time="250ms"/>b', "ab", [("pause", 250, 1)]),
        ('<break strength="weak"/>b', "b", [("pause", 200, 0)]),
        ('<mark name="gong"/>b', "b", [("mark", "gong", 0)]),
        (
            '<mstts:express-as style="sad">b</mstts:express-as>c',
            "bc",
            [("emotion", "sad", 0), ("emotion", "neutral", 1)],
        ),
    ],
)
def test_forms_that_say_what_is_meant_are_obeyed(
    text: str, plain: str, tags: list[tuple[str, object, int]]
) -> None:
    parsed = parse(text)
    assert (parsed.plain, [(tag.kind, tag.value, tag.position) for tag in parsed.tags]) == (plain, tags)


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("他喊道[大笑]你输了", "他喊道你输了"),
        ("As shown[12], it works", "As shown, it works"),
        ("Open [our page](http://a.test/x) now", "Open our page now"),
        ("![cat](cat.png)喵", "喵"),
        ("（叹了口气）算了。", "算了。"),
        ("好。（她摇了摇头）走吧", "好。走吧"),
        ("(nervously) It is fine.", " It is fine."),
        ("*draws his sword* Stand back!", " Stand back!"),
        ("（震える声で）来ないで。", "来ないで。"),
        ("*ため息をつく* もう遅い。", " もう遅い。"),
        ("【画外音】从前有座山。", "从前有座山。"),
        ("<p>Go <b>now</b></p>", "Go now\n"),
        ("Fish &amp; chips", "Fish & chips"),
        ("<think>they want tea</think>Tea?", "Tea?"),
        ("## Act **one**", "Act one"),
        ("* first\n* second", "first\nsecond"),
        ("|a|b|\n|--|--|\n|c|d|", "a, b\n\nc, d"),
        ("Run:\n```sh\nrm -rf\n```", "Run:\n"),
        ("Great :) see you", "Great  see you"),
        ("太好了 QAQ", "太好了 "),
        ("すごいwww", "すごい"),
        ("broken [ bracket", "broken  bracket"),
    ],
)
def test_what_is_not_to_be_heard_is_left_out_with_a_warning(text: str, plain: str) -> None:
    parsed = parse(text)
    assert parsed.plain == plain
    assert parsed.warnings or "&" in text


@pytest.mark.parametrize(
    "text",
    [
        "他三十岁（周岁）。",
        "Take salt (half a spoon).",
        "漢字（かんじ）を読む。",
        "【重要】请勿靠近",
        "2*3*4 = 24, 5 * 6",
        "snake_case_name",
        "if a<b and c>d",
        "I <3 you",
        "Q&A at 5",
    ],
)
def test_what_only_looks_like_markup_is_kept(text: str) -> None:
    assert parse(text) == Markup(text, ())


def test_emphasis_is_spoken() -> None:
    assert parse("You *must* go, 他*真的*走了, _now_").plain == "You must go, 他真的走了, now"


def test_a_line_of_brackets_only_is_spoken() -> None:
    assert parse("[Welcome to the show]").plain == "Welcome to the show"
    assert parse("[1]").plain == ""


def test_a_direction_is_a_hint_to_the_voice() -> None:
    assert parse("(sadly) Bye.").tags == (Tag("emotion", "sad", 0, is_hint=True),)


def test_marks_are_not_obeyed_in_text_that_is_not_the_shows() -> None:
    parsed = parse("[emotion:sad]a[mark:x][pause:1s]b", trust="text")
    assert [tag.kind for tag in parsed.tags] == ["emotion", "pause"]
    assert "marks are not obeyed" in parsed.warnings[-1]
    assert parse('<mark name="x"/>a', trust="text").tags == ()


def test_many_parts_left_out_give_a_short_list() -> None:
    warnings = parse(" ".join(f"[{n}]" for n in range(50)) + " a").warnings
    assert len(warnings) == 7
    assert warnings[-1].startswith("and 44 more")


@pytest.mark.parametrize(("markup", "trust"), [("loose", "show"), ("strict", "all")])
def test_unknown_settings_are_refused(markup: str, trust: str) -> None:
    with pytest.raises(TextError, match="expected"):
        parse("a", markup, trust)


@given(st.text(st.sampled_from(list("ab你 []()（）【】*_`<>/&;|#-:=\\\nsT.1")), max_size=60))
def test_lenient_markup_takes_anything(text: str) -> None:
    parsed = parse(text)
    positions = [tag.position for tag in parsed.tags]
    assert positions == sorted(positions)
    assert all(0 <= position <= len(parsed.plain) for position in positions)
