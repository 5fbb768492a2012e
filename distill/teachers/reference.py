"""A reference clip: the few seconds of speech that tell a full model whose voice it is and how it feels."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, ValidationInfo

from edge.bundle.manifest import Language, Name

from ..config import Section
from .base import TeacherError

_KANA = re.compile(r"[\u3040-\u30ff]")
_HAN = re.compile(r"[\u3400-\u9fff]")


def _beside_the_file(path: Path, info: ValidationInfo) -> Path:
    folder = (info.context or {}).get("folder")
    path = path.expanduser()
    return path if folder is None else (Path(folder) / path).resolve()


LocalPath = Annotated[Path, AfterValidator(_beside_the_file)]  # relative to the file that names it


class Reference(Section):
    """A clip of 3 to 10 s and what is said in it."""

    audio: LocalPath
    """Sound file."""
    text: str | None = None
    """What is said, word for word; from the file of the same name that ends in ``.txt`` when absent. An empty
    text asks the model to do without."""
    language: Language | None = None
    """Of the text; told from its letters when absent."""
    more: tuple[LocalPath, ...] = ()
    """Further clips of the same voice, of any length, that only refine the timbre."""

    def transcript(self) -> str:
        """Give what is said.

        Raises:
            TeacherError: it is neither given nor in a file beside the clip.
        """
        if self.text is not None:
            return self.text.strip()
        beside = self.audio.with_suffix(".txt")
        try:
            text = " ".join(beside.read_text("utf-8-sig").split())
        except (OSError, UnicodeError) as error:
            reason = getattr(error, "strerror", None) or "not UTF-8"
            raise TeacherError(
                f"cannot read {beside} ({reason}); write there what is said in {self.audio.name}, or give "
                "the clip as { audio = ..., text = ... }"
            ) from error
        if not text:
            raise TeacherError(f"{beside} is empty; write there what is said in {self.audio.name}")
        return text

    def spoken_language(self) -> str:
        """Give the language of the transcript.

        Raises:
            TeacherError: there is no transcript.
        """
        return self.language or language_of(self.transcript())


def language_of(text: str) -> str:
    """Tell a language by its letters: kana is Japanese, other Han Chinese, the rest English."""
    if _KANA.search(text):
        return "ja"
    return "zh" if _HAN.search(text) else "en"


def _clip_alone(value: Any) -> Any:
    return {"audio": value} if isinstance(value, str) else value


References = dict[Name, Annotated[Reference, BeforeValidator(_clip_alone)]]
