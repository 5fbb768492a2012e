"""TOML files of the training side: read and checked, with errors that say what to change."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib


class DistillError(RuntimeError):
    """A file of the training side is missing or wrong; the message says what to change."""


class Section(BaseModel):
    """A table of a file: nothing changes it, and a key that it does not know is an error."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def load_toml(path: Path) -> dict[str, Any]:
    """Read a TOML file.

    Raises:
        DistillError: the file is missing or not TOML.
    """
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as error:
        raise DistillError(f"cannot read {path}: {error.strerror}; give the path of a TOML file") from error
    except tomllib.TOMLDecodeError as error:
        raise DistillError(f"{path} is not TOML: {error}") from error


_Model = TypeVar("_Model", bound=BaseModel)


def checked(model: type[_Model], values: Mapping[str, Any], where: str, folder: Path | None = None) -> _Model:
    """Make a model of what a file says.

    Args:
        model: what it should be.
        values: what was read.
        where: file and table, for the message.
        folder: where relative paths start.

    Raises:
        DistillError: a key is unknown or a value is out of place; the message names all of them.
    """
    try:
        return model.model_validate(values, context={"folder": folder})
    except ValidationError as error:
        details = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())
        raise DistillError(f"{where} {details}") from error
