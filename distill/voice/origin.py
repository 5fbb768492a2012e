"""Whose voice it is: hashes of the recordings it imitates, and the consent record that has to name them."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

from edge.bundle.manifest import Origin
from edge.bundle.trust.chain import read_unverified
from edge.bundle.trust.documents import ConsentRecord
from edge.errors import EdgeError

from ..config import DistillError
from ..teachers.settings import Owned, RecordingsSettings, TeacherSettings

SOUND = {".wav", ".flac", ".ogg", ".mp3"}


def voice_origin(teacher: TeacherSettings, synthetic: str | None) -> Origin:
    """Say where a voice comes from.

    Args:
        teacher: who speaks.
        synthetic: how the voice came about where its owner says that nobody is imitated.

    Raises:
        DistillError: the recordings cannot be read.
    """
    if synthetic is not None:
        return Origin(kind="synthetic", statement=synthetic)
    if not isinstance(teacher, Owned):
        return Origin(
            kind="synthetic", statement=f"distilled from the output of the synthesiser {teacher.kind}"
        )
    return Origin(kind="person", references=reference_hashes(teacher))


def reference_hashes(teacher: TeacherSettings) -> tuple[str, ...]:
    """Hash of each reference clip; of recordings one hash over all of them, whatever they are called.

    Raises:
        DistillError: a recording cannot be read.
    """
    if isinstance(teacher, RecordingsSettings):
        files = sorted(path for path in teacher.folder.rglob("*") if path.suffix.lower() in SOUND)
        if not files:
            raise DistillError(f"{teacher.folder}: no recordings; name a folder of sound files")
        joined = "\n".join(sorted(map(_hash, files)))
        return (hashlib.sha256(joined.encode()).hexdigest(),)
    clips = [path for clip in teacher.references().values() for path in (clip.audio, *clip.more)]
    return tuple(dict.fromkeys(map(_hash, clips)))


def check_record(path: Path, character: str, origin: Origin) -> ConsentRecord:
    """Read the consent record and see that it is about this voice. Who signed it is checked on the device.

    Raises:
        DistillError: it cannot be read, is of another character, or names other recordings.
    """
    try:
        record = read_unverified(path.read_bytes(), ConsentRecord)
    except OSError as error:
        raise DistillError(
            f"cannot read {path}: {error.strerror}; ask the studio for its signed record"
        ) from error
    except EdgeError as error:
        raise DistillError(f"{path}: {error}") from error
    faults = list(_faults(record, character, origin))
    if faults:
        raise DistillError(f"{path}: {faults[0]}; ask the studio for the record of this voice")
    return record


def _faults(record: ConsentRecord, character: str, origin: Origin) -> Iterator[str]:
    if origin.kind == "synthetic":
        yield "is not needed where voice.synthetic says that nobody is imitated: leave one of them out"
    if character not in record.voice.characters:
        yield f"is about {', '.join(record.voice.characters)}, not {character}"
    unnamed = [name for name in origin.references if name not in record.voice.references]
    if unnamed:
        yield f"does not name the recording with sha256 {unnamed[0][:12]}…"


def _hash(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise DistillError(
            f"cannot read {path}: {error.strerror}; the consent record names its hash"
        ) from error
