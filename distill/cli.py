"""The command ``sovits-distill``: corpus, then train, then evaluate."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .config import BUILTIN, DistillError, load_corpus_config

app = typer.Typer(help="Teach a small voice from a teacher.", no_args_is_help=True, pretty_exceptions_enable=False)


@app.command()
def corpus(
    out: Annotated[Path, typer.Option(help="Folder of the corpus; an unfinished one is completed.")] = Path("corpus"),
    config: Annotated[Path, typer.Option(help="TOML file with a [corpus] section.")] = BUILTIN,
    processes: Annotated[int, typer.Option(min=1, help="Lines rendered at the same time.")] = 2,
) -> None:
    """Render the lines of the script with the teachers of a configuration."""
    from .corpus import make_corpus

    summary = make_corpus(load_corpus_config(config), out, processes)
    hours = ", ".join(f"{split} {value:.2f} h" for split, value in summary["hours"].items())
    typer.echo(f"{sum(summary['lines'].values())} lines ({hours}), {sum(summary['rejected'].values())} rejected: {out}")


@app.command()
def train(
    corpus: Annotated[Path, typer.Option(help="Folder that the corpus command wrote.")] = Path("corpus"),
    out: Annotated[Path, typer.Option(help="Folder of the run; an unfinished one goes on.")] = Path("runs/builtin"),
    steps: Annotated[int, typer.Option(min=1, help="Optimiser steps in all.")] = 12_000,
    batch: Annotated[int, typer.Option(min=1, help="Lines per step.")] = 16,
) -> None:
    """Train the student on a corpus."""
    from .train import TrainOptions
    from .train import train as run

    typer.echo(str(run(corpus, out, TrainOptions(steps=steps, batch=batch))))


def main() -> None:
    """Run a command; an error of the user's is one line and status 2."""
    from .teachers import TeacherError

    try:
        app()
    except (DistillError, TeacherError, FileNotFoundError) as error:
        typer.echo(f"sovits-distill: {error}", err=True)
        raise SystemExit(2) from error
