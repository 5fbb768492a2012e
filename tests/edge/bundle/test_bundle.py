"""A sound bundle loads; each kind of damage is refused in one line that names the file."""

from __future__ import annotations

import io
import json
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge.bundle import bundle as bundle_module
from edge.bundle.bundle import Bundle
from edge.errors import BundleError
from quantize.pack import write_voice

TINY = Path(__file__).parents[2] / "data" / "tiny_voice"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(TINY, tmp_path / "voice"))


def edit_manifest(folder: Path, change: Callable[[dict[str, Any]], None]) -> None:
    path = folder / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    change(manifest)
    path.write_text(json.dumps(manifest), encoding="utf-8")


def refused(path: Path | None, *words: str) -> str:
    with pytest.raises(BundleError) as caught:
        Bundle.load(path)
    message = str(caught.value)
    assert caught.value.code == "bundle_corrupt"
    assert "\n" not in message
    for word in words:
        assert word in message
    return message


def write_tar(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as archive:
        for name, content in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return path


def contents() -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in TINY.iterdir()}


def test_directory_and_packed_form_hold_the_same(folder: Path, tmp_path: Path) -> None:
    write_voice(folder, tmp_path / "tiny.voice")
    unpacked, packed = Bundle.load(folder), Bundle.load(tmp_path / "tiny.voice")
    assert packed.manifest == unpacked.manifest
    for name in packed.manifest.files:
        assert packed.read(name) == unpacked.read(name)


def test_packing_twice_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    for name in ("one.voice", "two.voice"):
        write_voice(folder, tmp_path / name)
    assert (tmp_path / "one.voice").read_bytes() == (tmp_path / "two.voice").read_bytes()


def test_tiny_voice_is_small() -> None:
    assert sum(path.stat().st_size for path in TINY.iterdir()) < 100_000


def test_identity_tells_voices_of_one_version_apart(folder: Path) -> None:
    before = Bundle.load(folder).identity
    edit_manifest(folder, lambda manifest: manifest.update(first_window_frames=20))
    after = Bundle.load(folder).identity
    assert before.startswith("tiny 0.1.0 ")
    assert after != before
    assert Bundle.load(TINY).identity == before


def test_absent_bundle(tmp_path: Path) -> None:
    refused(tmp_path / "nothing", "nothing", "no such bundle")


def test_absent_builtin_voice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundle_module, "BUILTIN_VOICE", tmp_path / "builtin")
    refused(None, "built-in voice", "--bundle")


@pytest.mark.parametrize("name", ["encoder.onnx", "decoder.onnx", "manifest.json"])
def test_missing_file(folder: Path, name: str) -> None:
    (folder / name).unlink()
    refused(folder, name, "missing")


@pytest.mark.parametrize("name", ["encoder.onnx", "decoder.onnx"])
def test_truncated_file(folder: Path, name: str) -> None:
    content = (folder / name).read_bytes()
    (folder / name).write_bytes(content[:-10])
    refused(folder, name, str(len(content) - 10), str(len(content)))


def test_grown_file(folder: Path) -> None:
    with (folder / "decoder.onnx").open("ab") as file:
        file.write(b"more")
    refused(folder, "decoder.onnx", "more than")


def test_flipped_byte(folder: Path) -> None:
    content = bytearray((folder / "decoder.onnx").read_bytes())
    content[1000] ^= 1
    (folder / "decoder.onnx").write_bytes(content)
    refused(folder, "decoder.onnx", "sha256")


def test_flipped_byte_in_a_packed_bundle(tmp_path: Path) -> None:
    files = contents()
    files["encoder.onnx"] = files["encoder.onnx"][:-1] + bytes([files["encoder.onnx"][-1] ^ 1])
    refused(write_tar(tmp_path / "bad.voice", files), "encoder.onnx", "sha256")


def test_truncated_tar(tmp_path: Path) -> None:
    write_voice(TINY, tmp_path / "whole.voice")
    content = (tmp_path / "whole.voice").read_bytes()
    for n in (0, 100, 700, len(content) // 2):
        (tmp_path / "cut.voice").write_bytes(content[:n])
        refused(tmp_path / "cut.voice", "cut.voice")


def test_something_else_than_a_tar(tmp_path: Path) -> None:
    (tmp_path / "noise.voice").write_bytes(bytes(range(256)) * 40)
    refused(tmp_path / "noise.voice", "tar")


@pytest.mark.parametrize("name", ["../evil.onnx", "/etc/evil", "sub/encoder.onnx", ".hidden", "a\\b"])
def test_names_that_leave_the_bundle(tmp_path: Path, name: str) -> None:
    refused(write_tar(tmp_path / "evil.voice", {**contents(), name: b"x"}), "plain file")
    assert [path.name for path in tmp_path.iterdir()] == ["evil.voice"]


def test_links_in_a_packed_bundle(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "link.voice", "w") as archive:
        link = tarfile.TarInfo("encoder.onnx")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    refused(tmp_path / "link.voice", "encoder.onnx", "plain file")


def test_an_entry_that_occurs_twice(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "twice.voice", "w") as archive:
        for _ in range(2):
            archive.add(TINY / "encoder.onnx", "encoder.onnx")
    refused(tmp_path / "twice.voice", "encoder.onnx", "twice")


def test_a_manifest_path_that_leaves_the_bundle(folder: Path) -> None:
    def change(manifest: dict[str, Any]) -> None:
        manifest["files"]["../../etc/passwd"] = manifest["files"]["encoder.onnx"]

    edit_manifest(folder, change)
    refused(folder, "manifest.json", "files")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda m: m.update(colour="red"), ["colour"]),
        (lambda m: m.pop("licence"), ["licence"]),
        (lambda m: m.update(format_version=2), ["format_version", "2"]),
        (lambda m: m.update(sample_rate=24000), ["sample_rate", "24000", "32000"]),
        (lambda m: m.update(hop_length=640), ["hop_length"]),
        (lambda m: m.update(symbols_sha256="0" * 64), ["phoneme table", "000000000000"]),
        (lambda m: m.update(emotions={"happy": 0}), ["neutral"]),
        (lambda m: m["files"].pop("encoder.onnx"), ["encoder.onnx"]),
        (lambda m: m["files"]["encoder.onnx"].update(bytes=10**12), ["encoder.onnx", "limit"]),
        (lambda m: m["characters"].append(m["characters"][0]), ["noah"]),
        (lambda m: m["characters"][1].update(fallbacks={"sad": "bored"}), ["bored"]),
        (lambda m: m["golden"].update(character="nobody"), ["nobody"]),
    ],
)  # fmt: skip
def test_manifest_that_does_not_fit(
    folder: Path, change: Callable[[dict[str, Any]], None], words: list[str]
) -> None:
    edit_manifest(folder, change)
    refused(folder, "manifest.json" if "limit" not in words else "voice", *words)


def test_manifest_that_is_not_json(folder: Path) -> None:
    (folder / "manifest.json").write_text("{", encoding="utf-8")
    refused(folder, "manifest.json")


def test_oversized_manifest(folder: Path) -> None:
    (folder / "manifest.json").write_bytes(b" " * (2**20 + 1))
    refused(folder, "manifest.json", "larger")


def test_damage_after_loading_is_noticed_when_the_file_is_read(folder: Path) -> None:
    bundle = Bundle.load(folder)
    (folder / "decoder.onnx").write_bytes(b"")
    with pytest.raises(BundleError, match=r"decoder\.onnx has 0 bytes"):
        bundle.read("decoder.onnx")
