"""Whether aarch64 has all that a device needs: python -m tests.deploy.check_aarch64 [FOLDER].

Without FOLDER: every dependency is looked for as a wheel for CPython 3.10 and 3.12, with the three tags
that pip has to be given. With it, as root, with debootstrap and qemu-user-static: Debian 12 for arm64, an
environment of such wheels, a line in each language and tests of the device path; FOLDER keeps the root
between runs. Writes ``benchmarks/results/install`` and the table of the document. Emulation says nothing
about speed.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from benchmarks import machine
from deploy.wheelhouse import Target, build_wheel, requirements
from tests.deploy.nspawn import make_base
from tests.deploy.published import put_table

ROOT = Path(__file__).parents[2]
RESULT = ROOT / "benchmarks/results/install/debian12-arm64-qemu.json"
DOCUMENT = ROOT / "docs/supported-platforms.md"
TAGS = ("manylinux2014", "manylinux_2_17", "manylinux_2_28")
PYTHONS = ("3.10", "3.12")
LINES = (
    ("claire", "The doors open in five minutes."),
    ("noah", "展览五分钟后开始。"),
    ("mei", "本日はご来場いただき、誠にありがとうございます。"),
)
TESTS = (
    "tests/edge/test_synthesizer.py", "tests/edge/test_head.py", "tests/edge/test_audio.py",
    "tests/edge/test_phrases.py", "tests/edge/test_prosody.py", "tests/edge/test_decoding.py",
    "tests/edge/test_golden.py", "tests/edge/lipsync", "tests/edge/labels", "tests/edge/bundle",
    "tests/edge/runners/test_ort.py",
)  # fmt: skip
TOOLS = ("pytest", "iniconfig", "pluggy", "pygments", "hypothesis", "sortedcontainers", "onnx", "ml_dtypes")
ENTER = ("env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8", "chroot")


def wheel_options(python: str) -> list[str]:
    """What pip has to be told to choose for another machine."""
    tags = [part for tag in TAGS for part in ("--platform", f"{tag}_aarch64")]
    abis = ["--abi", f"cp{python.replace('.', '')}", "--abi", "abi3", "--abi", "none"]
    return [
        "--no-deps",
        "--only-binary=:all:",
        "--implementation",
        "cp",
        "--python-version",
        python,
        *tags,
        *abis,
    ]


def device_requirements(python: str) -> list[str]:
    """Exact versions of what a device installs."""
    text = (ROOT / "constraints" / "device.txt").read_text("utf-8")
    return requirements(text, Target("check", python, "aarch64", 28))


def resolve(python: str) -> list[str]:
    """Wheels that a device of this Python would install.

    Raises:
        subprocess.CalledProcessError: one has no wheel.
    """
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.json"
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--target", folder]
        command += ["--report", str(report), *wheel_options(python)]
        extra = ["c2pa-python==0.38.1", "toml==0.10.2"]
        subprocess.run([*command, *device_requirements(python), *extra], check=True)
        installed = json.loads(report.read_bytes())["install"]
    return [str(one["download_info"]["url"]).rsplit("/", 1)[1] for one in installed]


class Root:
    """Debian for arm64 under qemu-user.

    Args:
        path: of the root.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def run(self, *command: str) -> str:
        """Run a command that has to succeed; gives what it printed."""
        done = subprocess.run(
            [*ENTER, str(self.path), *command], capture_output=True, text=True, timeout=7200
        )
        assert done.returncode == 0, f"{' '.join(command)}: {(done.stdout + done.stderr)[-800:]}"
        return done.stdout

    def install(self) -> str:
        """Make an environment of wheels alone."""
        house = self.path / "root/wheels"
        shutil.rmtree(house, ignore_errors=True)
        wheel = build_wheel(ROOT, house)
        python = self.run(
            "/usr/bin/python3", "-c", "import sys; print('%d.%d' % sys.version_info[:2])"
        ).strip()
        wanted = [*device_requirements(python), *TOOLS]
        download = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(house)]
        subprocess.run(
            [*download, *wheel_options(python), "--platform", "manylinux_2_24_aarch64", *wanted], check=True
        )
        self.run("/usr/bin/python3", "-m", "venv", "--clear", "/root/venv")
        install = (
            "/root/venv/bin/pip",
            "install",
            "--quiet",
            "--no-index",
            "--no-deps",
            "--find-links",
            "/root/wheels",
        )
        self.run(*install, *wanted, f"/root/wheels/{wheel.name}")
        return f"Python {python}, {len(wanted) + 1} wheels"

    def speak(self, character: str, text: str) -> str:
        """Speak a line into a file."""
        command = (
            "/root/venv/bin/sovits-edge",
            "say",
            text,
            "--character",
            character,
            "-o",
            "/root/line.wav",
        )
        told = json.loads(self.run(*command, "--json").splitlines()[-1])
        assert told["audio_ms"] > 500, told
        return f"{told['audio_ms'] / 1000:.1f} s of sound"

    def test(self) -> str:
        """Run tests of the device path."""
        source = self.path / "root/source"
        shutil.rmtree(source, ignore_errors=True)
        files = subprocess.run(["git", "archive", "HEAD"], cwd=ROOT, check=True, capture_output=True).stdout
        source.mkdir()
        subprocess.run(["tar", "-x", "-C", str(source)], input=files, check=True)
        pytest = "/root/venv/bin/python -m pytest -q -p no:cacheprovider"
        marks = "not broker and not slow and not torch and not espeak"
        command = f"cd /root/source && {pytest} -m '{marks}' {' '.join(TESTS)}"
        found = re.search(r"^\d+ passed.*? in ", self.run("/bin/sh", "-c", command), re.MULTILINE)
        assert found is not None
        return found[0].removesuffix(" in ")


def main(folder: Path | None) -> None:
    """Do it, and publish what was seen."""
    steps: list[tuple[str, str]] = []

    def note(what: str, seen: str) -> None:
        sys.stderr.write(f"{what}: {seen}\n")
        steps.append((what, seen))

    wheels: dict[str, Any] = {python: resolve(python) for python in PYTHONS}
    for python, names in wheels.items():
        note(f"every dependency as a wheel for CPython {python}", f"{len(names)} of {len(names)}")
    if folder is None:
        return
    make_base(folder / "debian12-arm64", architecture="arm64")
    root = Root(folder / "debian12-arm64")
    note("`uname -m`", root.run("/usr/bin/uname", "-m").strip())
    note("environment, from wheels alone", root.install())
    for character, text in LINES:
        note(f"`sovits-edge say {text}`", root.speak(character, text))
    note("tests of the device path", root.test())
    RESULT.parent.mkdir(parents=True, exist_ok=True)
    facts = {"machine": machine.describe(), "steps": dict(steps), "wheels": wheels}
    RESULT.write_text(json.dumps(facts, indent=1, ensure_ascii=False) + "\n", "utf-8")
    put_table(DOCUMENT, "aarch64", ("step", "seen"), steps)


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else None)
