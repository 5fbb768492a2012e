"""The command: what it offers, how it goes wrong, and that it ends in one line."""

from __future__ import annotations

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner

from distill.cli import cli, main
from distill.training.allocator import keep_freed_memory
from distill.training.schedule import FROM_SCRATCH, TrainConfig

from .conftest import environment

NEEDS_EXTRA = "the evaluation needs the extra 'distill'"


def failure(arguments: list[str], capsys: pytest.CaptureFixture[str], status: int = 2) -> str:
    """Run a command that must fail; give its only line."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == status
    captured = capsys.readouterr()
    lines = captured.err.strip().splitlines()
    assert len(lines) == 1 and lines[0].startswith("sovits-distill: "), captured.err
    return lines[0].removeprefix("sovits-distill: ")


def corpus_at(folder: Path, symbols: str | None = None) -> Path:
    from edge.text.symbols import SYMBOLS_SHA256

    folder.mkdir()
    (folder / "manifest.jsonl").touch()
    (folder / "corpus.json").write_text(json.dumps({"symbols_sha256": symbols or SYMBOLS_SHA256}))
    return folder


@pytest.mark.parametrize("command", [[], *([name] for name in cli.commands)])
def test_every_command_explains_itself(command: list[str]) -> None:
    result = CliRunner().invoke(cli, [*command, "--help"])
    assert result.exit_code == 0
    assert "Usage:" in result.output and "--help" in result.output


def test_help_needs_no_torch() -> None:
    code = "import sys; sys.modules['torch'] = None; from distill.cli import main; main(['train', '--help'])"
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0 and "--learning-rate" in done.stdout, done.stderr


@pytest.mark.torch
def test_train_offers_the_options_of_training_with_their_defaults() -> None:
    from distill.training.train import TrainOptions

    fields = {field.name: field.default for field in dataclasses.fields(TrainOptions)}
    command = cli.commands["train"]
    offered = {
        option.name: option.default for option in command.params if option.name not in ("corpus", "out")
    }
    scheduled = {field.name for field in dataclasses.fields(FROM_SCRATCH)}  # depend on --from
    assert offered == {name: None if name in scheduled else fields[name] for name in offered}
    # The window is a size of the method, changed in the code, with a measurement. Nobody needs to lose more
    # than a minute of work.
    assert set(fields) - set(offered) == {"window", "save_seconds"}


@pytest.mark.torch
def test_train_hands_over_what_was_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from distill.training import train as training

    called: dict[str, Any] = {}

    def train(corpus: Path, out: Path, options: training.TrainOptions) -> Path:
        called.update(corpus=corpus, out=out, options=options)
        return out / "student"

    monkeypatch.setattr("distill.training.allocator.keep_freed_memory", lambda: called.update(kept=True))
    monkeypatch.setattr(training, "train", train)
    folder = corpus_at(tmp_path / "corpus")
    arguments = [
        "train",
        "--corpus",
        str(folder),
        "--out",
        str(tmp_path / "run"),
        "--steps",
        "7",
        "--seed",
        "3",
    ]
    result = CliRunner().invoke(cli, [*arguments, "--precision", "bf16-mixed", "--devices", "2"])
    assert result.exit_code == 0, result.output
    assert called["kept"] and called["corpus"] == folder and called["out"] == tmp_path / "run"
    options = called["options"]
    assert (options.steps, options.seed, options.precision, options.devices) == (7, 3, "bf16-mixed", 2)
    assert options.batch == training.TrainOptions().batch


@pytest.mark.torch
def test_the_section_train_of_a_voice_sets_the_same_options(tmp_path: Path) -> None:
    from distill.training.train import TrainOptions

    assert set(TrainConfig.model_fields) <= {field.name for field in dataclasses.fields(TrainOptions)}
    assert TrainConfig().options(tmp_path) == {"start": "builtin"}
    given = TrainConfig.model_validate({"from": "runs/mine/student", "steps": 20}).options(tmp_path)
    assert given == {"start": str(tmp_path.resolve() / "runs/mine/student"), "steps": 20}
    assert TrainOptions.starting_from(given["start"], given).steps == 20


def test_evaluate_hands_over_what_was_asked_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    evaluate = pytest.importorskip(
        "distill.evaluation.evaluate", reason="the evaluation needs the extra 'distill'"
    )
    called: list[Any] = []
    monkeypatch.setattr(evaluate, "run", lambda *arguments: called.append(arguments) or [])
    folder = corpus_at(tmp_path / "corpus")
    alignment = tmp_path / "alignment.json"
    alignment.write_text('{"a": [1, 2]}')
    arguments = ["evaluate", "--corpus", str(folder), "--out", str(tmp_path / "q.json"), "--measure", "tones"]
    arguments += ["--alignment", str(alignment), "--bundle", "my.voice", "--images", "images"]
    result = CliRunner().invoke(cli, [*arguments, "--float-bundle", "float.voice", "--lines", "7"])
    assert result.exit_code == 0, result.output
    files = (tmp_path / "q.json", {"a": [1, 2]}, ("tones",), Path("images"), Path("float.voice"))
    assert called == [(Path("my.voice"), folder, *files, 7)]


def test_whisper_is_put_together_where_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = pytest.importorskip("distill.evaluation.whisper_files", reason=NEEDS_EXTRA)
    monkeypatch.setattr(files, "assemble", lambda folder, say: say(f"{folder} made"))
    result = CliRunner().invoke(cli, ["whisper", str(tmp_path)])
    assert (result.exit_code, result.output) == (0, f"{tmp_path} made\n")


def test_an_unknown_measure_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("distill.evaluation.evaluate", reason=NEEDS_EXTRA)
    folder = corpus_at(tmp_path / "corpus")
    message = failure(["evaluate", "--corpus", str(folder), "--measure", "beauty"], capsys)
    assert message.startswith("no measure is called 'beauty'; expected some of intelligibility, ")


def test_no_command_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([])
    assert ended.value.code == 2
    assert "evaluate" in capsys.readouterr().err


@pytest.mark.parametrize("command", ["train", "evaluate"])
def test_a_missing_corpus_names_the_command_that_makes_it(
    command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    message = failure([command, "--corpus", str(tmp_path / "none")], capsys)
    assert message.endswith(f"sovits-distill corpus --out {tmp_path / 'none'}")


def test_a_corpus_of_another_symbol_table_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = corpus_at(tmp_path / "corpus", symbols="0" * 64)
    assert "another symbol table" in failure(["train", "--corpus", str(folder)], capsys)


def test_a_damaged_description_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = corpus_at(tmp_path / "corpus")
    (folder / "corpus.json").write_text("{")
    assert "corpus.json is not JSON" in failure(["train", "--corpus", str(folder)], capsys)


def test_a_missing_configuration_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    message = failure(["corpus", "--config", str(tmp_path / "no.toml"), "--out", str(tmp_path / "c")], capsys)
    assert message.startswith(f"cannot read {tmp_path / 'no.toml'}")
    assert not (tmp_path / "c").exists()


def test_a_missing_program_is_one_line(
    tmp_path: Path, small_config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/nonexistent")
    with pytest.raises(SystemExit) as ended:
        main(["corpus", "--config", str(small_config), "--out", str(tmp_path)])
    assert ended.value.code == 2
    last = capsys.readouterr().err.strip().splitlines()[-1]  # a progress bar may stand above
    assert last == "sovits-distill: espeak-ng is not installed; install it with: apt install espeak-ng"


def test_a_missing_library_names_the_extra(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = corpus_at(tmp_path / "corpus")
    monkeypatch.setitem(sys.modules, "distill.training.train", None)  # type: ignore[arg-type]
    assert "pip install 'sovits-tiny[distill]'" in failure(["train", "--corpus", str(folder)], capsys)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["train", "--steps", "0"], "'--steps'"),
        (["train", "--learning-rate", "0"], "'--learning-rate'"),
        (["train", "--precision", "8-bit"], "'--precision'"),
        (["corpus", "--processes", "many"], "'--processes'"),
        (["train", "--nonsense"], "--nonsense"),
    ],
)
def test_a_wrong_option_is_one_line_with_the_way_to_help(
    arguments: list[str], expected: str, capsys: pytest.CaptureFixture[str]
) -> None:
    message = failure(arguments, capsys)
    assert expected in message and message.endswith(f"see sovits-distill {arguments[0]} --help")


def test_ctrl_c_says_that_work_is_kept(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("distill.corpus.render.make_corpus", interrupted)
    message = failure(["corpus", "--out", str(tmp_path)], capsys, status=130)
    assert message == "interrupted; the same command goes on from here"


def test_the_console_script_is_this_command() -> None:
    setup = (Path(__file__).parents[2] / "setup.py").read_text("utf-8")
    assert '"sovits-distill = distill.cli:main"' in setup
    assert isinstance(cli, click.Group)
    names = {"init", "check", "kokoro", "whisper", "corpus", "tell", "train", "run", "evaluate", "report"}
    assert set(cli.commands) == names


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc only")
def test_freed_memory_is_kept_for_the_next_step() -> None:
    """Blocks of 40 MB, as the largest tensors of a step: by default each is faulted in anew."""
    code = """
import ctypes, resource, sys
from distill.training.allocator import keep_freed_memory
kept = sys.argv[1] == "kept" and keep_freed_memory()
libc = ctypes.CDLL(None)
libc.malloc.restype, libc.malloc.argtypes = ctypes.c_void_p, [ctypes.c_size_t]
libc.free.argtypes = [ctypes.c_void_p]
def step():
    block = libc.malloc(40 << 20)
    ctypes.memset(block, 1, 40 << 20)
    libc.free(block)
step()
before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(8):
    step()
print(int(kept), resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before)
"""
    faults = {}
    for mode in ("plain", "kept"):
        command = [sys.executable, "-c", code, mode]
        done = subprocess.run(command, env=environment(), capture_output=True, text=True, check=True)
        taken, faults[mode] = map(int, done.stdout.split())
        if mode == "kept" and not taken:
            pytest.skip("the C library has no mallopt")
    assert faults["kept"] < 0.1 * faults["plain"], faults


def test_keeping_memory_says_whether_it_worked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    assert keep_freed_memory() is False
