"""Show files: the lines of a show by id, what may follow each, and what is said while somebody thinks."""

from __future__ import annotations

import random
import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from .errors import ConfigError, RequestError
from .messages import Name, SayRequest
from .spec import MAX_TEXT_CHARACTERS

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

MAX_BYTES = 4 * 2**20
MAX_TEXTS = 10_000
_NOT_FOR_ALL = ("id", "text", "line", "reply_to")  # named otherwise, or not at all
_VOICE_KEYS = tuple(name for name in SayRequest.model_fields if name not in _NOT_FOR_ALL)
_HEADER = re.compile(r"^\s*\[\[\s*lines\s*\]\]")

Text = Annotated[str, Field(min_length=1, max_length=MAX_TEXT_CHARACTERS)]


class ShowLine(BaseModel):
    """A line of the show; keys of a ``say`` request beside these are taken as they are there."""

    model_config = ConfigDict(frozen=True, extra="allow", defer_build=True)

    id: Name
    """How it is called: ``B/line/<id>``."""
    text: Text | None = None
    """What is said; either this or ``variants``."""
    variants: list[Text] | None = Field(None, min_length=1, max_length=100)
    """Ways of saying it, one of which is said each time."""
    choose: Literal["turn", "random"] = "turn"
    """Which variant: one after the other, or any but the last one."""
    next: list[Name] = Field(default_factory=list, max_length=100)
    """Lines that may follow: they are read into memory when this one begins."""
    waiting: bool = False
    """Whether it fills a pause: it is cut as soon as another line of its character is accepted."""

    @model_validator(mode="after")
    def _check(self) -> ShowLine:
        if (self.text is None) == (self.variants is None):
            raise ValueError("give exactly one of text and variants")
        _check_keys(self.model_extra or {})
        return self

    @property
    def texts(self) -> list[str]:
        """Return everything that it may say."""
        return [self.text] if self.text is not None else list(self.variants or ())


class Show(BaseModel):
    """Lines by id."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)

    name: Name
    """Of the show, for people."""
    defaults: dict[str, Any] = Field(default_factory=dict)
    """Keys of a ``say`` request that hold for every line which does not say otherwise."""
    lines: list[ShowLine] = Field(min_length=1)

    @model_validator(mode="after")
    def _check(self) -> Show:
        counts = Counter(line.id for line in self.lines)
        twice = [name for name, count in counts.items() if count > 1]
        if twice:
            raise ValueError(f"line {twice[0]} is there {counts[twice[0]]} times; give each its own id")
        for line in self.lines:
            unknown = [name for name in line.next if name not in counts]
            if unknown:
                raise ValueError(f"line {line.id} names next line {unknown[0]}, which is not there")
        if sum(len(line.texts) for line in self.lines) > MAX_TEXTS:
            raise ValueError(f"there are more than {MAX_TEXTS} texts; split the show")
        _check_keys(self.defaults)
        return self

    def values(self, line: ShowLine) -> dict[str, Any]:
        """Return the keys of a ``say`` request for a line, without its text."""
        return {**self.defaults, **(line.model_extra or {})}

    def items(self, line: ShowLine) -> list[dict[str, Any]]:
        """Return an item of ``prepare`` for everything that a line may say."""
        values = {name: value for name, value in self.values(line).items() if name != "output"}
        return [{**values, "id": line.id, "text": text} for text in line.texts]


def _check_keys(values: Mapping[str, Any]) -> None:
    """Refuse what no ``say`` request understands: a typing error must not wait for the show to be seen."""
    unknown = [name for name in values if name not in _VOICE_KEYS]
    if unknown:
        expected = ", ".join(("id", "text", "variants", "choose", "next", "waiting", *_VOICE_KEYS))
        raise ValueError(f"unknown key {unknown[0]}; expected one of {expected}")
    try:
        SayRequest.model_validate({**values, "text": "x"})
    except ValidationError as error:
        fault = error.errors(include_url=False)[0]
        where = ".".join(map(str, fault["loc"]))
        message = fault["msg"][0].lower() + fault["msg"][1:]
        raise ValueError(f"{where}: {message}, found {fault['input']!r}") from None


class ShowFile:
    """A show as it was read, and where in the file each line stands.

    Args:
        path: TOML file.

    Raises:
        ConfigError: it cannot be read, or is wrong; one line that names the place and what is expected.
    """

    def __init__(self, path: Path) -> None:
        self._source = _read(path)
        try:
            values = tomllib.loads(self._source)
        except tomllib.TOMLDecodeError as error:
            raise ConfigError(f"{path}: not valid TOML: {error}") from error
        try:
            self.show = Show.model_validate(values)
        except ValidationError as error:
            raise ConfigError("; ".join(self._faults(path, error))) from error

    def line_number(self, index: int, key: str = "id") -> int:
        """Return where a key of the ``index``-th line stands, from 1; 1 where that cannot be told."""
        rows = self._source.splitlines()
        starts = [number for number, row in enumerate(rows) if _HEADER.match(row)]
        if index >= len(starts):
            return 1
        stop = starts[index + 1] if index + 1 < len(starts) else len(rows)
        pattern = re.compile(rf"^\s*[\"']?{re.escape(key)}[\"']?\s*=")
        found = (number for number in range(starts[index], stop) if pattern.match(rows[number]))
        return next(found, starts[index]) + 1

    def _faults(self, path: Path, error: ValidationError) -> Iterator[str]:
        for fault in error.errors(include_url=False)[:20]:
            location = fault["loc"]
            message = fault["msg"].removeprefix("Value error, ")
            message = message[0].lower() + message[1:]
            if len(location) >= 2 and location[0] == "lines" and isinstance(location[1], int):
                number = self.line_number(location[1], str(location[2]) if len(location) > 2 else "id")
                key = ".".join(map(str, location[2:]))
                yield f"{path}: line {number}: {key + ': ' if key else ''}{message}"
            else:
                yield f"{path}: {'.'.join(map(str, location)) or 'show'}: {message}"


def _read(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise ConfigError(f"{path}: larger than {MAX_BYTES // 2**20} MB; split the show")
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(f"{path}: no such show file") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path}: cannot be read: {error}") from error


class Script:
    """A show while it runs: turns ids into requests, and remembers which variants have been said."""

    def __init__(self, show: Show) -> None:
        self.show = show
        self._lines = {line.id: line for line in show.lines}
        self._said: Counter[str] = Counter()
        self._last: dict[str, int] = {}

    def line(self, name: str) -> ShowLine:
        """Return a line.

        Raises:
            RequestError: ``unknown_line``.
        """
        found = self._lines.get(name)
        if found is None:
            raise RequestError(f"the show {self.show.name} has no line {name}", code="unknown_line")
        return found

    def request(self, asked: SayRequest) -> SayRequest:
        """Write out a request for a line of the show; what it says itself wins over the file.

        Raises:
            RequestError: ``unknown_line``.
        """
        line = self.line(asked.line or "")
        given = asked.model_dump(exclude_unset=True, exclude={"line", "text"})
        return SayRequest.model_validate({**self.show.values(line), **given, "text": self._choose(line)})

    def _choose(self, line: ShowLine) -> str:
        texts = line.texts
        if line.choose == "turn":
            index = self._said[line.id] % len(texts)
            self._said[line.id] += 1
        else:
            last = self._last.get(line.id)
            index = random.choice([n for n in range(len(texts)) if n != last or len(texts) == 1])
            self._last[line.id] = index
        return texts[index]
