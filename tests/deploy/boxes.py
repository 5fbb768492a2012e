"""A box for tests: a device with a builder that copies one file and a daemon that is a file."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from deploy.archive import write_tar
from deploy.errors import DeployError
from deploy.slot import Slot
from deploy.update import Device
from edge.bundle.audit import AuditLog
from edge.bundle.trust.store import TrustStore
from tests.edge.bundle.trust import studio

PLATFORM = "nuc-cp312-x86_64"


class CopyBuilder:
    """Builds a release of many small files whose hashes are known, so that a torn one is noticed."""

    def __init__(self, refuse: str = "") -> None:
        self.refuse = refuse

    def build(self, wheelhouse: Path, release: Path, final: Path) -> None:
        venv = release / "venv"
        venv.mkdir()
        text = (wheelhouse / "program.whl").read_text()
        hashes = {}
        for number in range(20):
            content = f"{text} {number} ".encode() * 400
            (venv / f"{number}.py").write_bytes(content)
            hashes[f"{number}.py"] = hashlib.sha256(content).hexdigest()
        (venv / "hashes.json").write_text(json.dumps(hashes))

    def prove(self, software: Path, content: Path | None) -> None:
        if not is_whole(software):
            raise DeployError("could not speak the golden line: the release is torn")
        if self.refuse and self.refuse in (software / "venv" / "0.py").read_text():
            raise DeployError("could not speak the golden line: levels are 9.0 dB off")


def is_whole(release: Path) -> bool:
    """Whether every file of a release is there as it was built."""
    try:
        hashes = json.loads((release / "venv" / "hashes.json").read_bytes())
        contents = {name: (release / "venv" / name).read_bytes() for name in hashes}
    except (OSError, ValueError):
        return False
    return bool(hashes) and all(hashlib.sha256(contents[name]).hexdigest() == hashes[name] for name in hashes)


@dataclass
class FakeService:
    """A daemon that starts when what `current` names is whole.

    Attributes:
        slot: of the software.
        sick: text in a release that never becomes healthy.
        speaking: a line is being spoken.
        started: releases that were started.
    """

    slot: Slot
    sick: str = ""
    speaking: bool = False
    started: list[str] = field(default_factory=list)

    def is_speaking(self) -> bool:
        return self.speaking

    def restart(self) -> None:
        self.started.append(self.slot.current())
        if not is_whole(self.slot.path(self.slot.current())):
            raise DeployError("sovits.service did not become ready")

    def is_healthy(self) -> bool:
        text = (self.slot.path(self.slot.current()) / "venv" / "0.py").read_text()
        return not (self.sick and self.sick in text)


def make_device(path: Path, now: int = studio.NOW) -> Device:
    software = Slot(path / "software")
    return Device(
        software=software,
        content=Slot(path / "content"),
        store=TrustStore(path / "trust", path / "copy", lambda: now),
        spool=path / "spool",
        platform=PLATFORM,
        builder=CopyBuilder(),
        service=FakeService(software),
        audit=AuditLog(path / "audit.jsonl", lambda: now),
    )


def target(path: Path, kind: str, version: str, platform: str = "any") -> dict[str, Any]:
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    return {
        "name": path.name, "kind": kind, "version": version, "length": len(content), "sha256": digest,
        "platform": platform,
    }  # fmt: skip


def make_medium(
    folder: Path, version: str, number: int, *, lexicon: str = "", seq: int | None = None, **changes: Any
) -> Path:
    """An update: software of a version, with a lexicon as content where one is given."""
    folder.mkdir(parents=True)
    (folder / "program.whl").write_text(f"program {version}")
    write_tar(folder / f"software-{PLATFORM}.tar", {"program.whl": folder / "program.whl"})
    (folder / "program.whl").unlink()
    targets = [target(folder / f"software-{PLATFORM}.tar", "software", version, PLATFORM)]
    if lexicon:
        (folder / "words.lexicon").write_text(lexicon)
        targets.append(target(folder / "words.lexicon", "lexicon", "1.0.0"))
    (folder / "root.1.json").write_bytes(studio.root())
    (folder / "revocations.json").write_bytes(studio.revocations(seq or number))
    (folder / "index.json").write_bytes(studio.index(number, targets, **changes))
    return folder
