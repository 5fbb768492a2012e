"""Archives from outside: nothing reaches beyond the folder, and nothing is larger than it may be."""

from __future__ import annotations

import io
import random
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from deploy.archive import Limits, unpack, write_tar
from deploy.errors import DeployError

SMALL = Limits(files=4, file_bytes=1_000, total_bytes=1_500, depth=3)


def archive(
    path: Path, *members: tuple[str, bytes], change: Callable[[tarfile.TarInfo], None] | None = None
) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            if change:
                change(member)
            tar.addfile(member, io.BytesIO(content) if member.isreg() else None)
    return path


def refused(path: Path, folder: Path, word: str) -> None:
    folder.mkdir()
    with pytest.raises(DeployError, match=word) as caught:
        unpack(path, folder, SMALL)
    assert "\n" not in str(caught.value)
    outside = [one for one in folder.parent.rglob("*") if one.name == "evil"]
    assert not [one for one in outside if folder not in one.parents]


def test_plain_files_and_folders(tmp_path: Path) -> None:
    path = archive(tmp_path / "a.tar", ("a", b"1"), ("b/c", b"22"))
    written = unpack(path, tmp_path / "out", SMALL)
    assert [one.read_bytes() for one in written] == [b"1", b"22"]
    assert (tmp_path / "out" / "a").stat().st_mode & 0o111 == 0


@pytest.mark.parametrize(
    "name", ["../evil", "/tmp/evil", "a/../../evil", "./evil", "a//evil", "a\\..\\evil", "..", "a/./evil"]
)
def test_names_that_leave_the_folder(tmp_path: Path, name: str) -> None:
    refused(archive(tmp_path / "a.tar", (name, b"x")), tmp_path / "out", "leaves the folder")


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE]
)
def test_links_and_devices(tmp_path: Path, kind: bytes) -> None:
    def change(member: tarfile.TarInfo) -> None:
        member.type, member.linkname, member.size = kind, "/etc/passwd", 0

    path = archive(tmp_path / "a.tar", ("evil", b""), change=change)
    refused(path, tmp_path / "out", "neither a plain file nor a folder")


@pytest.mark.parametrize(
    ("members", "word"),
    [
        ([("a", b"x" * 1_001)], "larger than 1000"),
        ([("a", b"x" * 900), ("b", b"x" * 900)], "more than 1500"),
        ([(str(number), b"") for number in range(5)], "one more than 4"),
        ([("a", b"1"), ("a", b"2")], "twice"),
        ([("a/b/c/d", b"1")], "too deep"),
    ],
)
def test_bombs(tmp_path: Path, members: list[tuple[str, bytes]], word: str) -> None:
    refused(archive(tmp_path / "a.tar", *members), tmp_path / "out", word)


def test_a_length_that_lies(tmp_path: Path) -> None:
    """A header that promises far more than the file holds costs neither memory nor disk."""
    path = archive(tmp_path / "a.tar", ("a", b"x" * 600))
    path.write_bytes(path.read_bytes()[:700])
    refused(path, tmp_path / "out", "cut short|not a readable")


def test_a_compressed_archive_is_not_unpacked(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar", "w:gz") as tar:
        tar.addfile(tarfile.TarInfo("a"))
    refused(tmp_path / "a.tar", tmp_path / "out", "not a readable uncompressed tar")


def test_five_hundred_damaged_archives(tmp_path: Path) -> None:
    """Whatever bytes change, the outcome is a refusal or files inside the folder."""
    chance = random.Random(5)
    whole = archive(tmp_path / "a.tar", ("a", b"1" * 300), ("b/c", b"2" * 300)).read_bytes()
    home = tmp_path / "home"
    for turn in range(500):
        content = bytearray(whole)
        for _ in range(chance.randrange(1, 6)):
            content[chance.randrange(2_048)] = chance.randrange(256)
        (tmp_path / "b.tar").write_bytes(content)
        folder = home / str(turn)
        folder.mkdir(parents=True)
        try:
            written = unpack(tmp_path / "b.tar", folder, SMALL)
        except DeployError:
            continue
        assert all(folder in path.resolve().parents for path in written)
    assert {path.name for path in tmp_path.iterdir()} == {"a.tar", "b.tar", "home"}


def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"1")
    for name in ("a.tar", "b.tar"):
        write_tar(tmp_path / name, {"x": tmp_path / "x"})
    assert (tmp_path / "a.tar").read_bytes() == (tmp_path / "b.tar").read_bytes()
