"""Every command of sovits-deploy: one JSON object on request, and a rehearsal that changes nothing."""

from __future__ import annotations

import hashlib
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np
import pytest

from deploy.cli import cli
from edge.audio import wav_bytes
from tests.deploy.test_cli import PACK, Say, good, make_software, studio, voice

__all__ = ["studio", "voice"]
BOX = ("--root", "box", "--no-start")
KEYS = ("--root", "root1.pub", "--root", "root2.pub", "--studio", "studio.pub", "--release", "release.pub")
COMMANDS: dict[str, tuple[str, ...]] = {
    "keys make": ("new.pem",),
    "keys root": (*KEYS, "--revocation", "revocation.pub", "--out", "new.json", "--key", "root1.pem"),
    "sign document": ("root.1.json", "--key", "root2.pem"),
    "sign bundle": ("tiny.voice", "--key", "studio.pem"),
    "revoke": (
        "--list", "revocations.json", "--kind", "consent", "--id", "c-1", "--key", "revocation.pem",
    ),
    "sign hash": ("line.wav",),
    "verify": ("tiny.voice", "--root", "root.1.json"),
    "pack": (*PACK[1:], "--voice", "tiny.voice", "--out", "new", "--key", "release.pem"),
    "certificates": ("venue-ca", "--broker", "10.0.0.2", "--client", "kiosk-3"),
    "fleet": ("status", "-i", "hosts.yml"),
    "verify-audio": ("line.wav",),
    "install": ("out/medium", *BOX),
    "update": ("out/medium", *BOX),
    "import": ("out/medium", "--root", "box"),
    "purge": ("--root", "box"),
    "rollback": BOX,
    "status": ("--root", "box"),
    "doctor": ("--root", "/"),
}  # fmt: skip


def leaves(group: click.Group, above: str = "") -> Iterator[tuple[str, click.Command]]:
    """Commands that do something, with the words that call them."""
    for name, command in group.commands.items():
        words = f"{above} {name}".strip()
        if isinstance(command, click.Group):
            yield from leaves(command, words)
        else:
            yield words, command


def test_each_command_offers_json_and_a_rehearsal() -> None:
    found = dict(leaves(cli))
    assert set(found) == set(COMMANDS)
    for words, command in found.items():
        options = {option for parameter in command.params for option in parameter.opts}
        assert {"--json", "--dry-run"} <= options, words


def snapshot(folder: Path) -> dict[str, str]:
    """Every file and link below a folder, with what is in it."""
    return {
        str(path.relative_to(folder)): str(path.readlink())
        if path.is_symlink()
        else hashlib.sha256(path.read_bytes()).hexdigest()
        for path in folder.rglob("*")
        if path.is_symlink() or path.is_file()
    }


@pytest.fixture
def workshop(studio: Path, voice: Path, capsys: Say) -> Path:
    """A studio with a voice, a medium, a box and a sound file."""
    good(capsys, *PACK, "--voice", voice, "--out", "out", "--key", "release.pem")
    make_software(studio / "box")
    shutil.rmtree(studio / "voice")
    (studio / "line.wav").write_bytes(wav_bytes(np.zeros(32_000, np.int16)))
    (studio / "hosts.yml").write_text("sovits: {hosts: {}}\n")
    return studio


@pytest.mark.parametrize("words", [name for name in COMMANDS if name not in ("fleet", "doctor")])
def test_a_rehearsal_says_what_it_would_do_and_changes_nothing(
    workshop: Path, capsys: Say, words: str
) -> None:
    before = snapshot(workshop)
    values = good(capsys, *words.split(), *COMMANDS[words], "--dry-run")
    assert values["dry_run"] is True and len(values) > 1
    assert snapshot(workshop) == before


@pytest.mark.fleet
@pytest.mark.skipif(
    not (shutil.which("ansible-playbook") or (Path(sys.executable).parent / "ansible-playbook").exists()),
    reason="needs ansible-playbook (pip install ansible-core)",
)
def test_a_rehearsal_of_the_fleet(workshop: Path, capsys: Say) -> None:
    values = good(capsys, "fleet", *COMMANDS["fleet"], "--dry-run")
    assert values == {"action": "status", "boxes": [], "dry_run": True}
