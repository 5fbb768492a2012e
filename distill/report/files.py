"""Files of the other steps, as far as the report reads them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, RootModel, ValidationError

from ..config import DistillError


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore")  # the files say more than a reader needs


class QualityCheck(_Model):
    """A measured number, see ``distill.evaluation.result.Check``; ``value`` is None where none was found."""

    measure: str
    subject: str
    value: float | None
    bound: Literal["at most", "at least"]
    target: float | None
    unit: str
    n: int
    detail: dict[str, Any] = {}
    passed: bool | None


class LeftOut(_Model):
    """A measure that could say nothing, and why."""

    measure: str
    subject: str
    reason: str


class Quality(_Model):
    """``quality.json``; ``files`` holds the hashes of the networks that were measured."""

    files: dict[str, str]
    measured: str
    environment: dict[str, Any]
    checks: tuple[QualityCheck, ...]
    left_out: tuple[LeftOut, ...] = ()


class Rejection(_Model):
    """An attempt at a line that was turned down; ``lost`` when no other attempt was good either."""

    id: str
    text: str
    character: str
    language: str
    emotion: str
    attempt: int
    reason: str
    detail: str = ""
    measured: float | None = None
    threshold: float | None = None
    lost: bool


class Origin(_Model):
    """A teacher as it names itself."""

    name: str
    version: str = ""
    licence: str = ""
    credit: str = ""


class GateSummary(_Model):
    """What the quality gate did to a corpus."""

    recovered: int
    lost: int


class CorpusSummary(_Model):
    """``corpus.json``; ``gate`` is None where none judged."""

    config_sha256: str = ""
    teachers: dict[str, Origin] = {}
    hours: dict[str, float] = {}
    lines: dict[str, int] = {}
    never_spoken: dict[str, list[str]] = {}
    gate: GateSummary | None = None


class Step(_Model):
    """Time that a step took; ``finished`` is ISO 8601."""

    seconds: float
    finished: str = ""


class Cost(_Model):
    """``cost.json``."""

    steps: dict[str, Step]
    device: dict[str, Any] = {}
    versions: dict[str, Any] = {}


class Finding(_Model):
    """What a check of a reference clip found."""

    clip: str
    emotion: str = ""
    check: str
    measured: float | None = None
    unit: str = ""
    expected: str = ""
    severity: Literal["error", "warning", "ok"]
    advice: str = ""


class References(_Model):
    """``references.json``."""

    findings: tuple[Finding, ...]


class Comparison(_Model):
    """INT8 against float, see ``quantize.compare``."""

    lines: int
    quality: dict[str, float]
    speedup: float
    bytes: dict[str, int]
    machine: dict[str, str]


class StartedFrom(_Model):
    """Student that training began with; ``characters`` tells whose voice each new one began as."""

    name: str
    sha256: str = ""
    step: int = 0
    characters: dict[str, str] = {}


class StudentFile(_Model):
    """``student.json`` of a checkpoint."""

    step: int
    started_from: StartedFrom | None = None


class Int8(_Model):
    """``report.json`` of ``sovits-quantize compare``."""

    comparison: Comparison


class _Durations(RootModel[dict[str, list[int]]]):
    """``alignment.json``."""


Content = TypeVar("Content", bound=BaseModel)


def read(path: Path, model: type[Content]) -> Content:
    """Read a JSON file.

    Raises:
        DistillError: it is missing, or is something else.
    """
    return _parse(_text(path), model, str(path))


def read_lines(path: Path, model: type[Content]) -> Iterator[Content]:
    """Read a file with one JSON object per line.

    Raises:
        DistillError: it is missing, or a line is something else.
    """
    for number, line in enumerate(_text(path).splitlines(), 1):
        if line.strip():
            yield _parse(line, model, f"{path}, line {number}")


def read_durations(path: Path) -> dict[str, list[int]]:
    """Read ``alignment.json``: steps of 8 ms per phoneme by utterance id.

    Raises:
        DistillError: it is something else.
    """
    return _parse(_text(path), _Durations, str(path)).root


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise DistillError(f"{path} cannot be read: {error}") from error


def _parse(text: str, model: type[Content], where: str) -> Content:
    try:
        return model.model_validate(json.loads(text))
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in problem["loc"]) or "the file"
        message = f"{where}: {key}: {problem['msg']}"
    except ValueError as error:
        message = f"{where} is not JSON: {error}"
    raise DistillError(f"{message}; let the step that writes it run again, or leave it out")
