"""Output of a command: where its sound goes, and the sign that it is busy."""

from __future__ import annotations

import fcntl
import os
import stat
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, BinaryIO, Protocol

import click

from ..errors import SinkError

if TYPE_CHECKING:
    from ..labels.export import Export

PATIENCE_S = 1.0
CLEAR = "\r\x1b[K"  # the line of a terminal
NAME_BYTES = 48  # of a file named after what is said


class Sound(Protocol):
    """Takes 16-bit little-endian mono PCM."""

    def write(self, pcm: bytes) -> object:
        """Take the next stretch and pass it on at once."""


@dataclass(frozen=True)
class FileLabel:
    """What a file says of where its sound comes from."""

    export: Export
    line_id: str

    @property
    def wants_whole(self) -> bool:
        """Whether the whole file has to be there before it can be signed."""
        return self.export.signs

    def chunk(self) -> bytes:
        """Chunk behind the sound of a WAV file; empty for none."""
        from ..labels.aigc import riff_chunk

        values = self.export.values(self.line_id)
        return riff_chunk(values) if values else b""


class _RawStream:
    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def write(self, pcm: bytes) -> None:
        self._file.write(pcm)
        self._file.flush()

    def finish(self) -> None:
        """Nothing is left to be done."""


class _WavStream(_RawStream):
    """A header with an open length first; the true one is put in at the end, where the file can go back."""

    def __init__(self, file: BinaryIO, sample_rate: int, label: FileLabel | None) -> None:
        super().__init__(file)
        self._sample_rate = sample_rate
        self._label = label
        self._start = file.tell() if _can_go_back(file) else None
        self._n_bytes = 0
        from ..audio import ENDLESS_SAMPLES

        self._put_header(ENDLESS_SAMPLES)

    def write(self, pcm: bytes) -> None:
        super().write(pcm)
        self._n_bytes += len(pcm)

    def finish(self) -> None:
        if self._start is not None:
            label = b"" if self._label is None else self._label.chunk()
            self._file.write(label)
            self._file.seek(self._start)
            self._put_header(self._n_bytes // 2, len(label))
            self._file.seek(0, os.SEEK_END)
            self._file.flush()

    def _put_header(self, n_samples: int, n_behind: int = 0) -> None:
        from ..audio import wav_header

        self._file.write(wav_header(n_samples, self._sample_rate, n_behind))


class _WholeFile(_RawStream):
    """Kept until the end: what is compressed or signed is written in one go."""

    def __init__(self, file: BinaryIO, sample_rate: int, suffix: str, label: FileLabel | None) -> None:
        super().__init__(file)
        self._sample_rate, self._suffix, self._label = sample_rate, suffix, label
        self._sound = bytearray()

    def write(self, pcm: bytes) -> None:
        self._sound += pcm

    def finish(self) -> None:
        import numpy as np

        from ..sound_file import encoded_sound

        samples = np.frombuffer(self._sound, "<i2").astype(np.int16)
        content = encoded_sound(samples, self._suffix, self._sample_rate)
        if self._label is not None:
            content = self._label.export.labelled(content, self._label.line_id)
        self._file.write(content)


@contextmanager
def play_sound(
    sample_rate: int, text: str, tell: Callable[[str], None], label: FileLabel | None = None
) -> Iterator[Sound]:
    """Play on the default sound card, or write a file into the current folder where that cannot be.

    Args:
        sample_rate: Hz.
        text: that is spoken; gives the file its name.
        tell: told where the sound goes.
        label: of the file, if it has to be one.

    Raises:
        click.ClickException: no file can be written either.
        SinkError: the sound card was lost meanwhile.
    """
    from .speaker import open_speaker

    with ExitStack() as stack:
        try:
            speaker = stack.enter_context(open_speaker(sample_rate))
        except SinkError as error:
            path = free_path(text)
            tell(f"cannot play: {error}")
            tell(f"writing {path} instead")
            yield stack.enter_context(open_sound(str(path), sample_rate, raw=False, label=label))
            return
        tell(f"playing on {speaker.name}")
        yield speaker
        speaker.finish()


def free_path(text: str) -> Path:
    """Name a WAV file in the current folder that is not there yet, after the first words of a text."""
    words = "".join(letter if letter.isalnum() else " " for letter in text.lower()).split()
    stem = ""
    for word in words:
        longer = f"{stem}-{word}" if stem else word
        if len(longer.encode()) > NAME_BYTES:
            break
        stem = longer
    stem = stem or ("".join(words)[: NAME_BYTES // 4] if words else "line")
    names = (f"{stem}.wav" if number == 1 else f"{stem}-{number}.wav" for number in count(1))
    return next(path for path in map(Path, names) if not path.exists())


@contextmanager
def open_sound(output: str, sample_rate: int, raw: bool, label: FileLabel | None = None) -> Iterator[Sound]:
    """Open a place for sound.

    Args:
        output: path, or ``-`` for standard output.
        sample_rate: Hz, for the header.
        raw: no header, and no label.
        label: of the file; a pipe carries none, since nothing can follow sound without an end.

    Raises:
        click.ClickException: it cannot be written.
        BrokenPipeError: the reader of the pipe has gone.
    """
    if output == "-" and sys.stdout.isatty():
        raise click.UsageError("-o - would write to the terminal: pipe it into a player, or name a file")
    try:
        with nullcontext(sys.stdout.buffer) if output == "-" else Path(output).open("wb") as file:
            sound = _stream(file, output, sample_rate, raw, label)
            yield sound
            sound.finish()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise click.ClickException(f"{output}: cannot be written: {error.strerror}") from error


def _stream(file: BinaryIO, output: str, sample_rate: int, raw: bool, label: FileLabel | None) -> _RawStream:
    from ..sound_file import ENCODED

    suffix = Path(output).suffix.lower()
    if raw:
        return _RawStream(file)
    if suffix in ENCODED or (output != "-" and label is not None and label.wants_whole):
        return _WholeFile(file, sample_rate, suffix, label)
    return _WavStream(file, sample_rate, label)


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
            click.echo(CLEAR, err=True, nl=False)

    def show(self, text: str) -> None:
        """Say what is being done."""
        self._text = text
        if self._due:
            click.echo(f"{CLEAR}{text} ...", err=True, nl=False)

    def tell(self, text: str) -> None:
        """Say something that stays."""
        click.echo(f"{CLEAR if self._due else ''}sovits-edge: {text}", err=True)

    def _begin(self) -> None:
        self._due = True
        self.show(self._text)
