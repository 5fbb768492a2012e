"""Virtual environments on the device: made offline of a wheelhouse, and let speak before they are used."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from .errors import DeployError

LOCK = "requirements.lock"
INSTALL_TIMEOUT_S, PROVE_TIMEOUT_S = 900, 300


class VenvBuilder:
    """Installs a wheelhouse with the system's Python.

    Args:
        system_packages: let the environment see the system's packages: TensorRT of a Jetson lies there.
        python: interpreter to make environments with.
        trust: trust store that voices are checked with; None: none, only voices that imitate nobody.
        config: of the device: it says for which venue a voice needs consent.
    """

    def __init__(
        self,
        system_packages: bool = False,
        python: str = sys.executable,
        trust: Path | None = None,
        config: Path | None = None,
    ) -> None:
        self._system_packages = system_packages
        self._python = python
        self._trust = trust
        self._config = config

    def build(self, wheelhouse: Path, release: Path, final: Path) -> None:
        """Make ``release/venv`` and install every line of the lock, each checked by its hash.

        The environment is made where it is put together and used under another name, so the first line of
        its scripts is turned to where they will lie.

        Raises:
            DeployError: with the last line that pip wrote.
        """
        venv = release / "venv"
        flags = ["--system-site-packages"] if self._system_packages else []
        _run([self._python, "-m", "venv", *flags, str(venv)], "make the environment")
        install = [
            str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet", "--no-index",
            "--isolated", "--disable-pip-version-check", "--find-links", str(wheelhouse), "--require-hashes",
            "--requirement", str(wheelhouse / LOCK),
        ]  # fmt: skip
        _run(install, "install the wheelhouse")
        _turn_scripts(venv / "bin", str(release), str(final))
        shutil.rmtree(wheelhouse)

    def prove(self, software: Path, content: Path | None) -> None:
        """Let the environment speak the golden line of every voice.

        Raises:
            DeployError: with the line that the child wrote.
        """
        command = [str(software / "venv" / "bin" / "python"), "-m", "deploy.prove"]
        command += ["--content", str(content)] if content else []
        command += ["--trust", str(self._trust)] if self._trust else []
        command += ["--config", str(self._config)] if self._config and self._config.exists() else []
        _run(command, "speak the golden line", PROVE_TIMEOUT_S)


def _run(command: Sequence[str], what: str, timeout_s: int = INSTALL_TIMEOUT_S) -> None:
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_s, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DeployError(f"could not {what}: {error}") from error
    if done.returncode:
        lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        raise DeployError(f"could not {what}: {lines[-1] if lines else f'status {done.returncode}'}")


def _turn_scripts(folder: Path, before: str, after: str) -> None:
    for path in folder.iterdir():
        if path.is_symlink() or not path.is_file():
            continue
        content = path.read_bytes()
        if content[:2] == b"#!" or path.name.startswith("activate"):
            path.write_bytes(content.replace(before.encode(), after.encode()))
