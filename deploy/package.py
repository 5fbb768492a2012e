"""A medium for devices: wheelhouses, voices, show files, keys and revocations under one signed index."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.bundle.bundle import Bundle, workshop
from edge.bundle.trust.chain import read_unverified, verify_document, verify_root
from edge.bundle.trust.documents import Index, Revocations, Root, time_text

from .archive import write_tar
from .debian_package import build_deb
from .errors import DeployError
from .keys import DAY_S
from .signing import sealed
from .wheelhouse import TARGETS, Target, build_wheel, fill

SUFFIXES = {"voice": ".voice", "show": ".show.json", "lexicon": ".lexicon", "labels": ".labels.json"}


@dataclass(frozen=True)
class Order:
    """What goes onto a medium."""

    targets: tuple[Target, ...]
    """Kinds of devices."""
    roots: tuple[Path, ...]
    """Key lists from version 1 on, signed."""
    revocations: Path
    """Newest list, signed."""
    content: Mapping[str, Sequence[Path]] = field(default_factory=dict)
    """Files by kind: ``voice``, ``show``, ``lexicon``, ``labels``."""
    previous_index: Path | None = None
    """Index of the medium before, whose version is raised."""
    days: int = 365
    """Until the index expires."""
    allow_downgrade: bool = False
    """Devices may go back to an older software."""
    source: Path | None = None
    """Checkout whose wheel is built; None: no software."""
    constraints: Path | None = None
    """Exact versions of what the software needs."""
    deb: bool = True
    """Also build Debian packages."""


def targets_named(names: Sequence[str]) -> tuple[Target, ...]:
    """Wheelhouse targets of these names.

    Raises:
        DeployError: there is no such target.
    """
    unknown = [name for name in names if name not in TARGETS]
    if unknown:
        raise DeployError(f"no target {', '.join(unknown)}; there are {', '.join(TARGETS)}")
    return tuple(TARGETS[name] for name in names)


def pack(
    order: Order,
    keys: Sequence[Ed25519PrivateKey],
    output: Path,
    step: Callable[[str], None] = lambda _text: None,
    now: float | None = None,
) -> list[Path]:
    """Write the medium as a folder, as one tar and, if asked, as Debian packages; gives what was written.

    Raises:
        EdgeError: a document or a bundle is damaged, a package has no wheel, or a key does not fit.
    """
    medium = output / "medium"
    medium.mkdir(parents=True, exist_ok=True)
    step("checking documents")
    root = _documents(order, medium)
    targets = [*_software(order, medium, step), *_content(order, medium)]
    moment = time.time() if now is None else now
    index = {
        "schema": "sovits-index/1",
        "version": _next_version(order.previous_index),
        "issued": time_text(moment),
        "expires": time_text(moment + order.days * DAY_S),
        "targets": targets,
        "allow_downgrade": order.allow_downgrade,
    }
    content = sealed(index, keys)
    _refuse_foreign_key(content, root)
    (medium / "index.json").write_bytes(content)
    return [medium, *_bind(order, medium, targets, output, step)]


def _bind(
    order: Order, medium: Path, targets: list[dict[str, object]], output: Path, step: Callable[[str], None]
) -> list[Path]:
    """One tar of everything, and a package for each kind of device with what that one needs."""
    documents = sorted(path.name for path in medium.glob("*.json") if not path.name.endswith(".show.json"))
    names = [*dict.fromkeys([*documents, *(str(target["name"]) for target in targets)])]
    step("writing the tar")
    written = [output / "sovits-medium.tar"]
    write_tar(written[0], {name: medium / name for name in names})
    for target in order.targets if order.deb and order.source else ():
        step(f"building the package of {target.name}")
        own = [*documents, *(str(one["name"]) for one in targets if one["platform"] in ("any", target.name))]
        software = next(one for one in targets if one["platform"] == target.name)
        written.append(build_deb(medium, own, target, str(software["version"]), output))
    return written


def _documents(order: Order, medium: Path) -> Root:
    """Copy keys and revocations after checking that devices will take them."""
    root: Root | None = None
    for path in order.roots:
        content = _bytes(path)
        root = verify_root(content, root)
        (medium / f"root.{root.version}.json").write_bytes(content)
    if root is None:
        raise DeployError("no key list; give every version from the first on with --root FILE")
    content = _bytes(order.revocations)
    read_unverified(content, Revocations)
    (medium / "revocations.json").write_bytes(content)
    return root


def _software(order: Order, medium: Path, step: Callable[[str], None]) -> list[dict[str, object]]:
    if order.source is None or order.constraints is None:
        return []
    work = medium.with_name(".work")
    shutil.rmtree(work, ignore_errors=True)
    try:
        step("building the wheel")
        wheel = build_wheel(order.source, work)
        version = wheel.name.split("-")[1]
        return [
            _wheelhouse(order.constraints, target, wheel, version, medium, step) for target in order.targets
        ]
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _wheelhouse(
    constraints: Path, target: Target, wheel: Path, version: str, medium: Path, step: Callable[[str], None]
) -> dict[str, object]:
    folder = wheel.parent / target.name
    fill(target, constraints.read_text("utf-8"), wheel, folder, step)
    path = medium / f"software-{target.name}.tar"
    write_tar(path, {one.name: one for one in sorted(folder.iterdir())})
    return _entry(path, "software", version, target.name)


def _content(order: Order, medium: Path) -> list[dict[str, object]]:
    entries = []
    for kind, paths in order.content.items():
        for path in paths:
            if not path.name.endswith(SUFFIXES[kind]):
                raise DeployError(f"{path}: a {kind} has a name that ends in {SUFFIXES[kind]}")
            version = "1.0.0"
            if kind == "voice":
                version = Bundle.load(path, gate=workshop).manifest.version
            shutil.copyfile(path, medium / path.name)
            entries.append(_entry(medium / path.name, kind, version, "any"))
    return entries


def _entry(path: Path, kind: str, version: str, platform: str) -> dict[str, object]:
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    return {
        "name": path.name,
        "kind": kind,
        "version": version,
        "length": len(content),
        "sha256": digest,
        "platform": platform,
    }


def _next_version(previous: Path | None) -> int:
    return 1 if previous is None else read_unverified(_bytes(previous), Index).version + 1


def _refuse_foreign_key(content: bytes, root: Root) -> None:
    """See before the journey that devices will believe the index."""
    verify_document(content, Index, root, "release")


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DeployError(f"{path}: {error.strerror}; name a file that is there") from error
