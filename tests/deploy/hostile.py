"""Hostile bundles and updates, each tried on a box that has a good one; the table of docs/trust.md.

python -m tests.deploy.hostile      writes what came out into docs/trust.md
"""

from __future__ import annotations

import base64
import hashlib
import io
import json
import random
import shutil
import tarfile
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from deploy.medium import open_medium
from deploy.update import Device, Update
from edge.bundle.bundle import CONSENT_FILE, MANIFEST_FILE, Bundle, workshop
from edge.bundle.trust.consent import Site
from edge.bundle.trust.documents import time_text
from edge.bundle.trust.gate import admit
from edge.errors import EdgeError
from quantize.pack import write_voice
from tests.edge.bundle.trust import studio
from tests.edge.bundle.trust.studio import DAY, NOW, Voice, consent, sealed, use

from .boxes import PLATFORM, make_device, make_medium, target

DOCUMENT = Path(__file__).parents[2] / "docs" / "trust.md"
BEGIN, END = "<!-- hostile: begin -->", "<!-- hostile: end -->"
MUTATIONS = 500
HERE = Site("venue", "museum-9", "kiosk-3", "CN")


class Workplace:
    """A box with release 1.1.0 installed, and a folder for what is done to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.box = folder / "box"
        for number, version in enumerate(("1.0.0", "1.1.0"), 1):
            self.update(make_medium(folder / f"good{number}", version, number))

    def device(self, now: int = NOW) -> Device:
        return make_device(self.box, now)

    def update(self, medium: Path, now: int = NOW) -> None:
        Update(self.device(now), open_medium(str(medium))).run()

    def admit(self, voice: Path, now: int = NOW) -> None:
        admit(Bundle.load(voice, gate=workshop), self.device(now).store, HERE)

    def snapshot(self) -> str:
        """What is installed and known, as one hash: everything but the log and fetched files."""
        digest = hashlib.sha256()
        for path in sorted(self.box.rglob("*")):
            name = path.relative_to(self.box).as_posix()
            if name.startswith("spool") or name == "audit.jsonl":
                continue
            content = path.readlink().as_posix().encode() if path.is_symlink() else b""
            digest.update(f"{name}\n".encode() + (path.read_bytes() if path.is_file() else content))
        outside = sorted(path.name for path in self.folder.iterdir())
        return digest.hexdigest() + " ".join(outside)


@dataclass(frozen=True)
class Attack:
    """Something hostile.

    Attributes:
        name: for the table.
        prepare: puts it into the workplace and gives what would let it in.
    """

    name: str
    prepare: Callable[[Workplace], Callable[[], None]]


def outcome(attack: Attack) -> tuple[str, bool]:
    """The line of the refusal, empty if there was none, and whether anything changed on disk."""
    with tempfile.TemporaryDirectory() as name:
        place = Workplace(Path(name))
        attempt = attack.prepare(place)
        before = place.snapshot()
        line = ""
        try:
            attempt()
        except EdgeError as error:
            line = str(error).replace(name + "/", "")
        return line, place.snapshot() != before


# --- Bundles ------------------------------------------------------------------------------------------------


def packed(place: Workplace, **options: Any) -> Path:
    folder = Voice(place.folder / "voice", **options).write()
    write_voice(folder, place.folder / "noah.voice")
    return place.folder / "noah.voice"


def with_entry(name: str, content: bytes = b"x", kind: bytes = tarfile.REGTYPE) -> Any:
    def prepare(place: Workplace) -> Callable[[], None]:
        path = packed(place)
        with tarfile.open(path, "a") as archive:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/etc/passwd" if kind != tarfile.REGTYPE else ""
            member.size = len(content) if kind == tarfile.REGTYPE else 0
            archive.addfile(member, io.BytesIO(content) if member.size else None)
        return lambda: place.admit(path)

    return prepare


def with_manifest(change: Callable[[dict[str, Any]], object], sign: bool = False) -> Any:
    def prepare(place: Workplace) -> Callable[[], None]:
        voice = Voice(place.folder / "voice")
        folder = voice.write()
        manifest = json.loads((folder / MANIFEST_FILE).read_bytes())
        change(manifest)
        (folder / MANIFEST_FILE).write_text(json.dumps(manifest))
        if sign:
            voice.sign()
        return lambda: place.admit(folder)

    return prepare


def with_voice(now: int = NOW, **options: Any) -> Any:
    def prepare(place: Workplace) -> Callable[[], None]:
        path = packed(place, **options)
        return lambda: place.admit(path, now)

    return prepare


def with_changed_file(place: Workplace) -> Callable[[], None]:
    path = packed(place)
    content = bytearray(path.read_bytes())
    content[content.index(b"decoder.onnx", 2_000) + 5_000] ^= 1
    path.write_bytes(content)
    return lambda: place.admit(path)


def with_half_a_file(place: Workplace) -> Callable[[], None]:
    path = packed(place)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    return lambda: place.admit(path)


def with_swapped_consent(place: Workplace) -> Callable[[], None]:
    folder = Voice(place.folder / "voice", record=consent(uses=[use(until=time_text(NOW - 1))])).write()
    content = sealed(consent(), [4])
    (folder / CONSENT_FILE).write_bytes(content)
    manifest = json.loads((folder / MANIFEST_FILE).read_bytes())
    digest = hashlib.sha256(content).hexdigest()
    manifest["files"][CONSENT_FILE] = {"sha256": digest, "bytes": len(content)}
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest))
    return lambda: place.admit(folder)


def with_expired_key(place: Workplace) -> Callable[[], None]:
    folder = Voice(place.folder / "voice").write(issued=time_text(NOW + 900 * DAY))
    return lambda: place.admit(folder)


def make_synthetic(manifest: dict[str, Any]) -> None:
    manifest["origin"] = {"kind": "synthetic", "statement": "nobody, honestly"}


# --- Updates ------------------------------------------------------------------------------------------------


def with_medium(
    change: Callable[[Path], object], version: str = "1.2.0", number: int = 3, **options: Any
) -> Any:
    def prepare(place: Workplace) -> Callable[[], None]:
        medium = make_medium(place.folder / "medium", version, number, seq=2, **options)
        (medium / "revocations.json").unlink()
        change(medium)
        return lambda: place.update(medium)

    return prepare


def nothing(_medium: Path) -> None:
    """Leave it as it is."""


def replay(medium: Path) -> None:
    shutil.copy(medium.parent / "good1" / "index.json", medium / "index.json")


def flip(medium: Path) -> None:
    path = medium / f"software-{PLATFORM}.tar"
    content = bytearray(path.read_bytes())
    content[600] ^= 1
    path.write_bytes(content)


def cut(medium: Path) -> None:
    path = medium / f"software-{PLATFORM}.tar"
    path.write_bytes(path.read_bytes()[:900])


def foreign(medium: Path) -> None:
    document = {"schema": "sovits-index/1", "version": 9}
    (medium / "index.json").write_bytes(sealed(document, [9]))


def studio_signs_a_release(medium: Path) -> None:
    content = (medium / "index.json").read_bytes()
    payload = json.loads(base64.b64decode(json.loads(content)["payload"]))
    (medium / "index.json").write_bytes(sealed(payload, [4]))


def old_list(medium: Path) -> None:
    (medium / "revocations.json").write_bytes(studio.revocations(1))


def other_list_same_number(medium: Path) -> None:
    (medium / "revocations.json").write_bytes(studio.revocations(2, [studio.revoked("device", "kiosk-3")]))


def own_root(medium: Path) -> None:
    (medium / "root.2.json").write_bytes(sealed(studio.root_document(2, roots=(7, 8, 9)), [7, 8]))


def one_signature(medium: Path) -> None:
    (medium / "root.2.json").write_bytes(sealed(studio.root_document(2), [1]))


def hostile_archive(name: str, kind: bytes = tarfile.REGTYPE, size: int = 1) -> Callable[[Path], None]:
    """A software archive that even the release key has signed."""

    def change(medium: Path) -> None:
        path = medium / f"software-{PLATFORM}.tar"
        with tarfile.open(path, "w") as archive:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, "/etc/cron.d" if kind != tarfile.REGTYPE else ""
            member.size = size if kind == tarfile.REGTYPE else 0
            archive.addfile(member, io.BytesIO(b"x" * size) if member.size else None)
        entry = target(path, "software", "1.2.0", PLATFORM)
        (medium / "index.json").write_bytes(studio.index(3, [entry]))

    return change


def bomb(medium: Path) -> None:
    """A header that promises three gigabytes."""
    path = medium / f"software-{PLATFORM}.tar"
    member = tarfile.TarInfo("bomb")
    member.size = 3 * 2**30
    path.write_bytes(member.tobuf() + b"\0" * 2_048)
    (medium / "index.json").write_bytes(studio.index(3, [target(path, "software", "1.2.0", PLATFORM)]))


def linked(medium: Path) -> None:
    path = medium / f"software-{PLATFORM}.tar"
    path.unlink()
    path.symlink_to("/etc/passwd")


ATTACKS = (
    Attack("bundle: entry `../evil`", with_entry("../evil")),
    Attack("bundle: absolute entry", with_entry("/etc/evil")),
    Attack("bundle: symbolic link", with_entry("weights.onnx", kind=tarfile.SYMTYPE)),
    Attack("bundle: hard link", with_entry("weights.onnx", kind=tarfile.LNKTYPE)),
    Attack("bundle: device node", with_entry("weights.onnx", kind=tarfile.CHRTYPE)),
    Attack("bundle: an entry twice", with_entry("decoder.onnx")),
    Attack(
        "bundle: a file of a terabyte, says its manifest",
        with_manifest(lambda manifest: manifest["files"]["decoder.onnx"].update(bytes=10**12), sign=True),
    ),
    Attack("bundle: one byte of a network changed", with_changed_file),
    Attack("bundle: cut in half", with_half_a_file),
    Attack("bundle: not signed", with_voice(bundle_keys=())),
    Attack("bundle: signed by a stranger", with_voice(bundle_keys=(9,))),
    Attack("bundle: signed by the release key", with_voice(bundle_keys=(5,))),
    Attack("bundle: signed when the key had expired", with_expired_key),
    Attack("bundle: a person's voice that says it is synthetic", with_manifest(make_synthetic)),
    Attack("bundle: the consent of another contract put in", with_swapped_consent),
    Attack("bundle: consent signed by a stranger", with_voice(consent_keys=(9,))),
    Attack("bundle: no consent", with_voice(record=None)),
    Attack("bundle: consent that has ended", with_voice(now=NOW + 200 * DAY)),
    Attack("bundle: consent for another venue", with_voice(record=consent(uses=[use(venues=["museum-1"])]))),
    Attack("update: an index from before, replayed", with_medium(replay)),
    Attack("update: older software under a new index", with_medium(nothing, version="0.9.0")),
    Attack("update: an index signed by a stranger", with_medium(foreign)),
    Attack("update: an index signed by the studio's key", with_medium(studio_signs_a_release)),
    Attack("update: one byte of a file changed", with_medium(flip)),
    Attack("update: a file cut short", with_medium(cut)),
    Attack("update: a link in the place of a file", with_medium(linked)),
    Attack("update: archive entry `../../evil`", with_medium(hostile_archive("../../evil"))),
    Attack("update: archive with a link", with_medium(hostile_archive("x", tarfile.SYMTYPE))),
    Attack("update: archive that promises three gigabytes", with_medium(bomb)),
    Attack("update: an older revocation list", with_medium(old_list)),
    Attack("update: another revocation list of the same number", with_medium(other_list_same_number)),
    Attack("update: keys of a stranger", with_medium(own_root)),
    Attack("update: new keys with one signature of two", with_medium(one_signature)),
)


def mutations(count: int = MUTATIONS) -> tuple[int, int, list[str]]:
    """Change bytes of a signed bundle at random: how many were refused, how many passed unchanged in content.

    Returns:
        Refused, admitted with the very content that was signed, and what should not have happened.
    """
    chance = random.Random(11)
    refused, same, wrong = 0, 0, []
    with tempfile.TemporaryDirectory() as name:
        place = Workplace(Path(name))
        path = packed(place)
        whole = path.read_bytes()
        signed = Bundle.load(path, gate=workshop).manifest_sha256
        # Two thirds of the changes go to the documents and headers in front, where there is more to gain.
        front = 12_000
        for turn in range(count):
            content = bytearray(whole)
            for _ in range(chance.randrange(1, 4)):
                content[chance.randrange(front if turn % 3 else len(content))] = chance.randrange(256)
            path.write_bytes(content)
            try:
                place.admit(path)
            except EdgeError as error:
                refused += 1
                if "\n" in str(error):
                    wrong.append(str(error))
                continue
            same += 1
            if Bundle.load(path, gate=workshop).manifest_sha256 != signed:
                wrong.append(f"turn {turn}: another content was admitted")
    return refused, same, wrong


def table() -> str:
    """The table, as Markdown."""
    rows = ["| tried | refused with | changed on disk |", "| --- | --- | --- |"]
    for attack in ATTACKS:
        line, changed = outcome(attack)
        rows.append(f"| {attack.name} | {line.replace('|', '/')} | {'**yes**' if changed else 'nothing'} |")
    refused, same, wrong = mutations()
    told = f"{refused} refused; {same} admitted, since the bytes that changed carry no content"
    rows.append(
        f"| bundle: {MUTATIONS} random changes of bytes | {told} | {'**yes**' if wrong else 'nothing'} |"
    )
    return "\n".join(rows)


def main() -> None:
    text = DOCUMENT.read_text("utf-8")
    head, rest = text.split(BEGIN)
    DOCUMENT.write_text(f"{head}{BEGIN}\n{table()}\n{END}{rest.split(END)[1]}", "utf-8")


if __name__ == "__main__":
    main()
