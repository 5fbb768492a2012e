"""Turns result files into the tables of a document: nothing is written there that was not measured.

python -m distill.evaluation.report DOCUMENT STUDENT.json RESULT.json...
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..files import read_json
from .result import SPEAKERS, STUDENT

QUALITY, CORPUS = "quality", "corpus"  # names of the markers
_VERDICTS = {True: "yes", False: "**no**", None: ""}

Result = Mapping[str, Any]


def update(document: Path, student: Path, results: Sequence[Path]) -> None:
    """Replace what stands between the markers of a document.

    Args:
        document: Markdown with both pairs of markers.
        student: ``student.json``, whose corpus is told of.
        results: of the evaluate command.

    Raises:
        ValueError: the markers are not there once each.
    """
    tables = "\n\n".join(section(read_json(path)) for path in results)
    text = _between(
        document.read_text("utf-8"), CORPUS, corpus_section(read_json(student)["corpus"]), document
    )
    document.write_text(_between(text, QUALITY, tables, document), "utf-8")


def _between(text: str, name: str, content: str, document: Path) -> str:
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    if text.count(begin) != 1 or text.count(end) != 1:
        raise ValueError(f"{document} must hold {begin} and {end} once each")
    before, rest = text.split(begin)
    return f"{before}{begin}\n{content}\n{end}{rest.split(end)[1]}"


def corpus_section(corpus: Mapping[str, Any]) -> str:
    """Say how large a corpus is: hours and lines of each split, and how many lines each language has."""
    lines = {tuple(name.split(" ")): count for name, count in corpus["lines"].items()}
    languages = sorted({key[1] for key in lines})
    rows = [
        (split, f"{hours:.2f}", *(_thousands(_of(lines, split, language)) for language in (*languages, None)))
        for split, hours in corpus["hours"].items()
    ]
    table = _table(("split", "hours", *(f"{language}, lines" for language in languages), "lines"), rows)
    rejected = sorted(corpus["rejected"].items())
    reasons = ", ".join(f"{count} {reason.replace('-', ' ')}" for reason, count in rejected)
    total = sum(count for _, count in rejected)
    return f"{table}\n\nLeft out of it: {total} lines" + (f" ({reasons})." if reasons else ".")


def _of(lines: Mapping[tuple[str, ...], int], split: str, language: str | None) -> int:
    return sum(n for key, n in lines.items() if key[3] == split and language in (None, key[1]))


def _thousands(count: int) -> str:
    return f"{count:,}"


def section(result: Result) -> str:
    """What was measured on what; numbers with a target first, then those that are only reported."""
    judged = [row(check) for check in result["checks"] if check["target"] is not None]
    reported = [row(check) for check in result["checks"] if check["target"] is None]
    parts = [_heading(result), _table(("measure", "who", "measured", "target", "met", "behind it"), judged)]
    if reported:
        header = ("reported without a target", "who", "measured", "behind it")
        parts.append(_table(header, [(row[0], row[1], row[2], row[5]) for row in reported]))
    if beside := side_by_side(result["checks"]):
        parts.append(_table(("side by side", "who", *SPEAKERS), beside))
    return "\n\n".join(parts)


def side_by_side(checks: Sequence[Mapping[str, Any]]) -> list[tuple[str, ...]]:
    """Measure, who, and what each speaker has of it, for measures that hear several of them."""
    heard = [check for check in checks if isinstance(check["detail"].get(STUDENT), (int, float))]
    return [
        (
            check["measure"],
            check["subject"],
            *(number(check["detail"][name]) if name in check["detail"] else "–" for name in SPEAKERS),
        )
        for check in heard
    ]


def _table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    lines = [header, tuple("---" for _ in header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _heading(result: Result) -> str:
    voice, where = result["voice"], result["environment"]
    return (
        f"Voice `{voice['name']}` {voice['version']}, {voice['scheme']}: "
        f"{result['passed']} of {result['judged']} targets met. "
        f"{where['device']}, {where['cores']} cores; Python {where['python']}, "
        f"ONNX Runtime {where['packages']['onnxruntime']}, {where['espeak_ng']}; "
        f"{result['measured'][:10]}, commit {where['commit']}."
    )


def row(check: Mapping[str, Any]) -> tuple[str, ...]:
    """Measure, who, measured, target, verdict and what is behind it, as text."""
    target = "" if check["target"] is None else f"{check['bound']} {number(check['target'])}"
    value = f"{number(check['value'])} {_unit(check['unit'])}".strip()
    behind = "; ".join(_details(check["detail"]))
    return (check["measure"], check["subject"], value, target, _VERDICTS[check["passed"]],
            f"n = {check['n']}{'; ' if behind else ''}{behind}")  # fmt: skip


def _details(detail: Mapping[str, Any]) -> Iterator[str]:
    """Numbers and short lists of a detail; what is nested deeper stays in the result file."""
    for key, value in detail.items():
        if key in SPEAKERS:
            continue  # they have a table of their own
        if isinstance(value, (int, float)) and key != "n":
            yield f"{key.replace('_', ' ')} {number(value)}"
        elif isinstance(value, list) and value:
            yield f"{key.replace('_', ' ')}: {', '.join(map(str, value))}"


def number(value: float | None) -> str:
    """Three significant digits, whole numbers whole."""
    if value is None:
        return "not measured"
    if value == int(value) and abs(value) < 1e6:
        return str(int(value))
    return f"{value:.3g}"


def _unit(unit: str) -> str:
    return "" if unit in ("r", "ratio") else unit


if __name__ == "__main__":
    update(Path(sys.argv[1]), Path(sys.argv[2]), [Path(name) for name in sys.argv[3:]])
