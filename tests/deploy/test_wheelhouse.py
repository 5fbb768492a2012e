"""Wheelhouses: markers are judged for the device, and the lock holds every wheel and no other."""

from __future__ import annotations

import hashlib
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from deploy.environment import LOCK, VenvBuilder
from deploy.errors import DeployError
from deploy.wheelhouse import TARGETS, requirements, write_lock

ROOT = Path(__file__).parents[2]
CONSTRAINTS = (ROOT / "constraints" / "device.txt").read_text("utf-8")


def pins(text: str) -> set[str]:
    return {line.split(";")[0] for line in text.splitlines() if line and not line.startswith("#")}


def chosen(target: str) -> dict[str, str]:
    return dict(line.split("==") for line in requirements(CONSTRAINTS, TARGETS[target]))


def test_each_target_has_its_own_versions_whatever_python_packs() -> None:
    old, new = chosen("jp6-cp310-aarch64"), chosen("nuc-cp312-x86_64")
    assert old["onnxruntime"] == "1.23.2" and new["onnxruntime"] != old["onnxruntime"]
    assert "tomli" in old and "tomli" not in new
    assert chosen("jp7-cp312-aarch64") == new


def test_the_list_agrees_with_the_one_of_the_demonstration() -> None:
    """One set of versions is tested; what the devices get is a part of it."""
    demo = pins((ROOT / "constraints" / "demo.txt").read_text("utf-8"))
    assert {line.split("==")[0] for line in pins(CONSTRAINTS) - demo} <= {"sounddevice"}


def test_tags_reach_from_the_systems_glibc_down() -> None:
    platforms = TARGETS["jp6-cp310-aarch64"].platforms
    assert platforms[0] == "manylinux_2_35_aarch64" and "manylinux_2_28_aarch64" in platforms
    assert {"manylinux2014_aarch64", "manylinux_2_17_aarch64"} <= set(platforms)


@pytest.mark.parametrize("line", ["numpy>=2", "numpy", "numpy==2.*", "not a requirement =="])
def test_only_exact_versions(line: str) -> None:
    with pytest.raises(DeployError, match="constraints: "):
        requirements(line, TARGETS["nuc-cp312-x86_64"])


def wheel(folder: Path, name: str, version: str, **files: str) -> Path:
    folder.mkdir(exist_ok=True)
    info = f"{name}-{version}.dist-info"
    path = folder / f"{name}-{version}-py3-none-any.whl"
    contents = {
        **files,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/RECORD": "",
        f"{info}/entry_points.txt": f"[console_scripts]\n{name} = {name}:main\n",
    }
    with zipfile.ZipFile(path, "w") as archive:
        for inner, text in contents.items():
            archive.writestr(inner, text)
    return path


PROGRAM = {"tiny_program.py": "def main():\n    print('spoken')\n"}


def test_the_lock_names_hashes_and_drops_other_versions(tmp_path: Path) -> None:
    folder = tmp_path / "house"
    wheel(folder, "helper", "1.0")
    old = wheel(folder, "helper", "0.9")
    own = wheel(folder, "tiny_program", "1.0.0", **PROGRAM)
    lock = write_lock(folder, {"helper": "1.0"}, own)
    digest = hashlib.sha256(own.read_bytes()).hexdigest()
    assert f"tiny-program==1.0.0 --hash=sha256:{digest}" in lock.read_text()
    assert not old.exists() and lock.read_text().count("\n") == 2
    with pytest.raises(DeployError, match="no wheel of numpy"):
        write_lock(folder, {"helper": "1.0", "numpy": "2.0"}, own)


def test_an_environment_is_made_offline_and_its_scripts_work_where_they_end_up(tmp_path: Path) -> None:
    house, release, final = tmp_path / "house", tmp_path / ".1.0.0", tmp_path / "1.0.0"
    own = wheel(house, "tiny_program", "1.0.0", **PROGRAM)
    write_lock(house, {}, own)
    release.mkdir()
    VenvBuilder(python=sys.executable).build(house, release, final)
    release.rename(final)
    done = subprocess.run([final / "venv/bin/tiny_program"], capture_output=True, text=True, timeout=30)
    assert done.stdout == "spoken\n" and not house.exists()


def test_a_wheel_that_was_swapped_is_not_installed(tmp_path: Path) -> None:
    house, release = tmp_path / "house", tmp_path / "release"
    own = wheel(house, "tiny_program", "1.0.0", **PROGRAM)
    write_lock(house, {}, own)
    lock = (house / LOCK).read_text()
    wheel(house, "tiny_program", "1.0.0", **{"tiny_program.py": "def main():\n    print('evil')\n"})
    assert (house / LOCK).read_text() == lock
    release.mkdir()
    with pytest.raises(DeployError, match="could not install the wheelhouse"):
        VenvBuilder(python=sys.executable).build(house, release, release)
