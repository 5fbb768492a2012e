from __future__ import annotations

import pytest

from edge.markup import parse


@pytest.mark.parametrize(
    ("line", "plain"),
    [
        ('<sub alias="World Wide Web">WWW</sub>', "World Wide Web"),
        ("<sub alias='a &amp; b'>x</sub>", "a & b"),
        ("<sub>x</sub>", "x"),
        ('<say-as interpret-as="digits">1234</say-as>', "1 2 3 4"),
        ('<say-as interpret-as="characters">ab1</say-as>', "A B 1"),
        ('<say-as interpret-as="telephone">555-1234</say-as>', "5 5 5, 1 2 3 4"),
        ('<say-as interpret-as="ordinal">3</say-as>', "3rd"),
        ('<say-as interpret-as="ordinal">12</say-as>', "12th"),
        ('第<say-as interpret-as="cardinal">3</say-as>个', "第3个"),
        ('<say-as interpret-as="ordinal">3</say-as>名', "第3名"),
        ('<say-as interpret-as="date" format="dmy">5/12/2024</say-as>', "2024-12-05"),
        ('<say-as interpret-as="date">12/5/2024</say-as>', "2024-12-05"),
        ('<say-as interpret-as="date" format="my">12/2024</say-as>', "12/2024"),
        ('<say-as interpret-as="expletive">damn</say-as>!', "!"),
        ('<say-as interpret-as="time">3:00</say-as>', "3:00"),
        ("<say-as>5</say-as>", "5"),
    ],
)
def test_elements_that_say_how(line: str, plain: str) -> None:
    assert parse(line).plain == plain


def test_a_pause_in_angle_brackets() -> None:
    parsed = parse("Hi <pause=1> you")
    assert [(tag.kind, tag.value) for tag in parsed.tags] == [("pause", 1000)]
