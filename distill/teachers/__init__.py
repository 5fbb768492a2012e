"""Teachers by name; what a teacher needs is imported only when it is used."""

from __future__ import annotations

from .base import LineRejectedError, LineRequest, Origin, Teacher, TeacherError, TeacherLine

__all__ = [
    "LineRejectedError",
    "LineRequest",
    "Origin",
    "Teacher",
    "TeacherError",
    "TeacherLine",
    "make_teacher",
]

TEACHER_NAMES = ("espeak-ng", "flite", "openjtalk")


def make_teacher(name: str) -> Teacher:
    """Make the teacher of that name.

    Raises:
        TeacherError: no such teacher, or its program is not installed.
    """
    if name == "espeak-ng":
        from .espeak import EspeakTeacher

        return EspeakTeacher()
    if name == "flite":
        from .flite import FliteTeacher

        return FliteTeacher()
    if name == "openjtalk":
        from .openjtalk import OpenJTalkTeacher

        return OpenJTalkTeacher()
    raise TeacherError(f"no teacher is called {name!r}; expected one of {', '.join(TEACHER_NAMES)}")
