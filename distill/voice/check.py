"""Looks at a ``voice.toml`` before anything is rendered: clips, files, script, consent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ..config import DistillError
from ..script import load_script
from ..teachers import TeacherError
from ..teachers.settings import Owned
from .config import VoiceConfig
from .reference_clip import ERROR, WARNING, Finding, check_references


def check_voice(voice: VoiceConfig) -> list[Finding]:
    """List what was found, good and bad; what is wrong with the files comes after the clips."""
    return [*check_references(voice.references()), *_teacher(voice), *_consent(voice)]


def conclusion(findings: Sequence[Finding]) -> str:
    """Say in a few words what findings without an error come to."""
    warnings = sum(finding.severity == WARNING for finding in findings)
    if not warnings:
        return "all is well"
    return f"nothing is in the way, {warnings} warning{'s' if warnings > 1 else ''} above"


def _teacher(voice: VoiceConfig) -> Iterator[Finding]:
    """Make the teacher, read what it is to say, and see whether it could say it."""
    kind = voice.teacher.kind
    try:
        with voice.make(kind) as teacher:
            for recording in voice.corpus_config().recordings:
                if teacher.lines(recording.language) is None:
                    load_script(recording.script, recording.language)
            teacher.rehearse()
    except (DistillError, TeacherError) as error:
        yield Finding(kind, "all", "teacher", None, "", "files and lines", ERROR, str(error))


def _consent(voice: VoiceConfig) -> Iterator[Finding]:
    name = voice.voice.name
    if voice.voice.consent_record is not None:
        try:
            voice.origin()
        except DistillError as error:
            yield Finding(name, "all", "consent", None, "", "the record of this voice", ERROR, str(error))
    elif isinstance(voice.teacher, Owned) and voice.voice.synthetic is None:
        advice = (
            "no device speaks with a person's voice without its signed record: name it as consent_record, "
            "or say in synthetic how a voice that imitates nobody came about"
        )
        yield Finding(name, "all", "consent", None, "", "a record", "warning", advice)
