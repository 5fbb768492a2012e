"""A medium: a folder, a tar or an address that carries signed documents and the files that they name."""

from __future__ import annotations

import hashlib
import http.client
import shutil
import tarfile
import urllib.error
import urllib.request
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

from edge.bundle.trust.documents import Target

from .errors import DeployError

MAX_DOCUMENT_BYTES = 8 * 2**20
_BLOCK = 2**18
TIMEOUT_S = 20.0
Progress = Callable[[str, int, int], None]


def no_progress(_name: str, _done: int, _total: int) -> None:
    """Say nothing."""


class Medium(ABC):
    """Where documents and files come from; nothing in it is believed."""

    @abstractmethod
    def document(self, name: str) -> bytes | None:
        """Content of a document; None where there is none.

        Raises:
            DeployError: it cannot be read or is too long.
        """

    @abstractmethod
    def copy(self, name: str, output: Path, start: int, progress: Callable[[int], None]) -> None:
        """Append the content of a file from byte ``start`` on.

        Raises:
            DeployError: it is not there or cannot be read.
            OSError: the disk is full.
        """

    def fetch(self, target: Target, folder: Path, progress: Progress = no_progress) -> Path:
        """Copy a file of the index, go on where an earlier try stopped, and check length and hash.

        Raises:
            DeployError: it is not what the index says; the wrong copy is removed.
            OSError: the disk is full; what is there is gone on with later.
        """
        folder.mkdir(parents=True, exist_ok=True)
        output, partial = folder / target.sha256, folder / f"{target.sha256}.part"
        if output.exists() and _digest(output) == target.sha256:
            return output
        start = partial.stat().st_size if partial.exists() else 0
        if start > target.length:
            partial.unlink()
            start = 0
        if start < target.length:
            self.copy(target.name, partial, start, lambda done: progress(target.name, done, target.length))
        self._check(target, partial)
        partial.replace(output)
        return output

    @staticmethod
    def _check(target: Target, path: Path) -> None:
        length = path.stat().st_size
        if length < target.length:
            raise DeployError(
                f"{target.name}: {length} of {target.length} bytes came; try again, it goes on there"
            )
        if length == target.length and _digest(path) == target.sha256:
            return
        path.unlink()
        raise DeployError(
            f"{target.name}: is not what the signed index names; fetch it again from its source"
        )


class FolderMedium(Medium):
    """A USB stick or any other folder; links in it are not followed."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise DeployError(
                f"{folder}: no such folder; name the folder of an update, its tar, or its address"
            )
        self._folder = folder

    def document(self, name: str) -> bytes | None:
        """Content of a document of the folder."""
        path = self._folder / name
        if path.is_symlink() or not path.is_file():
            return None
        with path.open("rb") as file:
            return _limited(file.read(MAX_DOCUMENT_BYTES + 1), path)

    def copy(self, name: str, output: Path, start: int, progress: Callable[[int], None]) -> None:
        """Append a file of the folder."""
        path = self._folder / name
        if path.is_symlink() or not path.is_file():
            raise DeployError(f"{path}: is missing; copy the whole update")
        with path.open("rb") as source, output.open("ab") as file:
            source.seek(start)
            while block := source.read(_BLOCK):
                file.write(block)
                progress(file.tell())


class TarMedium(Medium):
    """A single signed tar, read in place."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with tarfile.open(path, "r:") as archive:
                self._members = {member.name: member for member in archive if member.isreg()}
        except (tarfile.TarError, OSError) as error:
            raise DeployError(f"{path}: not a readable uncompressed tar ({error}); copy it again") from error

    def document(self, name: str) -> bytes | None:
        """Content of an entry."""
        member = self._members.get(name)
        if member is None:
            return None
        with self._path.open("rb") as file:
            file.seek(member.offset_data)
            return _limited(file.read(min(member.size, MAX_DOCUMENT_BYTES + 1)), self._path / name)

    def copy(self, name: str, output: Path, start: int, progress: Callable[[int], None]) -> None:
        """Append an entry."""
        member = self._members.get(name)
        if member is None:
            raise DeployError(f"{self._path}: {name} is missing; make the tar again")
        with self._path.open("rb") as source, output.open("ab") as file:
            source.seek(member.offset_data + start)
            left = member.size - start
            while left > 0 and (block := source.read(min(left, _BLOCK))):
                file.write(block)
                left -= len(block)
                progress(file.tell())


class HttpMedium(Medium):
    """A folder behind HTTP in the venue's own network."""

    def __init__(self, address: str) -> None:
        self._address = address.rstrip("/")

    def document(self, name: str) -> bytes | None:
        """Content of a document behind the address."""
        try:
            with urllib.request.urlopen(f"{self._address}/{name}", timeout=TIMEOUT_S) as answer:
                return _limited(answer.read(MAX_DOCUMENT_BYTES + 1), Path(name))
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return None
            raise self._unreachable(name, error) from error
        except (OSError, http.client.HTTPException) as error:
            raise self._unreachable(name, error) from error

    def copy(self, name: str, output: Path, start: int, progress: Callable[[int], None]) -> None:
        """Append a file, asking only for what is missing; a server that sends all of it starts it anew."""
        request = urllib.request.Request(f"{self._address}/{name}", headers={"Range": f"bytes={start}-"})
        with output.open("ab") as file:
            try:
                with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:
                    if answer.status != 206:
                        file.truncate(0)
                    while block := answer.read(_BLOCK):
                        file.write(block)
                        progress(file.tell())
            except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError) as error:
                raise self._unreachable(name, error) from error

    def _unreachable(self, name: str, error: Exception) -> DeployError:
        return DeployError(
            f"{self._address}/{name}: {error}; check the address and the network, then try again"
        )


def open_medium(source: str) -> Medium:
    """Tell by its look what a source is.

    Raises:
        DeployError: there is no such thing.
    """
    if source.startswith(("http://", "https://")):
        return HttpMedium(source)
    path = Path(source)
    return TarMedium(path) if path.is_file() else FolderMedium(path)


def clear(folder: Path, keep: set[str]) -> None:
    """Remove fetched files, whole or not, that nothing needs any more."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name.removesuffix(".part") not in keep:
            shutil.rmtree(path) if path.is_dir() else path.unlink()


def _limited(content: bytes, path: Path) -> bytes:
    if len(content) > MAX_DOCUMENT_BYTES:
        raise DeployError(f"{path}: larger than {MAX_DOCUMENT_BYTES} bytes; it is not one of ours")
    return content


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()
