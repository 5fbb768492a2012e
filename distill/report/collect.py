"""Gathers everything that the page shows."""

from __future__ import annotations

import platform
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path

from edge.bundle.manifest import Manifest

from ..config import DistillError
from ..evaluation.report import side_by_side
from ..evaluation.speakers import Student, TeacherLines
from . import figures
from .figures import Picture
from .files import (
    Comparison,
    CorpusSummary,
    Cost,
    Finding,
    Int8,
    Quality,
    References,
    Rejection,
    StartedFrom,
    StudentFile,
    read,
    read_durations,
    read_lines,
)
from .limitations import is_of_other_networks, limitations
from .players import HeardLine, choose, speak
from .sources import Sources
from .training import read_log
from .verdict import NumberTable, Verdict, judge, tables

TEACHER = "Teacher"
STUDENTS = {"fp32": "Student, FP32", "int8-qdq": "Student, INT8"}  # by scheme of the bundle
_PACKAGES = ("sovits-tiny", "onnxruntime", "numpy", "torch")


@dataclass(frozen=True)
class Judgement:
    """The evaluation; ``foreign`` when it measured other networks than the bundle's."""

    quality: Quality
    foreign: bool
    verdict: Verdict
    tables: tuple[NumberTable, ...]
    beside: tuple[tuple[str, ...], ...]
    """Measure, who, and the numbers of the speakers that were heard side by side."""


@dataclass(frozen=True)
class Heard:
    """What is listened to and looked at."""

    manifest: Manifest
    """Of the voice that is reported on."""
    columns: tuple[str, ...]
    """Names of the renderings of each line, teacher first."""
    lines: tuple[HeardLine, ...]
    """Held out from training."""
    voices: tuple[Picture, ...]
    """Spectrograms of some."""


@dataclass(frozen=True)
class Report:
    """What the page shows; None where nobody told."""

    made: str
    """ISO date and time, UTC."""
    versions: Mapping[str, str]
    """Of programs by name."""
    heard: Heard
    judgement: Judgement | None
    corpus: CorpusSummary
    rejections: tuple[Rejection, ...]
    """``corpus``, ``rejections``: what was learnt from, and what the quality gate turned down."""
    findings: tuple[Finding, ...] | None
    """About the reference clips."""
    alignment: Picture | None
    losses: Picture | None
    """``alignment``, ``losses``: curves."""
    int8: Comparison | None
    """Against float networks."""
    cost: Cost | None
    """By step."""
    started_from: StartedFrom | None
    """Student that training began with."""
    limitations: tuple[str, ...]
    """Sentences."""


def collect(sources: Sources) -> Report:
    """Read, draw and speak: some 20 s for four characters on one x86 core.

    Raises:
        DistillError: a file is missing or not what it should be, or corpus and voice share no character.
        EdgeError: a bundle cannot be loaded or cannot speak.
    """
    quality = read(sources.quality, Quality) if sources.quality else None
    corpus = read(sources.corpus / "corpus.json", CorpusSummary)
    teacher = TeacherLines(sources.corpus, _durations(sources.train))
    heard = _listen(sources, teacher)
    return Report(
        made=datetime.now(timezone.utc).isoformat(timespec="seconds"),
        versions=_versions(),
        heard=heard,
        judgement=_judgement(quality, heard.manifest) if quality else None,
        corpus=corpus,
        rejections=_rejections(sources.corpus),
        findings=read(sources.references, References).findings if sources.references else None,
        alignment=figures.draw_alignment(teacher),
        losses=_losses(sources.train),
        int8=read(sources.int8, Int8).comparison if sources.int8 else None,
        cost=read(sources.cost, Cost) if sources.cost else None,
        started_from=_started_from(sources.train),
        limitations=tuple(limitations(heard.manifest, corpus, quality)),
    )


def _listen(sources: Sources, teacher: TeacherLines) -> Heard:
    with _students(sources) as students:
        reported = list(students.values())[-1]
        manifest = _manifest(reported)
        characters = {entry.name: entry.languages for entry in manifest.characters}
        chosen = choose(teacher, characters)
        if not chosen:
            message = f"{sources.corpus} has no held-out line of {', '.join(characters)}"
            raise DistillError(f"{message}; name the corpus that this voice was trained on")
        lines = tuple(speak(teacher, students, chosen))
        voices = tuple(figures.draw_voices(teacher, reported, characters))
    return Heard(manifest, (TEACHER, *students), lines, voices)


@contextmanager
def _students(sources: Sources) -> Iterator[dict[str, Student]]:
    """Open the voice, last, and before it the one with float networks, if there is one."""
    opened = [Student(sources.float_bundle)] if sources.float_bundle else []
    opened.append(Student(sources.bundle))
    try:
        yield {STUDENTS[_manifest(student).quantization.scheme]: student for student in opened}
    finally:
        for student in opened:
            student.synthesizer.close()


def _manifest(student: Student) -> Manifest:
    return student.synthesizer.bundle.manifest


def _judgement(quality: Quality, manifest: Manifest) -> Judgement:
    foreign = is_of_other_networks(manifest, quality)
    beside = side_by_side([check.model_dump() for check in quality.checks])
    return Judgement(quality, foreign, judge(quality.checks), tables(quality.checks), tuple(beside))


def _durations(train: Path | None) -> dict[str, list[int]]:
    path = train / "alignment.json" if train else None
    return read_durations(path) if path and path.is_file() else {}


def _rejections(corpus: Path) -> tuple[Rejection, ...]:
    path = corpus / "rejections.jsonl"
    return tuple(read_lines(path, Rejection)) if path.is_file() else ()


def _losses(train: Path | None) -> Picture | None:
    path = train / "log.jsonl" if train else None
    return figures.draw_losses(read_log(path)) if path and path.is_file() else None


def _started_from(train: Path | None) -> StartedFrom | None:
    path = train / "student" / "student.json" if train else None
    return read(path, StudentFile).started_from if path and path.is_file() else None


def _versions() -> dict[str, str]:
    found = {"Python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            found[package] = "not installed"
    return found
