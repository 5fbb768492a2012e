"""Checks pass and fail by their bound, results are valid JSON, documents are filled between markers."""

import json
from pathlib import Path

import pytest

from distill.evaluation import report
from distill.evaluation.result import FLOAT, STUDENT, TEACHER, Check, Target, write_results
from edge.bundle.bundle import Bundle

AT_MOST = Target("word error above teacher", "at most", 5.0, "points")
AT_LEAST = Target("duration correlation", "at least", 0.9, "r")
NAN = float("nan")
ROOT = Path(__file__).parent.parent.parent.parent


@pytest.mark.parametrize(
    ("check", "passed"),
    [
        (AT_MOST.check("claire", 5.0, 100), True),
        (AT_MOST.check("claire", 5.1, 100), False),
        (AT_MOST.check("claire", -3.0, 100), True),
        (AT_LEAST.check("noah", 0.9, 100), True),
        (AT_LEAST.check("noah", 0.89, 100), False),
        (AT_LEAST.check("noah", NAN, 0), False),
        (AT_MOST.check("noah", NAN, 0), False),
        (AT_MOST.report("noah", 99.0, 100), None),
    ],
)
def test_verdicts(check: Check, passed: bool | None) -> None:
    assert check.passed is passed


@pytest.fixture
def result(tmp_path: Path, tiny_voice: Path) -> Path:
    checks = [
        AT_MOST.check("claire", 7.25, 100, teacher_percent=1.5, student_percent=8.75),
        AT_LEAST.check("mei", NAN, 0, table={"a": NAN, "b": [1.0, 2.0]}),
        AT_MOST.report("noah", 1.0, 100, texts=["Go!"]),
    ]
    path = tmp_path / "deep" / "tiny.json"
    write_results(path, checks, Bundle.load(tiny_voice).manifest)
    return path


def test_the_file_holds_every_number_and_where_it_was_measured(result: Path) -> None:
    content = json.loads(result.read_text("utf-8"), parse_constant=pytest.fail)  # NaN is not JSON

    assert (content["passed"], content["judged"]) == (0, 2)
    assert content["voice"]["name"] == "tiny"
    assert content["environment"]["packages"]["numpy"]
    assert content["checks"][0]["detail"] == {"teacher_percent": 1.5, "student_percent": 8.75}
    assert content["checks"][1]["value"] is None
    assert content["checks"][1]["detail"]["table"] == {"a": None, "b": [1.0, 2.0]}
    assert list(result.parent.iterdir()) == [result]


def test_speakers_that_were_heard_beside_each_other_have_a_table_of_their_own(result: Path) -> None:
    natural = Target("DistillMOS below teacher", "at most", 0.3, "MOS")
    three = {TEACHER: 4.5, FLOAT: 4.25, STUDENT: 4.0}
    checks = [
        natural.check("noah zh", 0.5, 30, **three),
        natural.check("mei ja", 0.1, 30, teacher=4.5, student=4.4),
    ]
    content = json.loads(result.read_text("utf-8"))
    content["checks"] += [check.to_dict() for check in checks]
    table = report.section(content)
    assert "| side by side | who | teacher | float networks | student |" in table
    assert "| DistillMOS below teacher | noah zh | 4.5 | 4.25 | 4 |" in table
    assert "| DistillMOS below teacher | mei ja | 4.5 | – | 4.4 |" in table
    assert table.count("float networks") == 1  # not again behind each number


@pytest.fixture
def student(tmp_path: Path) -> Path:
    corpus = {
        "hours": {"train": 1.25, "test": 0.5},
        "lines": {"noah zh neutral train": 1200, "noah en sad train": 30, "noah en neutral test": 4},
        "rejected": {"noah-zh-neutral loop": 2},
    }
    path = tmp_path / "student.json"
    path.write_text(json.dumps({"corpus": corpus}), "utf-8")
    return path


MARKERS = "".join(f"<!-- {name}:begin -->\nold\n<!-- {name}:end -->\n" for name in ("corpus", "quality"))


def test_a_document_is_filled_between_its_markers(result: Path, student: Path, tmp_path: Path) -> None:
    document = tmp_path / "voice.md"
    document.write_text(f"before\n{MARKERS}after\n", "utf-8")
    report.update(document, student, [result])
    report.update(document, student, [result])
    text = document.read_text("utf-8")

    assert text.startswith("before\n")
    assert text.endswith("after\n")
    assert "old" not in text
    assert "| word error above teacher | claire | 7.25 points | at most 5 | **no** |" in text
    assert "| duration correlation | mei | not measured | at least 0.9 | **no** |" in text
    assert text.count("0 of 2 targets met") == 1
    assert "| split | hours | en, lines | zh, lines | lines |" in text
    assert "| train | 1.25 | 30 | 1,200 | 1,230 |" in text
    assert "| test | 0.50 | 4 | 0 | 4 |" in text
    assert "Left out of it: 2 lines (2 noah zh neutral loop)." in text


@pytest.mark.parametrize("name", ["corpus", "quality"])
def test_a_document_without_markers_is_refused(
    name: str, result: Path, student: Path, tmp_path: Path
) -> None:
    document = tmp_path / "voice.md"
    document.write_text(MARKERS.replace(f"<!-- {name}:end -->", ""), "utf-8")

    with pytest.raises(ValueError, match=f"{name}:end --> once each"):
        report.update(document, student, [result])


def test_the_page_of_the_built_in_voice_tells_what_the_files_tell(tmp_path: Path) -> None:
    page = ROOT / "docs" / "built-in-voice.md"
    copy = tmp_path / page.name
    copy.write_bytes(page.read_bytes())
    quality = ROOT / "benchmarks" / "results" / "quality" / "builtin.json"
    report.update(copy, ROOT / "distill" / "students" / "builtin" / "student.json", [quality])
    assert copy.read_text("utf-8") == page.read_text("utf-8")
