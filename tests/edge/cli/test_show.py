"""``sovits-edge check`` and ``prepare``, on the tiny voice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from edge.cli.main import main

TINY = Path(__file__).parents[2] / "data" / "tiny_voice"
SHOW = """name = "s"
[defaults]
character = "noah"
[[lines]]
id = "hello"
text = "Hello there."
next = ["either"]
[[lines]]
id = "either"
variants = ["One.", "Two two."]
rate = 1.2
output = ["play", "lipsync"]
"""


@pytest.fixture
def show(tmp_path: Path) -> Path:
    path = tmp_path / "show.toml"
    path.write_text(SHOW, encoding="utf-8")
    return path


def run(*arguments: object) -> int:
    try:
        main([str(argument) for argument in arguments])
    except SystemExit as ended:
        return int(ended.code or 0)
    return 0


def test_a_show_without_fault(show: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", show, "--bundle", TINY) == 0
    assert capsys.readouterr().out == "3 texts in 2 lines: 0 errors, 0 warnings\n"


def test_every_fault_is_named_with_its_place(show: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with show.open("a", encoding="utf-8") as file:
        file.write('[[lines]]\nid = "tag"\ntext = "[emoton:sad]oh"\n')
        file.write('[[lines]]\nid = "who"\ncharacter = "nobody"\ntext = "x"\n')
        file.write('[[lines]]\nid = "dumb"\nvariants = ["x", "안녕"]\n')
        file.write('[[lines]]\nid = "odd"\ntext = "안녕 hello"\n')
    assert run("check", show, "--bundle", TINY, "--json") == 2
    report = json.loads(capsys.readouterr().out)
    assert (report["show"], report["lines"], report["errors"]) == ("s", 6, 3)
    found = [(one["line"], one["at"], one["kind"], one["code"]) for one in report["findings"]]
    assert found == [
        ("tag", 15, "error", "bad_request"),
        ("who", 19, "error", "unknown_character"),
        ("dumb", 22, "error", "text_unspeakable"),
        ("odd", 25, "warning", ""),
    ]
    assert run("check", show, "--bundle", TINY) == 2
    out = capsys.readouterr().out.splitlines()
    assert out[0].startswith(f"{show}:15: error: tag: unknown tag") and len(out) == 5
    assert out[-1] == "8 texts in 6 lines: 3 errors, 1 warnings"


def test_a_show_that_is_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", tmp_path / "none.toml") == 2
    assert capsys.readouterr().err == f"sovits-edge: {tmp_path}/none.toml: no such show file\n"


def test_lines_are_made_once(show: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    state = tmp_path / "state"
    arguments = ("prepare", show, "--bundle", TINY, "--state-dir", state)
    assert run(*arguments) == 0
    assert capsys.readouterr().out == "3 texts: 3 made, 0 were there, 0 failed\n"
    assert len(list((state / "cache").rglob("*.line"))) == 3
    with show.open("a", encoding="utf-8") as file:
        file.write('[[lines]]\nid = "dumb"\ntext = "안녕"\n[[lines]]\nid = "new"\ntext = "Three."\n')
    assert run(*arguments, "--json") == 2
    report = json.loads(capsys.readouterr().out)
    assert (report["total"], report["made"], report["cached"], report["n_failed"]) == (5, 1, 3, 1)
    assert (report["failed"][0]["line"], report["failed"][0]["code"]) == ("dumb", "text_unspeakable")


def test_a_disk_that_takes_nothing_is_told(
    show: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("edge.daemon.line_store.write_whole", full)
    assert run("prepare", show, "--bundle", TINY, "--state-dir", tmp_path / "state") == 2
    assert "3 lines are not on disk" in capsys.readouterr().err


def test_no_show_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("prepare", "--state-dir", tmp_path) == 2
    assert "name a show file" in capsys.readouterr().err
