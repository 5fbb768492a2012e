"""Update from a medium: verify, fetch, put together, prove in a child, switch, watch, keep or go back."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol

from edge.bundle.audit import AuditLog
from edge.bundle.trust.documents import Index, Target
from edge.bundle.trust.store import TrustStore
from edge.errors import EdgeError

from .archive import unpack
from .errors import DeployError
from .medium import Medium, Progress, clear, no_progress
from .slot import Slot

Part = Literal["software", "content"]
CONTENT_FOLDERS = {"voice": "voices", "show": "shows", "lexicon": "lexicons", "labels": "labels"}
ROOT_CHAIN = 64


class Builder(Protocol):
    """Turns an unpacked wheelhouse into something that runs."""

    def build(self, wheelhouse: Path, release: Path, final: Path) -> None:
        """Install offline into ``release``, which will lie at ``final``.

        Raises:
            DeployError: it cannot be installed.
        """

    def prove(self, software: Path, content: Path | None) -> None:
        """Speak the golden line of every voice in a child process of the new software.

        Raises:
            DeployError: it does not speak as it should.
        """


class Service(Protocol):
    """The running daemon."""

    def is_speaking(self) -> bool:
        """Whether a line is being spoken; an update waits."""

    def restart(self) -> None:
        """Start what ``current`` names now.

        Raises:
            DeployError: it does not start.
        """

    def is_healthy(self) -> bool:
        """Wait until the daemon says that it is ready and has spoken; False when it does not in time."""


@dataclass(frozen=True)
class Device:
    """Everything of a device that an update touches."""

    software: Slot
    content: Slot
    """``software``, ``content``: the two slots."""
    store: TrustStore
    """Trust store."""
    spool: Path
    """Fetched files."""
    platform: str
    """Name of the wheelhouse that fits, such as ``nuc-cp312-x86_64``."""
    builder: Builder
    service: Service
    """``builder``, ``service``: what does the work."""
    audit: AuditLog
    """Log of decisions."""


@dataclass
class Report:
    """What an update did or would do."""

    root: int = 0
    revocations: int = 0
    index: int = 0
    """``root``, ``revocations``, ``index``: version or sequence number in force afterwards."""
    software: str = ""
    content: str = ""
    """``software``, ``content``: names of the releases in use afterwards."""
    changed: list[Part] = field(default_factory=list)
    """Parts that were switched."""
    notes: list[str] = field(default_factory=list)
    """In words."""


def take_documents(store: TrustStore, medium: Medium, audit: AuditLog) -> list[str]:
    """Take in newer keys and a newer revocation list, before anything else is looked at.

    Raises:
        TrustError: a document is not signed as it should be, or older than what was seen.
    """
    notes = []
    for version in range((store.root.version if store.root else 0) + 1, ROOT_CHAIN):
        content = medium.document(f"root.{version}.json")
        if content is None:
            break
        root = store.accept_root(content)
        audit.write("root", version=root.version)
        notes.append(f"keys: version {root.version}")
    content = medium.document("revocations.json")
    if content is not None and store.accept_revocations(content):
        assert store.revocations is not None
        audit.write("revocations", seq=store.revocations.seq)
        notes.append(f"revocations: list {store.revocations.seq}")
    return notes


def wanted(index: Index, platform: str, part: Part) -> tuple[Target, ...]:
    """Targets of an index that a device of this platform needs."""
    software = part == "software"
    return tuple(
        target
        for target in index.targets
        if (target.kind == "software") == software and target.platform in ("any", platform)
    )


def release_name(targets: Sequence[Target]) -> str:
    """Name of the release that these targets make: the software's version, or a number for the content.

    The hash in it makes two builds of one version two releases.
    """
    joined = "\n".join(sorted(f"{target.name} {target.sha256}" for target in targets))
    digest = hashlib.sha256(joined.encode()).hexdigest()[:8]
    software = [target.version for target in targets if target.kind == "software"]
    return f"{software[0]}-{digest}" if software else f"content-{digest}"


class Update:
    """One update.

    Args:
        device: to update.
        medium: where from.
        allow_downgrade: at the console, by hand, logged.
        progress: told of every file that is fetched.
        step: told what begins now.
    """

    def __init__(
        self,
        device: Device,
        medium: Medium,
        *,
        allow_downgrade: bool = False,
        progress: Progress = no_progress,
        step: Callable[[str], None] = lambda _text: None,
    ) -> None:
        self._device = device
        self._medium = medium
        self._allow_downgrade = allow_downgrade
        self._progress = progress
        self._step = step

    def run(self, parts: Sequence[Part] = ("software", "content"), *, dry_run: bool = False) -> Report:
        """Do it.

        Raises:
            EdgeError: one line; what was in use is in use.
            OSError: the disk is full or read-only; what was in use is in use.
        """
        if dry_run:
            return self._rehearse(parts)
        device, store = self._device, self._device.store
        self._step("checking signatures")
        notes = take_documents(store, self._medium, device.audit)
        content = self._medium.document("index.json")
        if content is None:
            return self._report(notes, [])
        plan, due = self._plan(store.check_index(content), parts)
        if not due:
            return self._report(notes, [])
        staged = {part: self._stage(part, plan[part]) for part in due}
        self._prove(staged)
        self._switch(staged)
        store.accept_index(content)
        clear(device.spool, set())
        return self._report(notes, due)

    def _rehearse(self, parts: Sequence[Part]) -> Report:
        """Say what would be done, with a trust store that is thrown away."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            store = self._device.store.rehearsal(folder / "trust")
            notes = take_documents(store, self._medium, AuditLog(folder / "audit.jsonl"))
            content = self._medium.document("index.json")
            due = self._plan(store.check_index(content), parts)[1] if content is not None else []
        would = [*(f"would take {note}" for note in notes), *(f"would change {part}" for part in due)]
        return self._report(would, [])

    def _plan(self, index: Index, parts: Sequence[Part]) -> tuple[dict[Part, tuple[Target, ...]], list[Part]]:
        """Files of each part, and the parts that would change."""
        plan = {part: wanted(index, self._device.platform, part) for part in parts}
        due = [
            part for part in parts if plan[part] and release_name(plan[part]) != self._slot(part).current()
        ]
        self._refuse_downgrade(index, plan)
        return plan, due

    def _stage(self, part: Part, targets: Sequence[Target]) -> str:
        """Fetch the files of a part and put its release together beside the one in use."""
        name, slot = release_name(targets), self._slot(part)
        if name in slot.names():
            return name
        self._step(f"fetching {part} {name}")
        files = {target: self._medium.fetch(target, self._device.spool, self._progress) for target in targets}
        self._step(f"installing {part} {name}")
        with slot.staging(name) as folder:
            for target, path in files.items():
                self._place(target, path, folder, slot.path(name))
        return name

    def _place(self, target: Target, path: Path, folder: Path, final: Path) -> None:
        if target.kind == "software":
            wheelhouse = folder / "wheelhouse"
            wheelhouse.mkdir()
            unpack(path, wheelhouse)
            self._device.builder.build(wheelhouse, folder, final)
            return
        room = folder / CONTENT_FOLDERS[target.kind]
        room.mkdir(exist_ok=True)
        shutil.copyfile(path, room / target.name)

    def _prove(self, staged: dict[Part, str]) -> None:
        """Let the new software speak with the new content, in a child, before anything is switched."""
        self._step("speaking the golden line")
        software = self._slot("software")
        names = {"software": software.current(), "content": self._slot("content").current(), **staged}
        if not names["software"]:
            raise DeployError("no software is installed and the update brings none for this platform")
        content = self._slot("content").path(names["content"]) if names["content"] else None
        try:
            self._device.builder.prove(software.path(names["software"]), content)
        except EdgeError as error:
            for part, name in staged.items():
                self._device.audit.write("refused", part=part, release=name, reason=str(error))
            raise

    def _switch(self, staged: dict[Part, str]) -> None:
        """Flip, start, watch; go back if it is not healthy."""
        device = self._device
        if device.service.is_speaking():
            raise DeployError("a line is being spoken; the update is prepared, run it again when it is quiet")
        self._step("switching")
        for part, name in staged.items():
            self._slot(part).begin_trial(name)
        try:
            device.service.restart()
            healthy = device.service.is_healthy()
        except DeployError:
            healthy = False
        if healthy:
            for part, name in staged.items():
                self._slot(part).confirm()
                device.audit.write("updated", part=part, release=name)
            return
        self._go_back(staged)

    def _go_back(self, staged: dict[Part, str]) -> None:
        device = self._device
        self._step("going back")
        for part, name in staged.items():
            with contextlib.suppress(DeployError):  # a first installation has nothing to go back to
                self._slot(part).roll_back()
            device.audit.write("rolled_back", part=part, release=name)
        with contextlib.suppress(DeployError):
            device.service.restart()
        raise DeployError(
            f"the new {' and '.join(staged)} did not become healthy; back to what was before. To see why: "
            "journalctl -u sovits"
        )

    def _refuse_downgrade(self, index: Index, plan: dict[Part, tuple[Target, ...]]) -> None:
        current = self._slot("software").current().rpartition("-")[0]
        for target in plan.get("software", ()):
            older = bool(current) and _order(target.version) < _order(current)
            if older and not (index.allow_downgrade or self._allow_downgrade):
                raise DeployError(
                    f"software {target.version} is older than {current}; to go back, allow it in the "
                    "index or use --force at the console"
                )
            if older:
                self._device.audit.write("downgrade", release=target.version, before=current)

    def _slot(self, part: Part) -> Slot:
        return self._device.software if part == "software" else self._device.content

    def _report(self, notes: list[str], changed: list[Part]) -> Report:
        store, device = self._device.store, self._device
        return Report(
            store.seen.root,
            store.seen.revocations,
            store.seen.index,
            device.software.current(),
            device.content.current(),
            changed,
            notes,
        )


def _order(version: str) -> tuple[tuple[int, ...], bool, str]:
    """Sort key of a version: numbers first, and ``1.0.0~rc1`` before ``1.0.0``."""
    numbers, mark, rest = version.partition("~")
    digits = tuple(int(part) if part.isdigit() else 0 for part in numbers.split("+")[0].split("."))
    return digits, not mark, rest
