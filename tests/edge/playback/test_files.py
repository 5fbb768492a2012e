"""WAV files: whole or not there, bounded together."""

from __future__ import annotations

import errno
import wave
from collections.abc import Iterator
from pathlib import Path

import pytest

from edge.labels.aigc import read_labels
from edge.playback.files import FileWriter, FileWritten
from tests.edge.daemon.broker import wait_until
from tests.edge.sound import RATE, chunks


class Files:
    def __init__(self, directory: Path, max_bytes: int) -> None:
        self.written: list[FileWritten] = []
        self.writer = FileWriter(directory, max_bytes, self.written.append)

    def write(self, line_id: str, n_samples: int) -> FileWritten:
        n_before = len(self.written)
        self.writer.write(line_id, tuple(chunks(n_samples)))
        wait_until(lambda: len(self.written) > n_before)
        return self.written[-1]


@pytest.fixture
def files(tmp_path: Path) -> Iterator[Files]:
    files = Files(tmp_path / "audio", 10_000)
    yield files
    files.writer.close()


def test_a_file_is_whole_or_not_there(files: Files, tmp_path: Path) -> None:
    written = files.write("a:1", 1000)
    assert written.path == str(tmp_path / "audio" / "a:1.wav")
    with wave.open(written.path) as file:
        assert file.getnframes() == 1000 and file.getframerate() == RATE
    assert [path.name for path in (tmp_path / "audio").iterdir()] == ["a:1.wav"]


@pytest.mark.parametrize("line_id", ["..", ".", "...", "-", "x" * 64])
def test_no_id_leads_out_of_the_directory(files: Files, tmp_path: Path, line_id: str) -> None:
    path = Path(files.write(line_id, 10).path or "")
    assert path.resolve().parent == (tmp_path / "audio").resolve() and path.is_file()


def test_the_oldest_files_make_room(files: Files, tmp_path: Path) -> None:
    for number in range(6):
        files.write(str(number), 1500)
    names = sorted(path.name for path in (tmp_path / "audio").iterdir())
    assert names == ["3.wav", "4.wav", "5.wav"]


@pytest.mark.parametrize(
    ("number", "code"), [(errno.ENOSPC, "disk_full"), (errno.EROFS, "disk_full"), (errno.EACCES, "internal")]
)
def test_a_disk_that_refuses_is_named(
    files: Files, monkeypatch: pytest.MonkeyPatch, number: int, code: str
) -> None:
    def refuse(_self: Path, _data: bytes) -> int:
        raise OSError(number, "refused")

    monkeypatch.setattr(Path, "write_bytes", refuse)
    written = files.write("a", 10)
    assert (written.path, written.code) == (None, code) and "refused" in written.message
    monkeypatch.undo()
    assert files.write("b", 10).path


def test_a_file_says_who_produced_it_exactly_once(tmp_path: Path) -> None:
    written: list[FileWritten] = []
    writer = FileWriter(tmp_path, 100_000, written.append, "0011STUDIO")
    writer.write("line-7", tuple(chunks(1000)))
    wait_until(lambda: written)
    writer.close()
    assert written[0].path is not None
    (label,) = read_labels(Path(written[0].path).read_bytes())
    assert (label["Label"], label["ContentProducer"], label["ProduceID"]) == ("1", "0011STUDIO", "line-7")
    with wave.open(written[0].path) as file:
        assert file.getnframes() == 1000
