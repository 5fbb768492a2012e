from __future__ import annotations

import pytest

from edge.markup import parse
from edge.markup.latex import plain_formula


@pytest.mark.parametrize(
    ("formula", "plain"),
    [
        (r"\frac{1}{2}", "1/2"),
        (r"\frac12", "1/2"),
        (r"\frac{a+b}{c}", "(a+b)÷c"),
        (r"\frac{\frac{1}{2}}{3}", "(1/2)÷3"),
        (r"\sqrt{2}", "√2"),
        (r"\sqrt{x+1}", "√(x+1)"),
        (r"x^{10}", "x^10"),
        (r"x^{-2}", "x^-2"),
        (r"x_1 + x_{2}", "x1 + x2"),
        (r"2 \times 3 \leq 6", "2 ×3 ≤6"),
        (r"90^{\circ}", "90°"),
        (r"\text{if } x", "if  x"),
        (r"\sin \theta", "sin θ"),
        (r"\unknown{x}", "x"),
        (r"\frac{-b \pm \sqrt{b^2 - 4ac}}{2a}", "(−b ±√(b^2 − 4a c))÷2a"),
        (r"\sqrt{\frac{a}{b}}", "√(a÷b)"),
        (r"\sum_{i=1}^{n} i", "∑ i=1→n  i"),
        (r"\int_0^1 f", "∫ 0→1  f"),
        (r"\lim_{x \to 0} x", "lim x →0  x"),
        (r"\text{speed} = 3 - 1", "speed = 3 − 1"),
    ],
)
def test_formula(formula: str, plain: str) -> None:
    assert plain_formula(formula) == plain


@pytest.mark.parametrize(
    ("line", "plain"),
    [
        ("求$x^2$的值", "求x^2的值"),
        (r"\(a \geq b\)。", "a ≥b。"),
        (r"$$E = mc^2$$", "E = m c^2"),
        (r"其中$c$是", "其中c是"),
        (r"\[ x = \frac{1}{2} \]", "x = 1/2"),
        (r"\frac{1}{3}加", "1/3加"),
    ],
)
def test_formula_in_a_line(line: str, plain: str) -> None:
    assert parse(line).plain == plain


@pytest.mark.parametrize(
    "line", ["It costs $5 and $10.", "$5 + $3 = $8", "a $b, c$ d", r"\[a\] \n \t", "$19.99/月，$29"]
)
def test_money_and_escapes_are_no_formulas(line: str) -> None:
    assert parse(line).plain == line.replace(r"\[", "[").replace(r"\]", "]")


def test_a_hostile_line_takes_no_time() -> None:
    for line in (
        "$" * 1900,
        r"\frac{" * 300,
        "$a^" * 600,
        r"\(" * 900,
        "<sub alias=" * 160,
        "<say-as>" * 240,
    ):
        parse(line)
