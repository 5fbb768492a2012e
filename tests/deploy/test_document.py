"""The commands of the document, as they stand there, from fresh keys to an updated box."""

from __future__ import annotations

import hashlib
import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edge.bundle.trust.documents import time_text
from quantize.pack import write_voice
from tests.deploy.test_cli import make_software
from tests.edge.bundle.trust.studio import DAY, Voice, consent, use

ROOT = Path(__file__).parents[2]
BLOCKS = re.findall(r"```sh\n(.*?)```", (ROOT / "docs/deploy-a-device.md").read_text("utf-8"), re.DOTALL)


def block(holding: str) -> str:
    """The block of commands that holds a text."""
    (found,) = [text for text in BLOCKS if holding in text]
    return found


class Shell:
    """A studio's folder, and the command as the package installs it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.bin = folder / "bin"
        self.bin.mkdir()
        script = f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m deploy "$@" $SOVITS_MORE\n'
        (self.bin / "sovits-deploy").write_text(script)
        (self.bin / "sudo").write_text('#!/bin/sh\nexec "$@"\n')
        for path in self.bin.iterdir():
            path.chmod(0o755)

    def run(self, text: str, more: str = "") -> str:
        """Run lines; ``more`` is put behind each command."""
        environment = {**os.environ, "PATH": f"{self.bin}:{os.environ['PATH']}", "SOVITS_MORE": more}
        done = subprocess.run(
            ["sh", "-e", "-c", text],
            cwd=self.folder, env=environment, capture_output=True, text=True, timeout=300,
        )  # fmt: skip
        assert done.returncode == 0, f"{text}\n{done.stderr}"
        return done.stdout


def with_consent(bundle: Path, record: Path) -> Path:
    """Put a signed record into a bundle, as ``sovits-quantize pack`` does."""
    content = record.read_bytes()
    (bundle / "consent.json").write_bytes(content)
    manifest = json.loads((bundle / "manifest.json").read_bytes())
    digest = hashlib.sha256(content).hexdigest()
    manifest["files"]["consent.json"] = {"sha256": digest, "bytes": len(content)}
    (bundle / "manifest.json").write_text(json.dumps(manifest))
    return bundle


@pytest.mark.voice
def test_from_fresh_keys_to_an_updated_box(tmp_path: Path) -> None:
    shell = Shell(tmp_path)
    shell.run(block("keys make"))
    now = int(time.time())
    record = consent(
        issued=time_text(now - DAY),
        uses=[use(**{"from": time_text(now - DAY), "until": time_text(now + DAY)}, venues=["museum-9"])],
    )
    voice = Voice(tmp_path / "voice", record=None)
    (tmp_path / "consent.json").write_text(json.dumps(record))
    signing = block("sign document consent.json").splitlines()
    shell.run(signing[0])
    write_voice(with_consent(voice.write(), tmp_path / "consent.json"), tmp_path / "noah.voice")
    shell.run("\n".join(signing[1:]))
    shell.run(block("sovits-deploy pack"), more="--no-software")

    box = make_software(tmp_path / "box")
    (box / "etc/sovits").mkdir(parents=True)
    (box / "etc/sovits/sovits.toml").write_text('[trust]\nvenue = "museum-9"\n')
    medium = str(tmp_path / "out" / "medium")
    for line in block("update /media/stick/medium  ").splitlines():
        command = line.partition("#")[0].strip().replace("/media/stick/medium", medium)
        starts = " update " in command or " rollback" in command
        if " rollback" not in command:  # there is one release so far
            shell.run(command, more=f"--root {box}" + (" --no-start" if starts else ""))
    assert (box / "opt/sovits/content/current/voices/noah.voice").exists()
