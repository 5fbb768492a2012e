"""``voice.toml``: one character and one teacher, from which everything else follows.

It says in short what a :class:`~distill.config.CorpusConfig` says at length: who says which lines. A file
with only a ``[corpus]`` of recordings, as the built-in voice has, may name several characters and teachers.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator, model_validator

from edge.bundle.manifest import Consent, Language, Name, Origin

from ..config import DistillError, Section, checked, load_toml
from ..corpus.config import (
    BUILTIN_SCRIPT,
    PACKAGE_SCRIPTS,
    TOLD_SCRIPTS,
    CorpusConfig,
    CorpusSound,
    Recording,
)
from ..gate.config import GateConfig
from ..ledger import fingerprint
from ..teachers import Teacher, make_teacher
from ..teachers.reference import LocalPath, Reference
from ..teachers.settings import NEUTRAL, GptSovitsSettings, Owned, RecordingsSettings, TeacherSettings
from ..training.schedule import TrainConfig
from .origin import check_record, voice_origin

Counts = int | dict[Name, int]
LINES = 400  # of each emotion and language; the warm start needs no more
TEST_LINES = 24
VALID_LINES = 40


class VoiceSection(Section):
    """The ``[voice]`` section: what the bundle will say of itself."""

    name: Name
    """Of the bundle and of its character: small letters, digits, ``_`` and ``-``."""
    version: str = Field(default="1.0.0", pattern=r"^\d+\.\d+\.\d+$")
    """Three numbers, such as 1.0.0."""
    licence: str = Field(min_length=1)
    """Under which the voice may be used."""
    languages: tuple[Language, ...] = Field(min_length=1)
    """That it is taught."""
    description: str = ""
    """A few words for people who choose a character."""
    golden: str | None = Field(default=None, min_length=1)
    """A sentence that every device speaks to prove that it can; a short held-out line when absent."""
    consent: Consent | None = None
    """Who allowed the voice to be cloned and for what, in words for people."""
    consent_record: LocalPath | None = None
    """Signed record of the same, without which no device speaks with a person's voice."""
    synthetic: str | None = Field(default=None, min_length=8)
    """How the voice came about, where the sound belongs to somebody but imitates nobody."""

    @field_validator("languages")
    @classmethod
    def _once_each(cls, value: tuple[Language, ...]) -> tuple[Language, ...]:
        if len(set(value)) != len(value):
            raise ValueError("names a language twice")
        return value


class CorpusSection(CorpusSound):
    """The ``[corpus]`` section of a voice: script, emotions and takes."""

    script: dict[Language, tuple[str, ...]] = Field(default_factory=dict)
    """By language, files of lines relative to this file, or ``builtin`` for the lines that come with the
    package; languages that are left out have those."""
    told: dict[Language, tuple[str, ...]] = Field(default_factory=dict)
    """Likewise, lines of which the teacher tells the prosody without saying them, if it can; languages that
    are left out have ``builtin`` and ``scene``."""
    lines: Counts = LINES
    """Training lines of each emotion in each language, one number or one by emotion; at most the whole script
    counts."""
    takes: int = Field(default=1, ge=1, le=20)
    """How often each training line is said; more than one only helps with a teacher that samples."""
    valid_lines: int = Field(default=VALID_LINES, ge=1)
    """Lines of each language that training is watched with."""
    test_lines: Counts = TEST_LINES
    """Held-out lines of each emotion in each language, one number or one by emotion."""
    rate_test_lines: int = Field(default=TEST_LINES, ge=0)
    """Held-out lines said again 10 % faster or slower, which shows how far a teacher is from itself."""

    @field_validator("script", "told", mode="before")
    @classmethod
    def _one_or_several(cls, value: Any, info: ValidationInfo) -> Any:
        if not isinstance(value, Mapping):
            example = f'{info.field_name} = {{ zh = ["builtin", "show.txt"] }}'
            raise ValueError(f"expected a table by language, such as {example}")
        return {language: [files] if isinstance(files, str) else files for language, files in value.items()}

    @field_validator("script", "told")
    @classmethod
    def _beside_the_file(
        cls, value: dict[Language, tuple[str, ...]], info: ValidationInfo
    ) -> dict[Language, tuple[str, ...]]:
        folder = Path((info.context or {}).get("folder") or ".")
        return {
            language: tuple(
                name if name in PACKAGE_SCRIPTS else str((folder / name).resolve()) for name in names
            )
            for language, names in value.items()
        }

    @field_validator("lines", "test_lines")
    @classmethod
    def _at_least_one(cls, value: Counts) -> Counts:
        if any(count < 0 for count in ([value] if isinstance(value, int) else value.values())):
            raise ValueError("a number of lines is 0 or more")
        return value


@dataclass(frozen=True)
class Recipe:
    """What a corpus is made with, whichever kind of file it was read from."""

    corpus: CorpusConfig
    """Who says what."""
    gate: GateConfig
    """What is taken for a fault."""
    make: Callable[[str], Teacher] = make_teacher
    """Gives the teacher that a recording names."""
    references: Mapping[str, Reference] = field(default_factory=dict)
    """Clips to check before they are used, by emotion."""


class VoiceConfig(Section):
    """A whole ``voice.toml``."""

    voice: VoiceSection
    """What the bundle will say of itself."""
    teacher: TeacherSettings
    """Who speaks, told apart by its ``kind``."""
    corpus: CorpusSection = CorpusSection()
    """What is said."""
    gate: GateConfig = GateConfig()
    """What is taken for a fault."""
    train: TrainConfig = TrainConfig()
    """How the student learns."""
    folder: Path = Path()
    """Of the file; relative paths start there."""

    @model_validator(mode="after")
    def _fits_together(self) -> VoiceConfig:
        kind, voice = self.teacher.kind, self.voice
        foreign = [name for name in voice.languages if name not in self.teacher.spoken_languages()]
        if foreign:
            raise ValueError(f"voice.languages: {kind} does not speak {', '.join(foreign)}")
        for key in ("script", "told"):
            unused = [name for name in getattr(self.corpus, key) if name not in voice.languages]
            if unused:
                raise ValueError(f"corpus.{key}: {', '.join(unused)} is not one of voice.languages")
        if self.corpus.told and not self.teacher.tells_prosody():
            raise ValueError(f"corpus.told: {kind} tells no prosody without sound; leave it out")
        if isinstance(self.teacher, GptSovitsSettings) and "zh" in voice.languages:
            _needs_roberta(self.teacher)
        if isinstance(self.teacher, RecordingsSettings):
            _has_own_lines(self.corpus)
        else:
            for key in ("lines", "test_lines"):
                self._counts(key)
        return self

    def _counts(self, key: str) -> dict[str, int]:
        """Give the number of lines by emotion."""
        names = self.teacher.emotion_names() or ()
        value: Counts = getattr(self.corpus, key)
        counts = dict.fromkeys(names, value) if isinstance(value, int) else value
        if set(counts) != set(names):
            raise ValueError(
                f"corpus.{key} has numbers for {', '.join(counts)}; "
                f"the teacher's emotions are {', '.join(names)}"
            )
        if key == "lines" and not counts[NEUTRAL]:
            raise ValueError(f"corpus.{key}: neutral lines set the level; give more than 0")
        return {name: counts[name] for name in names}

    def corpus_config(self) -> CorpusConfig:
        """Say at length what is recorded."""
        sound = self.corpus.model_dump(include=set(CorpusSound.model_fields))
        return CorpusConfig(**sound, recordings=tuple(map(self._recording, self.voice.languages)))

    def _recording(self, language: Language) -> Recording:
        corpus, own = self.corpus, self.teacher.emotion_names() is None
        return Recording(
            character=self.voice.name,
            language=language,
            teacher=self.teacher.kind,
            script=corpus.script.get(language, (BUILTIN_SCRIPT,)),
            told=corpus.told.get(language, TOLD_SCRIPTS) if self.teacher.tells_prosody() else (),
            lines={} if own else self._counts("lines"),
            takes=corpus.takes,
            valid_lines=corpus.valid_lines,
            test_lines={} if own else self._counts("test_lines"),
            rate_test_lines=0 if own else corpus.rate_test_lines,
        )

    def origin(self) -> Origin:
        """Say whose voice it is.

        Raises:
            DistillError: a recording cannot be read, or the consent record is of another voice.
        """
        origin = voice_origin(self.teacher, self.voice.synthetic)
        if self.voice.consent_record is not None:
            check_record(self.voice.consent_record, self.voice.name, origin)
        return origin

    @property
    def make(self) -> Callable[[str], Teacher]:
        """A function that makes the teacher; it can be sent to another process."""
        settings = self.teacher
        if isinstance(settings, Owned) and settings.licence is None:
            settings = settings.model_copy(update={"licence": self.voice.licence})
        return partial(_make, settings)

    def recipe(self) -> Recipe:
        """Give what the corpus is made with."""
        return Recipe(self.corpus_config(), self.gate, self.make, self.references())

    def references(self) -> Mapping[str, Reference]:
        """Give the reference clips by emotion; none where the teacher needs none."""
        return self.teacher.references()

    def teacher_inputs(self) -> dict[str, Any]:
        """What the teacher's voice depends on, for telling whether anything has changed."""
        files = [fingerprint(path) for path in self.teacher.files() if path.exists()]
        return {"teacher": self.teacher.model_dump(mode="json"), "files": files}

    def corpus_inputs(self) -> dict[str, Any]:
        """What the corpus depends on, for telling whether anything has changed."""
        named = (*self.corpus.script.values(), *self.corpus.told.values())
        scripts = [Path(name) for names in named for name in names]
        return {
            **self.teacher_inputs(),
            "corpus": self.corpus_config().model_dump(mode="json"),
            "gate": self.gate.model_dump(mode="json"),
            "scripts": [fingerprint(path) for path in scripts if path.is_file()],
        }


class Cast(BaseModel):
    """The ``[teachers.NAME]`` sections of a file with several characters, besides its other sections."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    teachers: dict[Name, TeacherSettings] = Field(default_factory=dict)


def _make_named(cast: Mapping[str, TeacherSettings], name: str) -> Teacher:
    return make_teacher(cast.get(name, name))


def _make(settings: TeacherSettings, name: str) -> Teacher:
    return make_teacher(settings if name == settings.kind else name)


def _needs_roberta(teacher: GptSovitsSettings) -> None:
    if teacher.roberta is None and not teacher.without_roberta:
        raise ValueError(
            "teacher.roberta: Chinese needs the folder of chinese-roberta-wwm-ext-large; give it, or set "
            "without_roberta = true for a flatter reading"
        )


def _has_own_lines(corpus: CorpusSection) -> None:
    foreign = {"script", "lines", "takes", "valid_lines", "test_lines", "rate_test_lines"}
    given = sorted(foreign & corpus.model_fields_set)
    if given:
        raise ValueError(f"corpus.{given[0]}: recordings say their own lines, all of them; leave it out")


def load_voice_config(path: Path) -> VoiceConfig:
    """Read and check a ``voice.toml``.

    Raises:
        DistillError: a key is missing or unknown, or a value is out of place; the message names it.
    """
    values = load_toml(path)
    if "teacher" not in values:
        raise DistillError(f"{path} has no [teacher]; write a whole file with: sovits-distill init")
    folder = path.resolve().parent
    return checked(VoiceConfig, {**values, "folder": folder}, f"{path}:", folder)


def load_recipe(path: Path) -> Recipe:
    """Read what a corpus is made with: a ``voice.toml``, or a file with only a ``[corpus]`` of recordings.

    Raises:
        DistillError: a key is unknown or a value is out of place; the message names it.
    """
    values = load_toml(path)
    if "teacher" in values or "voice" in values:
        return load_voice_config(path).recipe()
    folder = path.resolve().parent
    corpus = checked(CorpusConfig, values.get("corpus", {}), f"{path}: [corpus]", folder)
    gate = checked(GateConfig, values.get("gate", {}), f"{path}: [gate]")
    cast = checked(Cast, values, f"{path}:", folder)
    return Recipe(corpus, gate, partial(_make_named, cast.teachers) if cast.teachers else make_teacher)
