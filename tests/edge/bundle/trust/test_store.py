"""Trust store: keys follow each other, numbers only rise, and a damaged store says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from edge.bundle.trust.documents import time_text
from edge.bundle.trust.store import TrustStore
from edge.errors import TrustError

from . import studio
from .studio import DAY, NOW, index, name, revocations, revoked, root, sealed


def open_store(path: Path, now: int = NOW) -> TrustStore:
    return TrustStore(path / "trust", path / "copy", lambda: now)


@pytest.fixture
def store(tmp_path: Path) -> TrustStore:
    store = open_store(tmp_path)
    store.accept_root(root())
    return store


def refused(call: Any, content: bytes, *words: str) -> None:
    with pytest.raises(TrustError) as caught:
        call(content)
    assert "\n" not in str(caught.value)
    for word in words:
        assert word in str(caught.value)


# --- Keys ---------------------------------------------------------------------------------------------------


def test_the_first_key_list_needs_its_own_threshold(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    refused(store.accept_root, root([1]), "1 valid signatures", "2 needed")
    refused(store.accept_root, root([1, 4]), "1 valid signatures")
    refused(store.accept_root, sealed(studio.root_document(), [1, 1]), "1 valid signatures")
    assert store.accept_root(root([3, 1])).version == 1


def test_keys_rotate_with_the_consent_of_the_keys_before(store: TrustStore, tmp_path: Path) -> None:
    fresh = studio.root_document(version=2, roots=(7, 8, 9))
    refused(store.accept_root, sealed(fresh, [7, 8]), "0 valid signatures")
    refused(store.accept_root, sealed(fresh, [1, 2]), "0 valid signatures")
    store.accept_root(sealed(fresh, [1, 2, 7, 8]))
    again = open_store(tmp_path)
    assert again.root is not None and again.root.version == 2
    refused(again.accept_root, root(), "does not follow 2")


def test_a_version_cannot_be_left_out(store: TrustStore) -> None:
    refused(store.accept_root, root(version=3), "version 3 does not follow 1", "bring every version")


def test_an_expired_key_list_is_refused(tmp_path: Path) -> None:
    late = open_store(tmp_path, NOW + 1000 * DAY)
    refused(late.accept_root, root(), "expired")


def test_a_key_list_whose_names_lie_is_refused(tmp_path: Path) -> None:
    document = studio.root_document()
    document["keys"][name(4)]["public"] = document["keys"][name(5)]["public"]
    refused(open_store(tmp_path).accept_root, sealed(document, [1, 2]), "another name")


@pytest.mark.parametrize(
    "grant", [{"keyids": [name(4)], "threshold": 2}, {"keyids": [name(4), name(4)], "threshold": 2}]
)
def test_a_threshold_that_cannot_be_met_is_refused(tmp_path: Path, grant: dict[str, Any]) -> None:
    document = studio.root_document()
    document["roles"]["studio"] = grant
    refused(open_store(tmp_path).accept_root, sealed(document, [1, 2]), "cannot be met")


# --- Revocation list ----------------------------------------------------------------------------------------


def test_a_newer_list_is_taken_and_survives_a_restart(store: TrustStore, tmp_path: Path) -> None:
    assert store.accept_revocations(revocations(4, [revoked("consent", "c-1")]))
    assert not store.accept_revocations(revocations(4, [revoked("consent", "c-1")]))
    again = open_store(tmp_path)
    assert again.revocations is not None and again.revocations.entries[0].id == "c-1"
    refused(again.accept_revocations, revocations(3), "seq 3 is older than 4")
    refused(again.accept_revocations, revocations(4), "another list with the same seq")


def test_only_the_role_may_sign_and_only_its_kind(store: TrustStore) -> None:
    document = {"schema": "sovits-revocations/1", "seq": 9}
    refused(store.accept_revocations, sealed(document, [4]), "0 valid signatures of role revocation")
    refused(store.accept_revocations, index(), "signed as", "revocations")


def test_a_revoked_key_no_longer_signs(store: TrustStore) -> None:
    store.accept_revocations(revocations(2, [revoked("key", name(5))]))
    refused(store.check_index, index(), "0 valid signatures")


def test_a_list_becomes_stale(store: TrustStore, tmp_path: Path) -> None:
    assert store.freshness().stale and store.freshness().seq == 0
    store.accept_revocations(revocations(2))
    assert not store.freshness().stale and store.freshness().age_s == DAY
    assert open_store(tmp_path, NOW + 100 * DAY).freshness().stale


# --- Index, clock and memory --------------------------------------------------------------------------------


def test_a_replayed_index_is_refused_once_a_newer_one_was_taken(store: TrustStore) -> None:
    store.accept_index(index(7))
    refused(store.check_index, index(6), "version 6 is older than 7")
    assert store.accept_index(index(7)).version == 7


def test_an_expired_index_is_refused_even_when_the_clock_was_set_back(tmp_path: Path) -> None:
    store = open_store(tmp_path)
    store.accept_root(root())
    store.raise_floor(NOW + 200 * DAY)
    set_back = open_store(tmp_path, NOW)
    assert set_back.now() == NOW + 200 * DAY
    assert any("set the clock" in fault for fault in set_back.faults)
    refused(set_back.check_index, index(), "expired")


def test_an_expired_key_does_not_sign(tmp_path: Path) -> None:
    document = studio.root_document()
    document["keys"][name(5)]["until"] = time_text(NOW - 2 * DAY)
    store = open_store(tmp_path)
    store.accept_root(sealed(document, [1, 2]))
    refused(store.check_index, index(), "had expired")


def test_one_lost_copy_is_mended_from_the_other_and_said(store: TrustStore, tmp_path: Path) -> None:
    store.accept_index(index(7))
    (tmp_path / "trust" / "seen.json").unlink()
    again = open_store(tmp_path)
    assert again.seen.index == 7 and any("seen.json is missing" in fault for fault in again.faults)
    again.accept_index(index(8))
    assert open_store(tmp_path).faults == []


def test_a_forged_copy_does_not_lower_the_numbers(store: TrustStore, tmp_path: Path) -> None:
    store.accept_index(index(7))
    path = tmp_path / "trust" / "seen.json"
    path.write_text(path.read_text().replace('\\"index\\": 7', '\\"index\\": 1'))
    again = open_store(tmp_path)
    assert again.seen.index == 7 and any("check value" in fault for fault in again.faults)


def test_two_damaged_copies_are_not_a_fresh_device(store: TrustStore, tmp_path: Path) -> None:
    store.accept_index(index(7))
    for path in (tmp_path / "trust" / "seen.json", tmp_path / "copy" / "seen-copy.json"):
        path.write_bytes(b"")
    with pytest.raises(TrustError, match="cannot be verified"):
        open_store(tmp_path)


def test_an_older_list_put_in_the_place_of_the_newest_is_noticed(store: TrustStore, tmp_path: Path) -> None:
    store.accept_revocations(revocations(2))
    old = (tmp_path / "trust" / "revocations.json").read_bytes()
    store.accept_revocations(revocations(3))
    (tmp_path / "trust" / "revocations.json").write_bytes(old)
    with pytest.raises(TrustError, match="seq 2, but 3 was seen"):
        open_store(tmp_path)
