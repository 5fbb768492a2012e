"""Gate: a person's voice passes with signature and consent for this place and time, and with nothing less."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from edge.bundle.bundle import CONSENT_FILE, MANIFEST_FILE, Bundle, workshop
from edge.bundle.trust.consent import Site
from edge.bundle.trust.documents import time_text
from edge.bundle.trust.gate import Permit, admit
from edge.bundle.trust.store import TrustStore
from edge.errors import TrustError
from quantize.pack import write_voice

from .studio import DAY, NOW, TINY, Voice, consent, name, revocations, revoked, root, sealed, use

HERE = Site("venue", "museum-9", "kiosk-3", "CN")


def make_store(path: Path, now: int = NOW) -> TrustStore:
    store = TrustStore(path / "trust", clock=lambda: now)
    store.accept_root(root())
    return store


@pytest.fixture
def store(tmp_path: Path) -> TrustStore:
    store = make_store(tmp_path)
    store.accept_revocations(revocations())
    return store


def at_gate(folder: Path, store: TrustStore, site: Site = HERE) -> Permit:
    return admit(Bundle.load(folder, gate=workshop), store, site)


def refused(folder: Path, store: TrustStore, code: str, *words: str, site: Site = HERE) -> None:
    with pytest.raises(TrustError) as caught:
        at_gate(folder, store, site)
    assert caught.value.code == code, caught.value
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


def test_a_signed_voice_with_consent_passes_in_both_forms(tmp_path: Path, store: TrustStore) -> None:
    folder = Voice(tmp_path / "voice").write()
    permit = at_gate(folder, store)
    assert permit.record is not None and permit.record.consent_id == "c-2026-0117"
    assert permit.marked and permit.warnings == ()
    write_voice(folder, tmp_path / "noah.voice")
    assert at_gate(tmp_path / "noah.voice", store).record == permit.record


def test_without_a_studio_only_synthetic_voices_pass(tmp_path: Path) -> None:
    empty = TrustStore(tmp_path / "nothing")
    assert not at_gate(TINY, empty).marked
    refused(Voice(tmp_path / "voice").write(), empty, "consent_missing", "no studio is known")
    refused(Voice(tmp_path / "voice", origin=None).write(), empty, "consent_missing", "no origin")


def test_whoever_loads_without_a_gate_gets_no_persons_voice(tmp_path: Path) -> None:
    assert Bundle.load(TINY).manifest.name == "tiny"
    for origin in (None, {"kind": "person", "references": ["0" * 64]}):
        with pytest.raises(TrustError) as caught:
            Bundle.load(Voice(tmp_path / "voice", origin=origin).write())
        assert caught.value.code == "consent_missing"


def test_with_a_studio_an_unsigned_synthetic_voice_is_refused(store: TrustStore) -> None:
    refused(TINY, store, "bundle_corrupt", "not signed", "sovits-deploy sign")
    admit(Bundle.load(TINY), store, HERE, part_of_release=True)


@pytest.mark.parametrize(
    ("voice", "code", "word"),
    [
        ({"bundle_keys": ()}, "bundle_corrupt", "not signed"),
        ({"bundle_keys": (7,)}, "bundle_corrupt", "0 valid signatures of role studio"),
        ({"bundle_keys": (5,)}, "bundle_corrupt", "0 valid signatures of role studio"),
        ({"record": None}, "consent_missing", "without consent.json"),
        ({"consent_keys": (7,)}, "consent_missing", "0 valid signatures"),
        ({"consent_keys": ()}, "consent_missing", "0 valid signatures"),
        ({"origin": None}, "consent_missing", "other recordings"),
        ({"origin": {"kind": "person", "references": ["0" * 64]}}, "consent_missing", "other recordings"),
    ],
)
def test_what_is_missing_is_named(
    tmp_path: Path, store: TrustStore, voice: dict[str, Any], code: str, word: str
) -> None:
    refused(Voice(tmp_path / "voice", **voice).write(), store, code, word)


def test_a_manifest_changed_after_signing_is_refused(tmp_path: Path, store: TrustStore) -> None:
    folder = Voice(tmp_path / "voice").write()
    manifest = json.loads((folder / MANIFEST_FILE).read_bytes())
    manifest["origin"] = {"kind": "synthetic", "statement": "nobody, honestly"}
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest))
    refused(folder, store, "bundle_corrupt", "not for this content")


def test_a_consent_swapped_for_another_is_refused(tmp_path: Path, store: TrustStore) -> None:
    """Even a genuine record of the studio: the manifest names the hash of the one that was signed with it."""
    folder = Voice(tmp_path / "voice").write()
    content = sealed(consent(uses=[use(until=time_text(NOW + 900 * DAY))]), [4])
    (folder / CONSENT_FILE).write_bytes(content)
    with pytest.raises(Exception, match=r"consent\.json has"):
        at_gate(folder, store)
    manifest = json.loads((folder / MANIFEST_FILE).read_bytes())
    digest = hashlib.sha256(content).hexdigest()
    manifest["files"][CONSENT_FILE] = {"sha256": digest, "bytes": len(content)}
    (folder / MANIFEST_FILE).write_text(json.dumps(manifest))
    refused(folder, store, "bundle_corrupt", "not for this content")


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"voice": {"characters": ["noah"], "references": ["0" * 64]}}, "does not cover character ava"),
        ({"uses": [use(languages=["zh"])]}, "does not cover language en, ja"),
        ({"uses": [use(venues=["museum-1", "museum-2"])]}, "does not cover venue 'museum-9'"),
        ({"uses": [use(devices=["kiosk-1"])]}, "does not cover device 'kiosk-3'"),
        ({"uses": [use(territory=["JP"])]}, "does not cover territory 'CN'"),
        ({"uses": [use(until=time_text(NOW - 1))]}, "ended on"),
        ({"uses": [use(**{"from": time_text(NOW + DAY)})]}, "begins on"),
        ({"uses": [use(label="cn")]}, "demands label profile cn"),
        ({"uses": [use(id="web")]}, "has no use 'venue', only web"),
    ],
)
def test_consent_covers_only_what_it_says(
    tmp_path: Path, store: TrustStore, change: dict[str, Any], word: str
) -> None:
    refused(Voice(tmp_path / "voice", record=consent(**change)).write(), store, "consent_missing", word)


def test_any_of_several_uses_is_enough(tmp_path: Path, store: TrustStore) -> None:
    uses = [use(venues=["museum-1"]), use(venues=["museum-9"], devices=["kiosk-3"], territory=["CN", "JP"])]
    permit = at_gate(Voice(tmp_path / "voice", record=consent(uses=uses)).write(), store)
    assert permit.use is not None and permit.use.venues == ("museum-9",)


def test_a_stricter_label_profile_satisfies_a_demand(tmp_path: Path, store: TrustStore) -> None:
    folder = Voice(tmp_path / "voice", record=consent(uses=[use(label="eu-art")])).write()
    refused(folder, store, "consent_missing", "demands label profile")
    assert at_gate(folder, store, Site("venue", label="eu")).use is not None


@pytest.mark.parametrize("kind", ["consent", "bundle", "model", "device", "key"])
def test_what_is_revoked_is_refused(tmp_path: Path, store: TrustStore, kind: str) -> None:
    folder = Voice(tmp_path / "voice").write()
    bundle = Bundle.load(folder, gate=workshop)
    what = {
        "consent": "c-2026-0117",
        "bundle": f"sha256:{bundle.manifest_sha256}",
        "model": f"sha256:{bundle.manifest.files['decoder.onnx'].sha256}",
        "device": "kiosk-3",
        "key": name(4),
    }[kind]
    store.accept_revocations(revocations(2, [revoked(kind, what, NOW + DAY)]))
    if kind != "key":  # a key is out from the moment that the list names it
        assert at_gate(folder, store).record is not None
    store.accept_revocations(revocations(3, [revoked(kind, what, NOW)]))
    refused(folder, store, "bundle_corrupt" if kind == "key" else "voice_revoked")


def test_a_stale_list_warns_or_mutes_as_the_consent_says(tmp_path: Path) -> None:
    late = make_store(tmp_path, NOW + 80 * DAY)
    late.accept_revocations(revocations())
    warned = at_gate(Voice(tmp_path / "voice").write(), late)
    assert "too old" in warned.warnings[0]
    record = consent(offline={"list_stale_after_days": 10, "grace": "mute"})
    refused(Voice(tmp_path / "voice", record=record).write(), late, "consent_missing", "silence")
