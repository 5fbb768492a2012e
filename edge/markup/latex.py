r"""LaTeX in a line: ``$\frac{1}{2}x^2$`` becomes the signs that the readers know, 1/2x^2."""

from __future__ import annotations

import re

_SIGNS = {
    name: sign
    for sign, names in {
        "×": "times cdot ast", "÷": "div", "±": "pm mp", "≤": "leq le", "≥": "geq ge", "≠": "neq ne",
        "≈": "approx sim simeq", "=": "equiv", "∞": "infty", "→": "to rightarrow Rightarrow", "α": "alpha",
        "β": "beta", "γ": "gamma", "δ": "delta", "ε": "epsilon", "θ": "theta", "λ": "lambda", "μ": "mu",
        "π": "pi", "ρ": "rho", "σ": "sigma", "τ": "tau", "φ": "phi", "ψ": "psi", "ω": "omega", "Δ": "Delta",
        "Σ": "Sigma", "Ω": "Omega", "Φ": "Phi", "Ψ": "Psi", "Θ": "Theta", "Λ": "Lambda", "Π": "Pi",
        "°": "circ degree", "…": "ldots dots cdots", " ": "quad qquad", "'": "prime", "∠": "angle",
    }.items()
    for name in names.split()
}  # fmt: skip
# Names of functions are said; marks of form are not.
_SAID = frozenset("sin cos tan cot log ln exp lim max min mod det gcd".split())
_FRACTION = re.compile(r"\\[dt]?frac\s*\{([^{}]*)\}\s*\{([^{}]*)\}|\\[dt]?frac\s*(\d)\s*(\d)")
_ROOT = re.compile(r"\\sqrt\s*(?:\[[^\[\]]*\])?\s*\{([^{}]*)\}|\\sqrt\s*(\d+)")
_TEXT = re.compile(
    r"\\(?:text|textbf|textit|mathrm|mathbf|mathit|mathbb|operatorname|boxed|vec|bar|hat)\s*\{([^{}]*)\}"
)
_RAISED = re.compile(r"\^\s*\{\s*(-?\w+)\s*\}")
_LOWERED = re.compile(r"(?<=[A-Za-z)])_(?:\{\s*([A-Za-z0-9]+)\s*\}|([A-Za-z0-9]))")
_COMMAND = re.compile(r"\\([A-Za-z]+)\s?|\\([,;:!%&$# ])")
# Sums, products, integrals and limits, with what stands below and above them.
_LIMITS = re.compile(
    r"\\(?P<name>int|sum|prod|lim)(?![A-Za-z])(?:\s*_\s*(?:\{(?P<low>[^{}]*)\}|(?P<low1>\\?\w+)))?"
    r"(?:\s*\^\s*(?:\{(?P<high>[^{}]*)\}|(?P<high1>\\[A-Za-z]+|\w)))?"
)
_LARGE = {"int": "∫", "sum": "∑", "prod": "∏", "lim": "lim"}
_PART_OF_TEXT = "\0"  # around words, which are no names of quantities
_MINUS = re.compile(r"(?<!\^)-")
_PRODUCT = re.compile(r"(?<![A-Za-z])[A-Za-z]{2,3}(?![A-Za-z])")  # 4ac is four times a times c
_DEGREE = re.compile(r"\^\s*(?:\{\s*)?\\(?:circ|degree)\s*\}?")
_FORMS = frozenset("frac dfrac tfrac sqrt text mathrm mathbf left right sum int".split())
_NAMES = "|".join(sorted({*_SIGNS, *_SAID, *_FORMS}, key=len, reverse=True))
COMMAND = rf"\\(?:{_NAMES})(?![A-Za-z])(?:\s*\[[^\[\]\n]{{0,20}}\])?(?:\s*\{{[^{{}}\n]{{0,60}}\}}){{0,2}}"
# Between dollars or brackets of LaTeX; "$5 and $10" has no sign of it.
FORMULA = (
    r"\$\$(?P<display>[^$]{1,300})\$\$"
    r"|\$(?=[^$\n]*[\\^_=+]|[A-Za-z]\$)(?P<inline>[^\s$](?:[^$\n]{0,200}[^\s$])?)\$(?!\d)"
    r"|\\\((?P<round>[^\n]{1,200}?)\\\)"
    r"|\\\[(?=[^\n]*?[\\^_=])(?P<square>(?:[^\\\n]|\\(?!\]))*(?:[\^_=]|\\[A-Za-z])(?:[^\\\n]|\\(?!\]))*)\\\]"
)


def plain_formula(formula: str) -> str:
    r"""Write a formula with plain signs.

    >>> plain_formula(r"\frac{1}{2} \times x^{10}")
    '1/2 ×x^10'
    """
    text = _DEGREE.sub("°", _LIMITS.sub(_limits, formula))
    for _ in range(4):  # fractions in fractions
        text, found = _FRACTION.subn(
            _fraction, _ROOT.sub(_root, _TEXT.sub(rf"{_PART_OF_TEXT}\1{_PART_OF_TEXT}", text))
        )
        if not found:
            break
    text = _LOWERED.sub(lambda match: match[1] or match[2], _RAISED.sub(r"^\1", text))
    text = _COMMAND.sub(_command, text).replace("{", "").replace("}", "").replace("&", " ")
    parts = text.split(_PART_OF_TEXT)
    parts[::2] = [_PRODUCT.sub(_letters, _MINUS.sub("−", part)) for part in parts[::2]]
    return "".join(parts).strip()


def _limits(match: re.Match[str]) -> str:
    """The sign of a sum, from where and how far: ∑ i=1→n."""
    low, high = match["low"] or match["low1"] or "", match["high"] or match["high1"] or ""
    return f"{_LARGE[match['name']]} {low}{'→' if low and high else ''}{high} "


def _letters(match: re.Match[str]) -> str:
    return match[0] if match[0] in _SAID else " ".join(match[0])


def _fraction(match: re.Match[str]) -> str:
    top, bottom = (match[1], match[2]) if match[1] is not None else (match[3], match[4])
    sign = "/" if top.strip().isdecimal() and bottom.strip().isdecimal() else "÷"
    return f"{_term(top)}{sign}{_term(bottom)}"


def _root(match: re.Match[str]) -> str:
    return "√" + _term(match[1] or match[2] or "")


def _term(text: str) -> str:
    """Brackets around a sum."""
    text = text.strip()
    return f"({text})" if re.search(r"[^\w.^\\]", text) else text


def _command(match: re.Match[str]) -> str:
    name = match[1]
    if name is None:
        return match[2] if match[2] in "%$#" else " "
    return f"{name} " if name in _SAID else _SIGNS.get(name, " ")
