"""Sources of what a report tells."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from ..config import DistillError


@dataclass(frozen=True)
class Sources:
    """Folders and files; what is None is left out of the report, which says so."""

    corpus: Path
    """Folder of the corpus command, for the held-out lines."""
    bundle: Path | None = None
    """Voice to report on; None for the built-in one."""
    train: Path | None = None
    """Folder of the train command: ``log.jsonl`` and ``alignment.json``."""
    float_bundle: Path | None = None
    """The same voice with float networks."""
    quality: Path | None = None
    """JSON of the evaluate command."""
    int8: Path | None = None
    """``report.json`` of ``sovits-quantize compare``."""
    references: Path | None = None
    """Findings about the reference clips, JSON."""
    cost: Path | None = None
    """What each step took, JSON."""

    @classmethod
    def of_run(cls, folder: Path) -> Sources:
        """Find everything in the folder of ``sovits-distill run``.

        Raises:
            DistillError: the run has not come as far as a voice.
        """
        corpus, bundle = folder / "corpus", folder / "voice"
        for path in (corpus, bundle):
            if not path.is_dir():
                message = f"{folder} holds no finished run: {path.name}/ is missing"
                raise DistillError(f"{message}; finish it, or name the parts with --corpus and --bundle")
        return cls(
            corpus,
            bundle,
            train=_if_there(folder / "train"),
            float_bundle=_if_there(folder / "voice-float"),
            quality=_if_there(folder / "quality.json"),
            int8=_if_there(folder / "int8" / "report.json"),
            references=_if_there(folder / "references.json"),
            cost=_if_there(folder / "cost.json"),
        )

    @classmethod
    def gather(cls, folder: Path | None, parts: Mapping[str, Path | None]) -> Sources:
        """Put the options of the report command together.

        Args:
            folder: of ``sovits-distill run``, where all parts are found, or of ``sovits-distill train``.
            parts: by name of the attribute; those that are given count more than what the folder holds.

        Raises:
            DistillError: no corpus was named, or something that was named is not there.
        """
        given = {name: path for name, path in parts.items() if path is not None}
        for path in (*given.values(), *([folder] if folder else [])):
            if not path.exists():
                raise DistillError(f"{path} does not exist; name what an earlier step has written")
        if folder is not None and not (folder / "log.jsonl").is_file():
            return replace(cls.of_run(folder), **given)
        if "corpus" not in given:
            raise DistillError(
                "whose held-out lines? give --run with the folder of a finished run, or --corpus"
            )
        return cls(**given, train=folder)


def _if_there(path: Path) -> Path | None:
    return path if path.exists() else None
