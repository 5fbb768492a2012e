from __future__ import annotations

import errno
import hashlib
import io
import json
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from edge.audio import AudioChunk
from edge.messages import AudioOptions
from edge.outputs import AudioSender, FileWriter, FileWritten
from tests.edge.daemon.broker import wait_until

RATE = 32_000


def chunks(*lengths: int) -> list[AudioChunk]:
    samples = np.arange(sum(lengths)).astype(np.int16)
    ends = np.cumsum(lengths)
    return [
        AudioChunk(samples[end - length : end], RATE, int(end - length), end == ends[-1])
        for length, end in zip(lengths, ends, strict=True)
    ]


def send(options: AudioOptions, limit: int, *lengths: int) -> dict[str, bytes]:
    sent: dict[str, bytes] = {}
    sender = AudioSender("x", options, limit, lambda topic, payload, _: sent.update({topic: payload}) is None)
    for chunk in chunks(*lengths):
        sender.send(chunk)
    sender.end()
    assert not sender.lost
    return sent


def test_chunks_are_numbered_bounded_and_complete() -> None:
    sent = send(AudioOptions(chunk_bytes=1000), 10_000, 300, 1700, 1)
    data = [sent[f"audio/x/{number}"] for number in range(len(sent) - 2)]
    assert [len(piece) for piece in data] == [600, 1000, 1000, 1000, 400, 2]
    end = json.loads(sent["audio/x/end"])
    joined = b"".join(data)
    assert end == {"chunks": 6, "bytes": 4002, "sha256": hashlib.sha256(joined).hexdigest()}
    assert np.array_equal(np.frombuffer(joined, "<i2"), np.arange(2001))
    assert next(iter(sent)) == "audio/x/meta" and list(sent)[-1] == "audio/x/end"


def test_the_smaller_of_both_limits_counts_and_samples_stay_whole() -> None:
    sent = send(AudioOptions(chunk_bytes=5001), 777, 2000)
    sizes = [len(payload) for topic, payload in sent.items() if topic.rsplit("/")[-1].isdigit()]
    assert max(sizes) == 776 and all(size % 2 == 0 for size in sizes)


def test_wav_of_unknown_length_reads_to_its_end() -> None:
    sent = send(AudioOptions(format="wav", chunk_bytes=1000), 10_000, 700, 1300)
    data = b"".join(sent[f"audio/x/{number}"] for number in range(len(sent) - 2))
    with wave.open(io.BytesIO(data)) as file:
        assert len(file.readframes(file.getnframes())) == 4000


def test_a_message_that_is_not_taken_is_noted() -> None:
    sender = AudioSender("x", AudioOptions(), 10_000, lambda *_: False)
    sender.send(chunks(10)[0])
    assert sender.lost


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
