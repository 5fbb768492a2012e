"""``sovits-edge check`` and ``prepare``: a show file read line by line, and made before doors open."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .command import ERROR_STATUS

if TYPE_CHECKING:
    from ..config import EdgeConfig
    from ..daemon.line_store import LineStore
    from ..show import ShowFile, ShowLine
    from ..synthesizer import SpeechRequest, Synthesizer

WRITE_POLL_S = 0.02


@dataclass(frozen=True)
class Finding:
    """Something about a line of a show."""

    line: str
    """Its id."""
    at: int
    """Where it stands in the file, from 1."""
    kind: str
    """``error`` or ``warning``."""
    code: str
    message: str


@click.command(short_help="Read every line of a show file.")
@click.argument("show", type=click.Path(path_type=Path))
@click.option("--bundle", type=click.Path(path_type=Path), help="Voice bundle; the built-in voice if absent.")
@click.option("--lexicon", type=click.Path(path_type=Path), help="Pronunciations of the show.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def check(show: Path, bundle: Path | None, lexicon: Path | None, as_json: bool) -> None:
    """Read every line of a SHOW file and name what is wrong, with its place in the file.

    A tag that is none, a character that is not there and text that cannot be spoken are errors: the exit
    status is then 2. What will be done otherwise than written is a warning.

    \b
    Examples:
      sovits-edge check show.toml
      sovits-edge check show.toml --bundle venue.voice --lexicon show.lexicon --json
    """
    from ..bundle.bundle import workshop
    from ..show import ShowFile
    from ..synthesizer import Synthesizer

    file = ShowFile(show)
    synthesizer = Synthesizer.load(bundle, lexicon=lexicon, gate=workshop)  # to read is not to speak
    try:
        found = [
            finding for index in range(len(file.show.lines)) for finding in _read(file, index, synthesizer)
        ]
    finally:
        synthesizer.close()
    n_errors = sum(finding.kind == "error" for finding in found)
    facts = {"show": file.show.name, "lines": len(file.show.lines), "errors": n_errors}
    if as_json:
        click.echo(json.dumps({**facts, "findings": [asdict(one) for one in found]}, ensure_ascii=False))
    else:
        for one in found:
            click.echo(f"{show}:{one.at}: {one.kind}: {one.line}: {one.message}")
        n_texts = sum(len(line.texts) for line in file.show.lines)
        click.echo(
            f"{n_texts} texts in {facts['lines']} lines: {n_errors} errors, {len(found) - n_errors} warnings"
        )
    if n_errors:
        raise click.exceptions.Exit(ERROR_STATUS)


def _read(file: ShowFile, index: int, synthesizer: Synthesizer) -> Iterator[Finding]:
    """Read all that a line may say, as strictly as the text stage can."""
    from ..errors import EdgeError

    line = file.show.lines[index]
    key = "text" if line.text is not None else "variants"
    at = file.line_number(index, key)
    for item in file.show.items(line):
        try:
            prepared = synthesizer.prepare(_strict_speech(item))
        except EdgeError as error:
            yield Finding(line.id, at, "error", error.code, str(error))
            continue
        for warning in prepared.warnings:
            yield Finding(line.id, at, "warning", "", warning)


def _strict_speech(item: dict[str, Any]) -> SpeechRequest:
    """What the synthesiser takes of an item, its markup strict."""
    from dataclasses import fields

    from ..messages import SayRequest
    from ..synthesizer import SpeechRequest

    request = SayRequest.model_validate(item)
    names = [field.name for field in fields(SpeechRequest)]
    values = {name: getattr(request, name) for name in names}
    return SpeechRequest(**{**values, "character": request.character or "", "markup": "strict"})


@click.command(short_help="Make the lines of a show file before doors open.")
@click.argument("show", type=click.Path(path_type=Path), required=False)
@click.option("--config", type=click.Path(path_type=Path), help="Configuration of the daemon.")
@click.option("--bundle", type=click.Path(path_type=Path), help="Voice bundle.")
@click.option("--state-dir", type=click.Path(path_type=Path), help="State directory of the daemon.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def prepare(
    show: Path | None, config: Path | None, bundle: Path | None, state_dir: Path | None, as_json: bool
) -> None:
    """Make every line of a SHOW file and keep it on disk, for a daemon that does not run yet.

    SHOW is the one of the configuration if it is left out. A running daemon prepares its show by itself and
    tells of it on <base>/<device>/response/prepare.

    \b
    Examples:
      sovits-edge prepare show.toml --config /etc/sovits/sovits.toml
      sovits-edge prepare --config /etc/sovits/sovits.toml --json
    """
    from ..config import load_config
    from ..daemon.state_lock import StateLock
    from ..show import ShowFile

    settings = load_config(config, {"bundle": bundle, "state_dir": state_dir, "show": show})
    if settings.show is None:
        raise click.UsageError("name a show file, here or as show = in the configuration")
    file = ShowFile(settings.show)
    lock = StateLock(settings.state_dir, settings.device)
    lock.acquire()
    try:
        made = _Maker(settings, file).run()
    finally:
        lock.release()
    if as_json:
        click.echo(
            json.dumps({**made.facts(), "failed": [asdict(one) for one in made.failed]}, ensure_ascii=False)
        )
    else:
        for one in made.failed:
            click.echo(f"{settings.show}:{one.at}: {one.line}: {one.message}", err=True)
        click.echo(
            "{total} texts: {made} made, {cached} were there, {n_failed} failed".format(**made.facts())
        )
    if made.failed:
        raise click.exceptions.Exit(ERROR_STATUS)


class _Maker:
    """Makes what is missing."""

    def __init__(self, config: EdgeConfig, file: ShowFile) -> None:
        from ..daemon.line_store import CACHE_FOLDER, LineStore

        self._config = config
        self._file = file
        self._store: LineStore = LineStore(
            config.state_dir / CACHE_FOLDER, config.cache.disk_mb * 2**20, lambda _: None
        )
        self._made = self._cached = 0
        self.failed: list[Finding] = []

    def facts(self) -> dict[str, int]:
        total = self._made + self._cached + len(self.failed)
        return {"total": total, "made": self._made, "cached": self._cached, "n_failed": len(self.failed)}

    def run(self) -> _Maker:
        """Make every line, with a bar on a terminal."""
        from ..engine.source import VoiceSource
        from ..permission import gate_of

        config = self._config
        source = VoiceSource(
            config.bundle, config.threads, config.lexicon, config.runner, config.state_dir, gate_of(config)
        )
        synthesizer = source.load()
        try:
            self._make_all(synthesizer)
        finally:
            synthesizer.close()
            self._store.close()
        return self

    def _make_all(self, synthesizer: Synthesizer) -> None:
        from ..daemon.admission import Admission
        from ..engine.thread import describe

        voice = describe(synthesizer, self._config.runner)
        admission = Admission(voice, self._store)
        self._store.use(voice.identity)
        self._settle()
        lines = self._file.show.lines
        with ExitStack() as stack:
            seen: Iterable[ShowLine] = lines
            if sys.stderr.isatty():
                seen = stack.enter_context(click.progressbar(lines, label="preparing", file=sys.stderr))
            for index, line in enumerate(seen):
                self._make(index, line, synthesizer, admission)
        self._settle()
        if n_lost := self._store.stored().n_lost:
            what = f"{n_lost} lines are not on disk: it is full, or cannot be written"
            self.failed.append(Finding("", 1, "error", "disk_full", what))

    def _make(self, index: int, line: ShowLine, synthesizer: Synthesizer, admission: Any) -> None:
        from ..daemon.cache import CachedLine
        from ..errors import EdgeError
        from ..messages import SayRequest

        for item in self._file.show.items(line):
            try:
                request = SayRequest.model_validate(item)
                admission.check_text(request)
                speech = admission.speech(request, [])
                if admission.key(speech) in self._store:
                    self._cached += 1
                    continue
                prepared = synthesizer.prepare(speech)
                chunks = tuple(synthesizer.stream(prepared, hold=False))
            except EdgeError as error:
                at = self._file.line_number(index, "text" if line.text is not None else "variants")
                self.failed.append(Finding(line.id, at, "error", error.code, str(error)))
                continue
            self._settle()
            admission.lexicon = prepared.lexicon
            self._made += self._store.keep(admission.key(speech), CachedLine(chunks))

    def _settle(self) -> None:
        while self._store.is_busy:
            time.sleep(WRITE_POLL_S)
