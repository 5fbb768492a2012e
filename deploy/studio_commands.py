"""Commands of the studio's workstation: keys, sign, revoke, verify, pack."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import Any

import click
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from edge.bundle.bundle import Bundle, workshop
from edge.bundle.trust.chain import read_unverified, verify_document, verify_root
from edge.bundle.trust.consent import Site
from edge.bundle.trust.documents import ConsentRecord, Index, Revocations, Root
from edge.bundle.trust.envelope import parse_envelope
from edge.bundle.trust.gate import admit
from edge.bundle.trust.store import TrustStore
from edge.bundle.trust.strict_json import strict_json
from edge.durable import write_whole
from edge.errors import TrustError

from . import keys as key_files
from .console import Console, speaks
from .errors import DeployError
from .package import Order, pack, targets_named
from .signing import file_hash, next_revocations, sealed, sign_bundle, sign_file
from .wheelhouse import TARGETS

PASSPHRASE = "SOVITS_KEY_PASSPHRASE"
_path = click.Path(path_type=Path)
_key = click.option(
    "--key", "key_paths", multiple=True, required=True, type=_path, help="Private key (.pem)."
)
CHECKOUT = Path(__file__).parents[1]


def _passphrase() -> bytes:
    return os.environ.get(PASSPHRASE, "").encode()


def _keys(paths: tuple[Path, ...]) -> list[Ed25519PrivateKey]:
    return [key_files.load_key(path, _passphrase()) for path in paths]


@click.group(short_help="Make keys, and the list of who may sign what.")
def keys() -> None:
    """Make keys, and the list of who may sign what.

    A passphrase for private keys is taken from the environment variable SOVITS_KEY_PASSPHRASE.
    """


@keys.command("make", short_help="Make a key.")
@click.argument("path", type=_path)
@speaks
def keys_make(console: Console, path: Path) -> None:
    """Make a key: PATH with the private half, and beside it .pub with the public one."""
    if console.dry_run:
        console.result({"path": str(path)}, f"would write {path} and {path.with_suffix('.pub')}")
        return
    name = key_files.make_key(path, _passphrase())
    console.result({"path": str(path), "keyid": name}, f"{path}: key {name}")


def _role_options(function: Any) -> Any:
    for role in reversed(key_files.ROLES):
        option = click.option(
            f"--{role}", role, multiple=True, type=_path, help=f"Public key of role {role}."
        )
        function = option(function)
    return function


@keys.command("root", short_help="Write the first list of keys, or the next.")
@_role_options
@click.option("--threshold", default=2, show_default=True, help="Root keys that have to sign.")
@click.option("--days", default=1095, show_default=True, help="Until list and keys expire.")
@click.option("--previous", type=_path, help="The list in force; its keys have to sign too.")
@click.option("--out", "output", type=_path, required=True, help="Signed list to write.")
@_key
@speaks
def keys_root(
    console: Console,
    threshold: int,
    days: int,
    previous: Path | None,
    output: Path,
    key_paths: tuple[Path, ...],
    **roles: tuple[Path, ...],
) -> None:
    """Write the list of who may sign what, signed by the root keys given with --key.

    With --previous it is the next version: sign it with enough keys of both lists. More signatures are added
    with `sovits-deploy sign document`.
    """
    before = read_unverified(previous.read_bytes(), Root) if previous else None
    publics = {role: [key_files.load_public(path) for path in paths] for role, paths in roles.items()}
    document = key_files.root_document(publics, threshold, before.version + 1 if before else 1, days)
    content = sealed(document, _keys(key_paths))
    complete = _is_complete(content, before)
    if not console.dry_run:
        write_whole(output, content, 0o644)
    state = "complete" if complete else "needs more signatures: sovits-deploy sign document"
    values = {"path": str(output), "version": document["version"], "complete": complete}
    console.result(values, f"{output}: version {document['version']}, {state}")


def _is_complete(content: bytes, before: Root | None) -> bool:
    try:
        verify_root(content, before)
    except TrustError:
        return False
    return True


@click.group(short_help="Sign a document or a bundle.")
def sign() -> None:
    """Sign a document or a bundle."""


@sign.command("document", short_help="Sign a JSON document, or add a signature.")
@click.argument("path", type=_path)
@_key
@speaks
def sign_document(console: Console, path: Path, key_paths: tuple[Path, ...]) -> None:
    """Sign PATH in place: a plain document of ours, or a signed one that needs more signatures."""
    keys_ = _keys(key_paths)
    schema = "document" if console.dry_run else sign_file(path, keys_)
    console.result({"path": str(path), "schema": schema}, f"{path}: {schema} signed")


@sign.command("bundle", short_help="Sign a voice bundle.")
@click.argument("path", type=_path)
@_key
@speaks
def sign_voice(console: Console, path: Path, key_paths: tuple[Path, ...]) -> None:
    """Sign a voice bundle, directory or .voice file, with the studio's key."""
    keys_ = _keys(key_paths)
    bundle = Bundle.load(path, gate=workshop) if console.dry_run else sign_bundle(path, keys_)
    values = {"path": str(path), "name": bundle.manifest.name, "manifest_sha256": bundle.manifest_sha256}
    console.result(values, f"{path}: {bundle.manifest.name} {bundle.manifest.version} signed")


@sign.command("hash", short_help="SHA-256 of recordings, as a consent record names them.")
@click.argument("paths", nargs=-1, required=True, type=_path)
@speaks
def sign_hash(console: Console, paths: tuple[Path, ...]) -> None:
    """Print the SHA-256 of files: a consent record names its recordings so."""
    hashes = {str(path): file_hash(path) for path in paths}
    console.result({"sha256": hashes}, "\n".join(f"{value}  {name}" for name, value in hashes.items()))


@click.command(short_help="Revoke something, or renew the list.")
@click.option("--list", "path", type=_path, required=True, help="List in force; made if it is not there.")
@click.option("--kind", type=click.Choice(["consent", "bundle", "model", "key", "device"]))
@click.option("--id", "name", help="What to revoke: a consent, sha256:..., a key or a device.")
@click.option(
    "--reason", type=click.Choice(["withdrawn", "expired", "compromised", "error"]), default="withdrawn"
)
@click.option("--action", type=click.Choice(["refuse", "refuse_and_purge"]), default="refuse_and_purge")
@click.option("--days", default=90, show_default=True, help="Until the list counts as old.")
@_key
@speaks
def revoke(
    console: Console, path: Path, kind: str | None, name: str | None, reason: str, action: str, days: int,
    key_paths: tuple[Path, ...],
) -> None:  # fmt: skip
    """Write the next revocation list: everything before, and what is revoked now.

    Without --kind and --id the list is only renewed, so that devices do not take it for old.
    """
    if (kind is None) != (name is None):
        raise click.UsageError("--kind and --id go together")
    entry = {"kind": kind, "id": name, "reason": reason, "action": action} if kind and name else None
    document = next_revocations(path.read_bytes() if path.exists() else None, entry, days)
    content = sealed(document, _keys(key_paths))
    if not console.dry_run:
        write_whole(path, content, 0o644)
    values = {"path": str(path), "seq": document["seq"], "entries": len(document["entries"])}
    console.result(values, f"{path}: list {document['seq']}, {len(document['entries'])} entries")


@click.command(short_help="Check a document or a bundle as a device would.")
@click.argument("path", type=_path)
@click.option("--root", "root_path", type=_path, required=True, help="List of keys in force.")
@click.option("--revocations", type=_path, help="Newest revocation list.")
@click.option("--venue", default="", help="Check the consent for this venue.")
@click.option("--device", default="", help="Check the consent for this device.")
@click.option("--territory", default="", help="Check the consent for this country.")
@click.option("--use", default="venue", show_default=True, help="Which of the consent's uses.")
@speaks
def verify(
    console: Console, path: Path, root_path: Path, revocations: Path | None, venue: str, device: str,
    territory: str, use: str,
) -> None:  # fmt: skip
    """Check a document or a bundle as a device with these keys would; one line says why it is refused."""
    with tempfile.TemporaryDirectory() as folder:
        store = TrustStore(Path(folder))
        root = read_unverified(root_path.read_bytes(), Root)
        if root.version == 1:
            store.accept_root(root_path.read_bytes())
        else:
            store.root = verify_root(root_path.read_bytes(), None)
        if revocations is not None:
            store.accept_revocations(revocations.read_bytes())
        values = _verified(path, store, Site(use, venue, device, territory))
    console.result(values, ", ".join(f"{key} {value}" for key, value in values.items()))


def _verified(path: Path, store: TrustStore, site: Site) -> dict[str, Any]:
    if path.is_dir() or path.suffix == ".voice":
        permit = admit(Bundle.load(path, gate=workshop), store, site)
        consent = permit.record.consent_id if permit.record else "not needed"
        return {"bundle": str(path), "consent": consent, "warnings": list(permit.warnings)}
    content = path.read_bytes()
    payload = parse_envelope(content, path.name).content()
    schema = str(strict_json(payload, path.name).get("schema"))
    if schema == "sovits-index/1":
        return {"index": verify_document(content, Index, store.keys(), "release").version}
    if schema == "sovits-revocations/1":
        return {"revocations": verify_document(content, Revocations, store.keys(), "revocation").seq}
    if schema == "sovits-consent/1":
        return {"consent": verify_document(content, ConsentRecord, store.keys(), "studio").consent_id}
    if schema == "sovits-root/1":
        return {"root": verify_root(content, None).version}
    raise DeployError(f"{path}: schema {schema!r} is not one that can be checked")


@click.command("pack", short_help="Make a medium, a tar and Debian packages for devices.")
@click.option("--out", "output", type=_path, required=True, help="Folder to write to.")
@click.option("--target", "names", multiple=True, type=click.Choice(list(TARGETS)), help="Kind of device.")
@click.option("--voice", multiple=True, type=_path, help="Voice bundle (.voice), signed.")
@click.option("--show", multiple=True, type=_path, help="Show file (.show.json).")
@click.option("--lexicon", multiple=True, type=_path, help="Lexicon (.lexicon).")
@click.option("--labels", multiple=True, type=_path, help="Label policy (.labels.json).")
@click.option(
    "--root", "roots", multiple=True, type=_path, required=True, help="Key lists, from version 1 on."
)
@click.option("--revocations", type=_path, required=True, help="Newest revocation list.")
@click.option("--previous-index", type=_path, help="Index of the medium before: its version is raised.")
@click.option("--source", type=_path, default=CHECKOUT, help="Checkout to build the software from.")
@click.option("--no-software", is_flag=True, help="Content alone.")
@click.option("--no-deb", is_flag=True, help="No Debian packages.")
@click.option("--allow-downgrade", is_flag=True, help="Devices may go back to an older software.")
@_key
@speaks
def pack_command(
    console: Console, output: Path, names: tuple[str, ...], roots: tuple[Path, ...], revocations: Path,
    previous_index: Path | None, source: Path, no_software: bool, no_deb: bool, allow_downgrade: bool,
    key_paths: tuple[Path, ...], **content: tuple[Path, ...],
) -> None:  # fmt: skip
    """Make what devices are updated from: a folder for a stick or a web server, one tar, and Debian packages.

    Needs the network for the wheels (pip download), the devices then need none. Sign with the release key.
    """
    order = Order(
        targets=targets_named(names or list(TARGETS)),
        roots=roots,
        revocations=revocations,
        content=content,
        previous_index=previous_index,
        allow_downgrade=allow_downgrade,
        source=None if no_software else source,
        constraints=source / "constraints" / "device.txt",
        deb=not no_deb,
    )
    if console.dry_run:
        planned = [target.name for target in order.targets] if order.source else []
        console.result(
            {"targets": planned, "out": str(output)}, f"would pack {', '.join(planned) or 'content'}"
        )
        return
    written = pack(order, _keys(key_paths), output, console.step)
    console.result({"written": [str(path) for path in written]}, "\n".join(map(str, written)))
