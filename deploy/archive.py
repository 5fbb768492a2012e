"""Archives from outside: nothing in them reaches beyond the folder that they are unpacked to."""

from __future__ import annotations

import tarfile
from dataclasses import dataclass
from pathlib import Path

from .errors import DeployError

_BLOCK = 2**20


@dataclass(frozen=True)
class Limits:
    """How much an archive may bring."""

    files: int = 4096
    """Entries."""
    file_bytes: int = 2 * 2**30
    """Of one file."""
    total_bytes: int = 6 * 2**30
    """Of all files."""
    depth: int = 8
    """Folders below each other."""


def unpack(archive: Path, folder: Path, limits: Limits | None = None) -> list[Path]:
    """Unpack an uncompressed tar into an empty folder.

    Only plain files and folders, with relative names, each once. Modes, owners and times are not taken over.

    Raises:
        DeployError: the archive is none, or holds something else; what was unpacked so far stays there.
        OSError: the disk is full.
    """
    try:
        with tarfile.open(archive, "r:") as source:
            return _unpack(source, archive, folder, limits or Limits())
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise DeployError(f"{archive}: not a readable uncompressed tar ({error}); fetch it again") from error


def _unpack(source: tarfile.TarFile, archive: Path, folder: Path, limits: Limits) -> list[Path]:
    written: list[Path] = []
    seen: set[str] = set()
    total = 0
    for member in source:
        _check(member, archive, limits, seen)
        target = folder / member.name
        if member.isdir():
            target.mkdir(parents=True, exist_ok=True)
            continue
        total += member.size
        if total > limits.total_bytes:
            raise DeployError(f"{archive}: more than {limits.total_bytes} bytes; it is not one of ours")
        target.parent.mkdir(parents=True, exist_ok=True)
        _copy(source, member, target, archive)
        written.append(target)
    return written


def _check(member: tarfile.TarInfo, archive: Path, limits: Limits, seen: set[str]) -> None:
    name = member.name
    parts = name.split("/")
    fault = ""
    if not (member.isreg() or member.isdir()) or member.issparse():
        fault = "is neither a plain file nor a folder"
    elif (
        name.startswith("/") or "\\" in name or "\0" in name or any(part in ("", ".", "..") for part in parts)
    ):
        fault = "has a name that leaves the folder"
    elif len(parts) > limits.depth or len(name) > 512:
        fault = "lies too deep"
    elif member.size > limits.file_bytes:
        fault = f"is larger than {limits.file_bytes} bytes"
    elif name in seen or len(seen) >= limits.files:
        fault = "is there twice" if name in seen else f"is one more than {limits.files} entries"
    if fault:
        raise DeployError(f"{archive}: entry {name[:80]!r} {fault}; it is not one of ours")
    seen.add(name)


def _copy(source: tarfile.TarFile, member: tarfile.TarInfo, target: Path, archive: Path) -> None:
    content = source.extractfile(member)
    assert content is not None
    left = member.size
    with target.open("xb") as file:
        while left:
            block = content.read(min(left, _BLOCK))
            if not block:
                raise DeployError(f"{archive}: {member.name} is cut short; fetch the archive again")
            file.write(block)
            left -= len(block)


def write_tar(output: Path, files: dict[str, Path]) -> None:
    """Write an uncompressed tar of plain files; the same files always give the same bytes."""
    partial = output.with_name(f".{output.name}.partial")
    with tarfile.open(partial, "w", format=tarfile.PAX_FORMAT) as archive:
        for name, path in sorted(files.items()):
            member = tarfile.TarInfo(name)
            member.size = path.stat().st_size
            member.mode = 0o644
            with path.open("rb") as file:
                archive.addfile(member, file)
    partial.replace(output)
