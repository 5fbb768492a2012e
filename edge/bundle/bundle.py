"""Voice bundle: a directory or an uncompressed tar (``.voice``) with two networks and their description.

Loading checks everything before anything is used; nothing in a bundle is executable or pickled.
The format is described in docs/bundle-format.md.
"""

from __future__ import annotations

import hashlib
import tarfile
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from ..errors import BundleError, TrustError
from ..spec import HOP_LENGTH, N_FFT, SAMPLE_RATE
from ..text.symbols import SYMBOLS_SHA256
from .manifest import Manifest

FORMAT_VERSION = 1
MANIFEST_FILE = "manifest.json"
ENCODER_FILE = "encoder.onnx"
DECODER_FILE = "decoder.onnx"
CONSENT_FILE = "consent.json"  # signed record of the person whose voice it is
SIGNATURE_FILE = "signature.json"  # of the manifest, which therefore cannot list it
BUILTIN_VOICE = Path(__file__).parents[1] / "voices" / "builtin"

MAX_FILE_BYTES = 256 * 2**20  # no network of ours comes near; a manifest that says more is damaged
MAX_MANIFEST_BYTES = 2**20
_REPACK = "copy the bundle again, or pack it again with sovits-quantize pack"


class _Store(ABC):
    """Files of a bundle, wherever they lie."""

    @abstractmethod
    def read(self, name: str, limit: int) -> bytes:
        """Content of a file, at most ``limit`` + 1 bytes of it.

        Raises:
            KeyError: no such regular file.
        """


class _DirectoryStore(_Store):
    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self, name: str, limit: int) -> bytes:
        try:
            with (self._path / name).open("rb") as file:
                return file.read(limit + 1)
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError) as error:
            raise KeyError(name) from error


class _TarStore(_Store):
    """Reads members in place: nothing is unpacked, so no member name can reach the file system."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._members: dict[str, tarfile.TarInfo] = {}
        with tarfile.open(path, "r:") as archive:
            for member in archive:
                self._add(member)

    def _add(self, member: tarfile.TarInfo) -> None:
        name = member.name
        if not member.isreg() or "/" in name or "\\" in name or name.startswith("."):
            raise BundleError(f"{self._path}: entry {name!r} is not a plain file at the top level; {_REPACK}")
        if name in self._members:
            raise BundleError(f"{self._path}: entry {name!r} is there twice; {_REPACK}")
        self._members[name] = member

    def read(self, name: str, limit: int) -> bytes:
        member = self._members[name]
        with self._path.open("rb") as file:
            file.seek(member.offset_data)
            return file.read(min(member.size, limit + 1))


@dataclass(frozen=True)
class Bundle:
    """A checked voice bundle."""

    path: Path
    """Directory or ``.voice`` file."""
    manifest: Manifest
    """What ``manifest.json`` says."""
    manifest_sha256: str
    """Hash of the exact bytes of ``manifest.json``, which names every other file by hash."""
    _store: _Store

    @classmethod
    def load(cls, path: Path | None = None, *, gate: Gate | None = None) -> Bundle:
        """Open a bundle and check every file in it.

        Args:
            path: directory or ``.voice`` file; None for the built-in voice.
            gate: decides whether the voice may be used; None: :func:`nobody_imitated`. A device hands over
                its :class:`edge.bundle.trust.gate.DeviceGate`, a workstation that makes voices
                :func:`workshop`.

        Raises:
            BundleError: one line that names the file, what is wrong and what to do.
        """
        path = BUILTIN_VOICE if path is None else Path(path)
        bundle = cls(path, *_open(path))
        _check_fit(bundle)
        for name in bundle.manifest.files:
            bundle.read(name)
        (gate or nobody_imitated)(bundle)
        return bundle

    @property
    def imitates_a_person(self) -> bool:
        """Whether it is the voice of a person, or does not say that it is none."""
        origin = self.manifest.origin
        return origin is None or origin.kind == "person"

    @property
    def is_builtin(self) -> bool:
        """Whether it is the voice that comes with the software."""
        return self.path.resolve() == BUILTIN_VOICE.resolve()

    def read_unlisted(self, name: str, limit: int) -> bytes | None:
        """Content of a file that the manifest cannot list, such as its signature; None where there is none.

        Raises:
            BundleError: larger than ``limit`` bytes, or unreadable.
        """
        try:
            content = self._store.read(name, limit)
        except KeyError:
            return None
        except OSError as error:
            raise BundleError(
                f"{self.path}: {name} cannot be read: {error.strerror}; check the disk"
            ) from error
        if len(content) > limit:
            raise BundleError(f"{self.path}: {name} is larger than {limit} bytes; {_REPACK}")
        return content

    def read(self, name: str) -> bytes:
        """Content of one file of the bundle, checked against the manifest.

        Raises:
            BundleError: not listed, missing, or not what the manifest says.
        """
        entry = self.manifest.files.get(name)
        if entry is None:
            raise BundleError(f"{self.path}: {MANIFEST_FILE} does not list {name}; {_REPACK}")
        content = _read(self._store, self.path, name, entry.bytes)
        if len(content) != entry.bytes:
            found = f"more than {entry.bytes}" if len(content) > entry.bytes else str(len(content))
            raise BundleError(f"{self.path}: {name} has {found} bytes, expected {entry.bytes}; {_REPACK}")
        digest = hashlib.sha256(content).hexdigest()
        if digest != entry.sha256:
            wrong = f"{name} has sha256 {digest[:12]}…, expected {entry.sha256[:12]}…"
            raise BundleError(f"{self.path}: {wrong}; {_REPACK}")
        return content

    @property
    def identity(self) -> str:
        """Name, version and a hash of the whole content: what finished lines are remembered under."""
        digest = hashlib.sha256(self.manifest.model_dump_json().encode()).hexdigest()
        return f"{self.manifest.name} {self.manifest.version} {digest[:16]}"


Gate = Callable[[Bundle], object]


def workshop(bundle: Bundle) -> None:
    """Gate of the workstation where voices are made, before they are signed: everything passes."""


def nobody_imitated(bundle: Bundle) -> None:
    """Gate of whoever knows nothing of signatures: only voices that imitate nobody pass.

    Raises:
        TrustError: ``consent_missing``.
    """
    origin = bundle.manifest.origin
    if origin is None:
        raise TrustError(
            f"{bundle.path}: the manifest has no origin, so it counts as a person's voice; pack it again "
            "with origin in its card",
            "consent_missing",
        )
    if origin.kind == "person":
        raise TrustError(
            f"{bundle.path}: a person's voice, and no studio is known here whose consent record could be "
            "checked; bring the studio's keys with: sovits-deploy import FOLDER",
            "consent_missing",
        )


def _open(path: Path) -> tuple[Manifest, str, _Store]:
    store = _open_store(path)
    content = _read(store, path, MANIFEST_FILE, MAX_MANIFEST_BYTES)
    if len(content) > MAX_MANIFEST_BYTES:
        raise BundleError(f"{path}: {MANIFEST_FILE} is larger than {MAX_MANIFEST_BYTES} bytes; {_REPACK}")
    try:
        return Manifest.model_validate_json(content), hashlib.sha256(content).hexdigest(), store
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        where = ".".join(str(part) for part in problem["loc"]) or "the file"
        more = f" (and {error.error_count() - 1} more)" if error.error_count() > 1 else ""
        message = f"{path}: {MANIFEST_FILE}: {where}: {problem['msg']}{more}"
        raise BundleError(f"{message}; this version reads format {FORMAT_VERSION}, {_REPACK}") from error


def _open_store(path: Path) -> _Store:
    if path.is_dir():
        return _DirectoryStore(path)
    if not path.exists():
        if path == BUILTIN_VOICE:
            raise BundleError(f"the built-in voice is not installed at {path}; name a bundle with --bundle")
        raise BundleError(f"{path}: no such bundle; give a directory or a .voice file")
    try:
        return _TarStore(path)
    except (tarfile.TarError, OSError) as error:
        raise BundleError(f"{path}: not a readable uncompressed tar ({error}); {_REPACK}") from error


def _read(store: _Store, path: Path, name: str, limit: int) -> bytes:
    try:
        return store.read(name, limit)
    except KeyError as error:
        raise BundleError(f"{path}: {name} is missing; {_REPACK}") from error
    except OSError as error:
        raise BundleError(
            f"{path}: {name} cannot be read: {error.strerror}; check permissions and disk"
        ) from error


def _check_fit(bundle: Bundle) -> None:
    """Refuse a bundle whose numbers this version cannot honour."""
    manifest = bundle.manifest
    expected = {
        "format_version": (manifest.format_version, FORMAT_VERSION),
        "sample_rate": (manifest.sample_rate, SAMPLE_RATE),
        "hop_length": (manifest.hop_length, HOP_LENGTH),
        "n_fft": (manifest.n_fft, N_FFT),
    }
    for name, (found, wanted) in expected.items():
        if found != wanted:
            raise BundleError(
                f"{bundle.path}: {MANIFEST_FILE}: {name} is {found}, this version reads {wanted}; "
                "install the matching version of sovits-tiny or pack the voice again"
            )
    if manifest.symbols_sha256 != SYMBOLS_SHA256:
        raise BundleError(
            f"{bundle.path}: {MANIFEST_FILE}: trained with phoneme table {manifest.symbols_sha256[:12]}…, "
            f"this version has {SYMBOLS_SHA256[:12]}…; install the matching version of sovits-tiny"
        )
    for name in (ENCODER_FILE, DECODER_FILE):
        if name not in manifest.files:
            raise BundleError(f"{bundle.path}: {MANIFEST_FILE} does not list {name}; {_REPACK}")
    for name, entry in manifest.files.items():
        if entry.bytes > MAX_FILE_BYTES:
            raise BundleError(
                f"{bundle.path}: {name}: {entry.bytes} bytes is over the limit of {MAX_FILE_BYTES}"
            )
