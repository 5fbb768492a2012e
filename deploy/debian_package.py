"""Debian package: a medium, the unit and what makes the first start; built by plain ``dpkg-deb``."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import edge

from .errors import DeployError
from .paths import MEDIA
from .wheelhouse import Target

HERE = Path(__file__).parent
# Everything that recovery before a start needs; only the standard library, and no release.
RECOVERY = (
    "deploy/__init__.py",
    "deploy/errors.py",
    "deploy/paths.py",
    "deploy/recover.py",
    "deploy/slot.py",
)
RECOVERY_EDGE = ("__init__.py", "durable.py", "errors.py")
DEPENDS = "python3, python3-venv, libportaudio2, adduser"
COMMANDS = ("sovits-deploy", "sovits-edge")
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
UNIT_FILES = {
    "systemd/sovits.service": "lib/systemd/system/sovits.service",
    "systemd/sovits-purge.path": "lib/systemd/system/sovits-purge.path",
    "systemd/sovits-purge.service": "lib/systemd/system/sovits-purge.service",
    "systemd/sovits.sysusers": "usr/lib/sysusers.d/sovits.conf",
    "systemd/sovits.tmpfiles": "usr/lib/tmpfiles.d/sovits.conf",
    "systemd/cpu.conf": "usr/share/sovits/drop-ins/cpu.conf",
    "systemd/jetson.conf": "usr/share/sovits/drop-ins/jetson.conf",
    "systemd/rtx.conf": "usr/share/sovits/drop-ins/rtx.conf",
    "mosquitto/sovits.conf": "usr/share/sovits/mosquitto/sovits.conf",
    "mosquitto/sovits-2.1.conf": "usr/share/sovits/mosquitto/sovits-2.1.conf",
    "mosquitto/sovits.acl": "usr/share/sovits/mosquitto/sovits.acl",
    "debian/sovits.toml": "usr/share/sovits/sovits.toml",
}


def build_deb(medium: Path, names: list[str], target: Target, version: str, output: Path) -> Path:
    """Build the package of one kind of device.

    Args:
        medium: folder with the signed documents and files.
        names: of what goes along.
        target: whom it is for.
        version: of the package.
        output: folder.

    Raises:
        DeployError: ``dpkg-deb`` is missing or refuses.
    """
    python = target.python
    stage = output / f".deb-{target.name}"
    shutil.rmtree(stage, ignore_errors=True)
    try:
        _stage(stage, medium, names)
        _control(stage, target, version, python)
        result = output / f"sovits-tiny_{version}_{target.name}.deb"
        # No compression: wheels and networks are compressed already.
        command = ["dpkg-deb", "-Znone", "--build", "--root-owner-group", str(stage), str(result)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError as error:
        raise DeployError(
            f"{error.filename} is not installed: apt install dpkg, or pack with --no-deb"
        ) from error
    finally:
        shutil.rmtree(stage, ignore_errors=True)
    if done.returncode:
        raise DeployError(f"dpkg-deb: {done.stderr.strip()}")
    return result


def _stage(stage: Path, medium: Path, names: list[str]) -> None:
    for source, target in UNIT_FILES.items():
        _copy(HERE / source, stage / target)
    for name in RECOVERY:
        _copy(HERE.parent / name, stage / "usr/lib/sovits" / name)
    for name in RECOVERY_EDGE:
        _copy(Path(edge.__file__).parent / name, stage / "usr/lib/sovits/edge" / name)
    for name in COMMANDS:
        (stage / "usr/bin").mkdir(parents=True, exist_ok=True)
        (stage / "usr/bin" / name).symlink_to(f"/opt/sovits/software/current/venv/bin/{name}")
    for name in names:
        _copy(medium / name, stage / MEDIA / name)


def _control(stage: Path, target: Target, version: str, python: str) -> None:
    folder = stage / "DEBIAN"
    folder.mkdir()
    minor = int(python.split(".")[1])
    control = [
        "Package: sovits-tiny",
        f"Version: {version}",
        f"Architecture: {ARCHITECTURES[target.machine]}",
        "Maintainer: SoVITS-Tiny <noreply@localhost>",
        f"Depends: {DEPENDS}, python3 (>= 3.{minor}), python3 (<< 3.{minor + 1})",
        "Recommends: mosquitto",
        "Section: sound",
        "Priority: optional",
        "Description: Character voices behind MQTT",
        f" Everything that {target.name} needs, without a network.",
        "",
    ]
    (folder / "control").write_text("\n".join(control), "utf-8")
    for script in ("postinst", "prerm", "postrm"):
        _copy(HERE / "debian" / script, folder / script)
        (folder / script).chmod(0o755)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    target.chmod(0o644)
