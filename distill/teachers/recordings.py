"""Recordings as a teacher: a folder of sound files and what is said in them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path, PurePosixPath, PureWindowsPath

import numpy as np
import soundfile as sf

from edge.spec import NAME

from ..script import Line, hold_out
from .base import LineRejectedError, LineRequest, Origin, OwnLine, Teacher, TeacherError, TeacherLine
from .reference import language_of
from .settings import ALL_LANGUAGES, NEUTRAL, RecordingsSettings

SUFFIXES = (".wav", ".flac", ".ogg")
_LANGUAGES = (
    {name: name for name in ALL_LANGUAGES} | {f"all_{name}": name for name in ALL_LANGUAGES} | {"jp": "ja"}
)
_EMOTION = re.compile(NAME)


@dataclass(frozen=True)
class Clip:
    """One recording: its file, how it was said, and what."""

    path: Path
    emotion: str
    language: str
    text: str


class RecordingsTeacher(Teacher):
    """Plays what was recorded; of a text recorded several times in one emotion, the first file counts."""

    name = "recordings"

    def __init__(self, settings: RecordingsSettings) -> None:
        self._settings = settings
        self._digests: dict[Path, str] = {}

    @cached_property
    def _clips(self) -> dict[tuple[str, str, str], Clip]:
        """All recordings by language, emotion and text."""
        found = _listed(self._settings) if self._settings.transcripts else _paired(self._settings)
        clips: dict[tuple[str, str, str], Clip] = {}
        for clip in found:
            clips.setdefault((clip.language, clip.emotion, clip.text), clip)
        if not clips:
            raise TeacherError(
                f"there are no recordings in {self._settings.folder}; expected {', '.join(SUFFIXES)} files, "
                "each with a .txt of the same name, or a list of them as transcripts"
            )
        return clips

    def origin(self) -> Origin:
        """Say whose recordings they are."""
        licence = self._settings.licence or "all rights reserved"
        credit = self._settings.credit or f"recordings in {self._settings.folder.name}"
        return Origin(self.name, f"{len(self._clips)} lines", licence, credit)

    def lines(self, language: str) -> Sequence[OwnLine]:
        """Give what was recorded in a language; a text is in one split, in whatever emotions it was said.

        Raises:
            TeacherError: nothing was recorded in it, or the list or the folder is wrong.
        """
        clips = [clip for clip in self._clips.values() if clip.language == language]
        if not clips:
            raise TeacherError(
                f"{self._settings.folder} has no recordings in {language}; leave it out of languages"
            )
        splits = hold_out(
            (clip.text for clip in clips), self._settings.valid_share, self._settings.test_share
        )
        return [OwnLine(clip.emotion, Line(splits[clip.text], "recording", clip.text)) for clip in clips]

    def delivery(self, request: LineRequest) -> str:
        """Hash of the file."""
        path = self._find(request).path
        if path not in self._digests:
            self._digests[path] = hashlib.sha256(path.read_bytes()).hexdigest()
        return self._digests[path]

    def synthesize(self, request: LineRequest) -> TeacherLine:
        """Play one recording; several channels become one."""
        path = self._find(request).path
        try:
            audio, sample_rate = sf.read(path, dtype="float32", always_2d=True)
        except sf.LibsndfileError as error:
            raise LineRejectedError("unreadable", f"{path}: {error}") from error
        return TeacherLine(np.ascontiguousarray(audio.mean(axis=1)), sample_rate)

    def _find(self, request: LineRequest) -> Clip:
        clip = self._clips.get((request.language, request.emotion, request.text))
        if clip is None or request.rate != 1.0:
            raise LineRejectedError("missing", f"nobody recorded {request.text!r} as {request.emotion}")
        return clip


def _paired(settings: RecordingsSettings) -> Iterator[Clip]:
    """Find sound files that have their transcript beside them."""
    for path in sorted(p for p in settings.folder.rglob("*") if p.suffix.lower() in SUFFIXES):
        beside = path.with_suffix(".txt")
        try:
            text = " ".join(beside.read_text("utf-8-sig").split())
        except (OSError, UnicodeError) as error:
            raise TeacherError(
                f"cannot read {beside}; write there in UTF-8 what is said in {path.name}, or name a list of "
                "path|speaker|language|text as transcripts"
            ) from error
        if not text:
            raise TeacherError(f"{beside} is empty; write there what is said in {path.name}, or remove both")
        yield Clip(path, _emotion(settings, path), language_of(text), text)


def _listed(settings: RecordingsSettings) -> Iterator[Clip]:
    """Read a list of ``path|speaker|language|text`` and perhaps ``|emotion``."""
    transcripts = settings.transcripts
    assert transcripts is not None, "the caller looked"
    try:
        rows = transcripts.read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeError) as error:
        raise TeacherError(f"cannot read {transcripts}: {error}") from error
    for number, row in enumerate(rows, 1):
        if row.strip():
            clip = _listed_clip(settings, row, f"{transcripts}, line {number}")
            if clip is not None:
                yield clip


def _listed_clip(settings: RecordingsSettings, row: str, where: str) -> Clip | None:
    fields = [field.strip() for field in row.split("|")]
    if len(fields) not in (4, 5) or not fields[3]:
        raise TeacherError(f"{where}: expected path|speaker|language|text, found {row!r}")
    name, speaker, language, text = fields[:4]
    if settings.speaker not in (None, speaker):
        return None
    spoken = language_of(text) if language.lower() == "auto" else _LANGUAGES.get(language.lower())
    if spoken is None:
        raise TeacherError(f"{where}: the language {language!r} cannot be taught; expected zh, en or ja")
    path = _locate(settings.folder, name, where)
    emotion = _named(settings, fields[4], where) if len(fields) == 5 else _emotion(settings, path)
    return Clip(path, emotion, spoken, " ".join(text.split()))


def _locate(folder: Path, name: str, where: str) -> Path:
    """Find a file that a list names, perhaps by the path it had on another machine."""
    last = (PureWindowsPath if "\\" in name else PurePosixPath)(name).name
    for path in (folder / name.replace("\\", "/"), folder / last):
        if path.is_file():
            return path
    raise TeacherError(f"{where}: there is no {name} in {folder}; put the file there or take the line out")


def _emotion(settings: RecordingsSettings, path: Path) -> str:
    """Name the emotion by the first folder below the recordings."""
    parts = (
        path.relative_to(settings.folder).parts if path.is_relative_to(settings.folder) else path.parts[-1:]
    )
    return _named(settings, parts[0], str(path)) if len(parts) > 1 else NEUTRAL


def _named(settings: RecordingsSettings, name: str, where: str) -> str:
    emotion = settings.emotions.get(name, name.lower())
    if not _EMOTION.fullmatch(emotion):
        raise TeacherError(
            f"{where}: {name!r} is no name of an emotion (a-z, 0-9, _ and -); "
            f'add to [teacher.emotions]: "{name}" = "..."'
        )
    return emotion
