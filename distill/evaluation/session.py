"""A teacher and a student side by side, as every measure is given them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from ..manifest import Utterance
from .result import FLOAT, STUDENT, TEACHER, Check, LeftOut
from .speakers import Student, TeacherLines
from .speech import Recording, is_sounding

Speak = Callable[[Utterance], Recording]


class Session:
    """A teacher and a student, with every line spoken only once.

    Args:
        teacher: lines of the corpus.
        student: the bundle that is judged.
        float_student: the same voice with float networks, to be heard beside it.
        most: lines of each voice that the independent ears hear; None for as many as they want.
    """

    def __init__(
        self,
        teacher: TeacherLines,
        student: Student,
        float_student: Student | None = None,
        most: int | None = None,
    ) -> None:
        self.teacher = teacher
        self.student = student
        self.most = most
        self._float_student = float_student
        self._recorded: dict[str, Recording] = {}
        self._repeated: dict[str, Recording] = {}

    def speakers(self) -> dict[str, Speak]:
        """Give all who can say a line: the teacher, the float networks if there are some, the student."""
        plain = {FLOAT: self._float_student.repeat} if self._float_student else {}
        return {TEACHER: self.told, **plain, STUDENT: self.repeated}

    def told(self, utterance: Utterance) -> Recording:
        """The teacher's rendering."""
        if utterance.id not in self._recorded:
            self._recorded[utterance.id] = self.teacher.record(utterance)
        return self._recorded[utterance.id]

    def repeated(self, utterance: Utterance) -> Recording:
        """The student's rendering."""
        if utterance.id not in self._repeated:
            self._repeated[utterance.id] = self.student.repeat(utterance)
        return self._repeated[utterance.id]

    def says_the_same(self, utterance: Utterance) -> bool:
        """Whether the student reads a line as it was read for the corpus."""
        sounding = [p for p in utterance.phonemes if is_sounding(p)]
        return [s.symbol for s in self.repeated(utterance).sounding] == sounding

    def pairs(self, utterances: Sequence[Utterance]) -> list[tuple[Recording, Recording]]:
        """(teacher, student) for each utterance."""
        return [(self.told(u), self.repeated(u)) for u in utterances]

    def characters(self, language: str) -> list[str]:
        """Who speaks a language."""
        return [character for character, spoken in self.teacher.conditions() if spoken == language]


Measure = Callable[[Session], Iterator[Check | LeftOut]]
