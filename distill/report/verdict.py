"""Verdict: what met its target and what did not, and the numbers behind it by language."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..evaluation.report import number, row
from .files import QualityCheck
from .meanings import meaning_of

LANGUAGES = {"zh": "Chinese", "en": "English", "ja": "Japanese"}
ALL_LANGUAGES = "All languages together"
_UNITS = {"r": "correlation {}", "ratio": "{} times"}  # the tables leave these out


@dataclass(frozen=True)
class Statement:
    """One measure in a sentence."""

    title: str
    text: str
    """``title``, ``text``: make a sentence together."""
    evidence: str
    """Numbers; of several, the one that is nearest to its target or furthest beyond it."""
    met: bool
    """Whether all of its targets are."""
    missed: tuple[str, ...]
    """Who does not meet it."""


@dataclass(frozen=True)
class Verdict:
    """All statements, what is missed first."""

    met: int
    judged: int
    statements: tuple[Statement, ...]

    @property
    def headline(self) -> str:
        """In one sentence."""
        if not self.judged:
            return "Nothing was held against a target."
        if self.met == self.judged:
            return f"All {self.judged} targets are met."
        missed = self.judged - self.met
        verb = "is" if missed == 1 else "are"
        return f"{self.met} of {self.judged} targets are met, {missed} {verb} missed."


@dataclass(frozen=True)
class NumberRow:
    """A measure of somebody: as the table shows it; ``met`` is None without a target."""

    measure: str
    who: str
    measured: str
    target: str
    met: bool | None
    behind: str


@dataclass(frozen=True)
class NumberTable:
    """The numbers of a language."""

    title: str
    met: int
    judged: int
    rows: tuple[NumberRow, ...]


def judge(checks: Sequence[QualityCheck]) -> Verdict:
    """Say in words what the numbers say."""
    judged = [check for check in checks if check.target is not None]
    measures = dict.fromkeys(check.measure for check in judged)
    statements = [_statement(measure, [c for c in judged if c.measure == measure]) for measure in measures]
    statements.sort(key=lambda statement: statement.met)
    return Verdict(sum(check.passed is True for check in judged), len(judged), tuple(statements))


def _statement(measure: str, checks: Sequence[QualityCheck]) -> Statement:
    meaning = meaning_of(measure)
    missed = tuple(check.subject for check in checks if not check.passed)
    worst = min(checks, key=_margin)
    measured, target = row(worst.model_dump())[2:4]
    measured = _UNITS.get(worst.unit, "{}").format(measured)
    who = "" if worst.subject == "all" else f"{worst.subject}: "
    of = f" (the weakest of {len(checks)})" if len(checks) > 1 else ""
    evidence = f"{who}{measured}, target {target}{of}"
    return Statement(meaning.title, meaning.missed if missed else meaning.met, evidence, not missed, missed)


def _margin(check: QualityCheck) -> float:
    """How far a number is on the good side of its target; no number is the worst."""
    if check.value is None or check.target is None:
        return float("-inf")
    apart = check.target - check.value
    return apart if check.bound == "at most" else -apart


def tables(checks: Sequence[QualityCheck]) -> tuple[NumberTable, ...]:
    """Sort the numbers by language; those of several languages come last."""
    names = (*LANGUAGES, "")
    groups = {name: [check for check in checks if _language(check) == name] for name in names}
    return tuple(_table(LANGUAGES.get(name, ALL_LANGUAGES), group) for name, group in groups.items() if group)


def _language(check: QualityCheck) -> str:
    last = check.subject.split()[-1] if check.subject else ""
    return last if last in LANGUAGES else meaning_of(check.measure).language


def _table(title: str, checks: Sequence[QualityCheck]) -> NumberTable:
    ordered = sorted(checks, key=lambda check: check.target is None)  # stable: judged ones first
    judged = [check for check in checks if check.target is not None]
    rows = tuple(_row(check) for check in ordered)
    return NumberTable(title, sum(check.passed is True for check in judged), len(judged), rows)


def _row(check: QualityCheck) -> NumberRow:
    measure, who, measured, target, _, behind = row(check.model_dump())
    return NumberRow(measure, who, measured, target, check.passed, behind)


def of_number(value: float | None) -> str:
    """Three significant digits; a dash where there is no number."""
    return "–" if value is None else number(value)
