"""Teachers by name or by their settings; what a teacher needs is imported only when it is used."""

from __future__ import annotations

from .base import LineRejectedError, LineRequest, Origin, OwnLine, Teacher, TeacherError, TeacherLine
from .settings import TeacherSettings

__all__ = [
    "LineRejectedError",
    "LineRequest",
    "Origin",
    "OwnLine",
    "Teacher",
    "TeacherError",
    "TeacherLine",
    "TeacherSettings",
    "make_teacher",
]

SELF_SUFFICIENT = ("espeak-ng", "flite", "openjtalk")  # speak with no settings but their own


def make_teacher(teacher: str | TeacherSettings) -> Teacher:
    """Make a teacher from its settings, or one that needs none from its name.

    Raises:
        TeacherError: no such teacher, or what it needs is not installed.
    """
    if not isinstance(teacher, str):
        return _from_settings(teacher)
    if teacher == "espeak-ng":
        from .espeak import EspeakTeacher

        return EspeakTeacher()
    if teacher == "flite":
        from .flite import FliteTeacher

        return FliteTeacher()
    if teacher == "openjtalk":
        from .openjtalk import OpenJTalkTeacher

        return OpenJTalkTeacher()
    raise TeacherError(
        f"no teacher is called {teacher!r}; expected one of {', '.join(SELF_SUFFICIENT)}, "
        "or a [teacher] section that says what it is"
    )


def _from_settings(settings: TeacherSettings) -> Teacher:
    if settings.kind == "gpt-sovits":
        from .gpt_sovits import GptSovitsTeacher

        return GptSovitsTeacher(settings)
    if settings.kind == "gpt-sovits-http":
        from .gpt_sovits_http import HttpTeacher

        return HttpTeacher(settings)
    if settings.kind == "recordings":
        from .recordings import RecordingsTeacher

        return RecordingsTeacher(settings)
    if settings.kind == "espeak-ng":
        from .espeak import EspeakTeacher

        return EspeakTeacher(settings)
    if settings.kind == "flite":
        from .flite import FliteTeacher

        return FliteTeacher(settings)
    if settings.kind == "kokoro":
        from .kokoro import KokoroTeacher

        return KokoroTeacher(settings)
    from .openjtalk import OpenJTalkTeacher

    return OpenJTalkTeacher(settings)
