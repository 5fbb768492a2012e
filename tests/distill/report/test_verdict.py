"""Numbers turned into words, and sorted by language."""

from __future__ import annotations

import pytest

pytest.importorskip("torch", reason="the report is made where training is")

from distill.report.files import QualityCheck
from distill.report.meanings import MEANINGS, meaning_of
from distill.report.verdict import ALL_LANGUAGES, judge, of_number, tables


def check(
    measure: str, subject: str, value: float | None, target: float | None = 0.9, **more: object
) -> QualityCheck:
    passed = None if target is None else value is not None and value >= target
    row = {"bound": "at least", "unit": "r", "n": 50, "passed": passed} | more
    return QualityCheck.model_validate(
        row | {"measure": measure, "subject": subject, "value": value, "target": target}
    )


RHYTHM = "duration correlation"


def test_what_is_missed_comes_first_and_names_who() -> None:
    verdict = judge([
        check("pitch correlation", "noah", 0.95),
        check(RHYTHM, "noah", 0.91),
        check(RHYTHM, "ava", 0.8),
        check(RHYTHM, "ava zh", 0.1, target=None),
    ])  # fmt: skip
    assert verdict.headline == "2 of 3 targets are met, 1 is missed."
    first, second = verdict.statements
    assert (first.title, first.met, first.missed) == ("Rhythm", False, ("ava",))
    assert first.evidence == "ava: correlation 0.8, target at least 0.9 (the weakest of 2)"
    assert (second.title, second.met, second.missed) == ("Melody", True, ())


def test_a_number_that_could_not_be_had_is_the_weakest() -> None:
    (statement,) = judge([check(RHYTHM, "noah", 0.1), check(RHYTHM, "ava", None)]).statements
    assert statement.evidence.startswith("ava: correlation not measured")


def test_at_most_is_the_other_way_round() -> None:
    checks = [
        check("word error above teacher", who, value, 5.0, bound="at most", unit="points", passed=value <= 5)
        for who, value in (("claire", 1.2), ("noah", -30.0))
    ]
    (statement,) = judge(checks).statements
    assert statement.met and statement.evidence.startswith("claire: 1.2 points, target at most 5")


@pytest.mark.parametrize(
    ("checks", "headline"),
    [
        ([check(RHYTHM, "noah", 0.95)] * 2, "All 2 targets are met."),
        ([check(RHYTHM, "noah", 0.95, target=None)], "Nothing was held against a target."),
    ],
)
def test_headlines(checks: list[QualityCheck], headline: str) -> None:
    assert judge(checks).headline == headline


def test_numbers_go_to_their_language() -> None:
    found = tables([
        check(RHYTHM, "noah ja", 0.8, target=None),
        check(RHYTHM, "noah ja", 0.95),
        check("tones under teacher", "noah", 0.95),
        check("word error above teacher", "noah", 0.95),
        check(RHYTHM, "noah", 0.5),
    ])  # fmt: skip
    assert [table.title for table in found] == ["Chinese", "English", "Japanese", ALL_LANGUAGES]
    japanese, everywhere = found[2:]
    assert [row.met for row in japanese.rows] == [True, None]  # what is judged comes first
    assert (japanese.met, japanese.judged, everywhere.met, everywhere.judged) == (1, 1, 0, 1)


def test_every_judged_measure_has_a_meaning() -> None:
    from distill.evaluation import faults, likeness, listening, words
    from distill.evaluation.result import Target

    targets = {
        value.measure
        for module in (faults, likeness, listening, words)
        for value in (*vars(module).values(), *listening.HEARD.values())
        if isinstance(value, Target)
    }
    reported = (likeness.TOLD_DURATION, likeness.ALIGNMENT, listening.CHARACTERS, listening.OTHER_LINES)
    only_reported = {target.measure for target in reported}
    assert set(MEANINGS) == targets - only_reported


def test_a_new_measure_speaks_for_itself() -> None:
    assert meaning_of("breath noise").title == "Breath noise"


def test_numbers_without_a_value() -> None:
    assert (of_number(None), of_number(0.12345), of_number(12.0)) == ("–", "0.123", "12")
