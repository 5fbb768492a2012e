"""TensorRT engines on disk: one folder per voice, found by what they were built from and for.

    <root>/<voice>/<key>/encoder.engine, decoder.engine, engines.json
    <root>/<voice>/current      link to the set in use
    <root>/<voice>/previous     link to the set used before

A set is complete before it gets its name, and is used only once the link ``current`` shows it; a link is
replaced in one step. So a reader sees the old set or the new one, whatever happens to the power.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..bundle.bundle import DECODER_FILE, ENCODER_FILE, Bundle
from ..bundle.manifest import Manifest
from ..errors import RunnerError
from ..phrases import MAX_PHONEMES
from .vendor import Gpu, TensorRt

FILES = {ENCODER_FILE: "encoder.engine", DECODER_FILE: "decoder.engine"}
DESCRIPTION = "engines.json"
CURRENT, PREVIOUS = "current", "previous"
ENCODER_BUCKETS = (32, 80, MAX_PHONEMES + 4)  # phonemes of a clause, of a sentence, and the most there are

Buckets = tuple[int, ...]


@dataclass(frozen=True)
class EngineKey:
    """What an engine depends on."""

    onnx: Mapping[str, str]
    """Sha256 of each graph."""
    library: str
    """TensorRT and its version."""
    gpu: Gpu
    """What it was built for."""
    flags: Mapping[str, Any]
    """How it was built: buckets, workspace, optimisation level."""

    @property
    def digest(self) -> str:
        """Name of the folder."""
        content = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(content.encode()).hexdigest()[:20]

    def fits(self, other: EngineKey) -> bool:
        """Whether an engine of the other key runs in place of one of this key, however it was built."""
        return (dict(self.onnx), self.library, self.gpu) == (dict(other.onnx), other.library, other.gpu)

    @classmethod
    def read(cls, content: Mapping[str, Any]) -> EngineKey:
        """The key in a description."""
        return cls(content["onnx"], content["library"], Gpu(**content["gpu"]), content["flags"])


@dataclass(frozen=True)
class EngineSet:
    """Both engines of a voice."""

    path: Path
    """Folder."""
    key: EngineKey
    """What they were built from."""
    facts: Mapping[str, Any]
    """When, how long, how large, what the golden line said."""

    def plan(self, graph: str) -> bytes:
        """The serialized engine of a graph.

        Raises:
            RunnerError: it cannot be read, or is not what was written.
        """
        path = self.path / FILES[graph]
        try:
            content = path.read_bytes()
        except OSError as error:
            raise RunnerError(f"{path}: {error.strerror}; {REBUILD}") from error
        if hashlib.sha256(content).hexdigest() != self.facts["sha256"][graph]:
            raise RunnerError(f"{path} is damaged; {REBUILD}")
        return content


REBUILD = "build it again with sovits-quantize build"


def key_of(bundle: Bundle, library: TensorRt, gpu: Gpu, flags: Mapping[str, Any]) -> EngineKey:
    """Key of the engines of a bundle on this machine."""
    hashes = {name: bundle.manifest.files[name].sha256 for name in FILES}
    return EngineKey(hashes, library.name, gpu, json.loads(json.dumps(flags)))


def buckets(manifest: Manifest) -> dict[str, Buckets]:
    """Lengths up to which each graph has an optimisation profile and a context of its own.

    The decoder's are the windows that ``plan_windows`` cuts, with the context on both sides: the first,
    half a window (a phrase shared by two threads, or a short one), and a whole one.
    """
    around = 2 * (manifest.context_frames + 1)
    first, largest = manifest.first_window_frames * 3 // 2, manifest.window_frames + 1
    decoder = sorted({first + around, max(first, largest // 2) + around, max(first, largest) + around})
    return {ENCODER_FILE: ENCODER_BUCKETS, DECODER_FILE: tuple(decoder)}


class EngineStore:
    """Engine sets of one voice."""

    def __init__(self, root: Path, voice: str) -> None:
        self.folder = root / voice

    def current(self) -> EngineSet | None:
        """The set in use."""
        return self._read(CURRENT)

    def previous(self) -> EngineSet | None:
        """The set used before, which is kept."""
        return self._read(PREVIOUS)

    def find(self, wanted: EngineKey) -> EngineSet | None:
        """The current or the previous set, if it was built from these graphs for this machine."""
        found = (self.current(), self.previous())
        return next((engines for engines in found if engines and wanted.fits(engines.key)), None)

    def built(self, key: EngineKey) -> EngineSet | None:
        """A set of exactly this key, in use or not."""
        return self._read(key.digest)

    @contextmanager
    def adding(self, key: EngineKey) -> Iterator[Path]:
        """A folder to write a set into; it gets its name if all goes well and disappears if not."""
        fresh, final = self.folder / f"{key.digest}.partial", self.folder / key.digest
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(parents=True)
        try:
            yield fresh
            shutil.rmtree(final, ignore_errors=True)
            fresh.rename(final)
        finally:
            shutil.rmtree(fresh, ignore_errors=True)

    def describe(self, folder: Path, key: EngineKey, facts: Mapping[str, Any]) -> None:
        """Write the description of a set."""
        content = json.dumps({"key": asdict(key), "facts": dict(facts)}, indent=1)
        partial = folder / f"{DESCRIPTION}.partial"
        partial.write_text(content + "\n", encoding="utf-8")
        partial.replace(folder / DESCRIPTION)

    def activate(self, engines: EngineSet) -> None:
        """Use a set from now on; the one before is kept, older ones are deleted."""
        before = self._target(CURRENT)
        if before is not None and before != engines.path.name:
            self._point(PREVIOUS, before)
        self._point(CURRENT, engines.path.name)
        kept = {self._target(CURRENT), self._target(PREVIOUS)}
        for folder in self.folder.iterdir():
            if folder.is_dir() and not folder.is_symlink() and folder.name not in kept:
                shutil.rmtree(folder, ignore_errors=True)

    def roll_back(self) -> EngineSet:
        """Use the previous set again; the one in use becomes the previous.

        Raises:
            RunnerError: there is none.
        """
        engines, now = self.previous(), self._target(CURRENT)
        if engines is None:
            raise RunnerError(f"{self.folder} holds no previous engines to go back to")
        self._point(CURRENT, engines.path.name)
        if now is not None:
            self._point(PREVIOUS, now)
        return engines

    def _target(self, link: str) -> str | None:
        path = self.folder / link
        return path.readlink().name if path.is_symlink() else None

    def _point(self, link: str, name: str) -> None:
        fresh = self.folder / f"{link}.partial"
        fresh.unlink(missing_ok=True)
        fresh.symlink_to(name)
        fresh.replace(self.folder / link)

    def _read(self, name: str) -> EngineSet | None:
        """A set by its name or by a link; None if it is not there or its description cannot be read."""
        path = (self.folder / name).resolve()
        try:
            content = json.loads((path / DESCRIPTION).read_text(encoding="utf-8"))
            return EngineSet(path, EngineKey.read(content["key"]), content["facts"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
