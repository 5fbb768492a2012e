"""Where the sound of a command goes, and how a command tells that it is busy."""

from __future__ import annotations

import fcntl
import os
import stat
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Protocol

import click

PATIENCE_S = 1.0


class Sound(Protocol):
    """Takes 16-bit little-endian mono PCM."""

    def write(self, pcm: bytes) -> object:
        """Take the next stretch and pass it on at once."""


class _RawStream:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, pcm: bytes) -> None:
        self._file.write(pcm)
        self._file.flush()


class _WavStream(_RawStream):
    """A header with an open length first; the true one is put in at the end, where the file can go back."""

    def __init__(self, file: BinaryIO, sample_rate: int) -> None:
        super().__init__(file)
        self._sample_rate = sample_rate
        self._start = file.tell() if _can_go_back(file) else None
        self._n_bytes = 0
        from ..audio import ENDLESS_SAMPLES

        self._put_header(ENDLESS_SAMPLES)

    def write(self, pcm: bytes) -> None:
        super().write(pcm)
        self._n_bytes += len(pcm)

    def finish(self) -> None:
        if self._start is not None:
            self._file.seek(self._start)
            self._put_header(self._n_bytes // 2)
            self._file.seek(0, os.SEEK_END)
            self._file.flush()

    def _put_header(self, n_samples: int) -> None:
        from ..audio import wav_header

        self._file.write(wav_header(n_samples, self._sample_rate))


@contextmanager
def open_sound(output: str, sample_rate: int, raw: bool) -> Iterator[Sound]:
    """Open a place for sound.

    Args:
        output: path, or ``-`` for standard output.
        sample_rate: Hz, for the header.
        raw: no header.

    Raises:
        click.ClickException: it cannot be written.
        BrokenPipeError: the reader of the pipe has gone.
    """
    if output == "-" and sys.stdout.isatty():
        raise click.UsageError("-o - would write to the terminal: pipe it into a player, or name a file")
    try:
        with nullcontext(sys.stdout.buffer) if output == "-" else Path(output).open("wb") as file:
            if raw:
                yield _RawStream(file)
                return
            sound = _WavStream(file, sample_rate)
            yield sound
            sound.finish()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise click.ClickException(f"{output}: cannot be written: {error.strerror}") from error


def _can_go_back(file: BinaryIO) -> bool:
    """True for a plain file not opened for appending: a pipe keeps the header that it was given."""
    descriptor = file.fileno()
    appending = fcntl.fcntl(descriptor, fcntl.F_GETFL) & os.O_APPEND
    return stat.S_ISREG(os.fstat(descriptor).st_mode) and not appending


class Progress:
    """One line on a terminal, from the second second on; nothing where standard error is no terminal."""

    def __init__(self) -> None:
        self._wanted = sys.stderr.isatty()
        self._due = False
        self._text = ""
        self._timer = threading.Timer(PATIENCE_S, self._begin)
        self._timer.daemon = True

    def __enter__(self) -> Progress:
        if self._wanted:
            self._timer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if self._due:
            click.echo("\r\x1b[K", err=True, nl=False)

    def show(self, text: str) -> None:
        """Say what is being done."""
        self._text = text
        if self._due:
            click.echo(f"\r\x1b[K{text} ...", err=True, nl=False)

    def _begin(self) -> None:
        self._due = True
        self.show(self._text)
