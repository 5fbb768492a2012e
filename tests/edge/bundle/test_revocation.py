"""Revocation: which voices end, what is deleted, and that a crash in between is made good."""

from __future__ import annotations

from pathlib import Path

import pytest

from edge.bundle import revocation
from edge.bundle.audit import AuditLog
from edge.bundle.revocation import Ending, Holding, PendingEndings, plan_endings
from edge.bundle.trust.store import TrustStore

from .trust.studio import DAY, NOW, revocations, revoked, root


def planned(tmp_path: Path, entries: list[dict[str, str]], *holdings: Holding) -> tuple[Ending, ...]:
    store = TrustStore(tmp_path / "trust", clock=lambda: NOW)
    store.accept_root(root())
    store.accept_revocations(revocations(5, entries))
    return plan_endings(store.revocations, holdings, store.now())


NOAH = Holding("sha256:1", frozenset({"sha256:m"}), "c-1", "kiosk-3", ("noah",), Path("n"), (Path("engine"),))
AVA = Holding("sha256:2", frozenset({"sha256:o"}), "", "kiosk-3", ("ava",), Path("a"))


def test_only_what_is_named_ends(tmp_path: Path) -> None:
    (ending,) = planned(tmp_path, [revoked("consent", "c-1")], NOAH, AVA)
    assert ending.characters == ("noah",) and ending.code == "voice_revoked"
    assert ending.delete == (Path("n"), Path("engine"))
    assert "consent c-1 was revoked (withdrawn) by list 5" in ending.reason


def test_a_device_ends_with_everything_on_it(tmp_path: Path) -> None:
    assert len(planned(tmp_path, [revoked("device", "kiosk-3")], NOAH, AVA)) == 2


def test_refusing_deletes_nothing_and_the_future_is_not_yet(tmp_path: Path) -> None:
    (ending,) = planned(tmp_path, [revoked("model", "sha256:m", action="refuse")], NOAH, AVA)
    assert ending.delete == ()
    assert planned(tmp_path / "b", [revoked("consent", "c-1", NOW + DAY)], NOAH) == ()


def test_a_name_of_one_kind_is_not_one_of_another(tmp_path: Path) -> None:
    entries = [revoked("bundle", "c-1"), revoked("consent", "kiosk-3"), revoked("key", "sha256:1")]
    assert planned(tmp_path, entries, NOAH, AVA) == ()


def test_nothing_is_revoked_without_a_list() -> None:
    assert plan_endings(None, [NOAH, AVA], NOW) == ()


@pytest.fixture
def things(tmp_path: Path) -> tuple[Path, ...]:
    folder, file, link = tmp_path / "voice", tmp_path / "engine.plan", tmp_path / "link"
    folder.mkdir()
    (folder / "decoder.onnx").write_bytes(b"x")
    file.write_bytes(b"y")
    (tmp_path / "kept").mkdir()
    link.symlink_to(tmp_path / "kept")
    return folder, file, link, tmp_path / "never-was"


def test_everything_named_is_deleted_once_and_a_link_only_itself(
    tmp_path: Path, things: tuple[Path, ...]
) -> None:
    pending = PendingEndings(tmp_path / "pending.json")
    pending.begin([Ending("b", ("noah",), "r", things)])
    assert pending.finish() == things[:3]
    assert not any(path.exists() for path in things) and (tmp_path / "kept").is_dir()
    assert pending.left() == () and pending.finish() == ()


@pytest.mark.parametrize("crash_at", range(4))
def test_a_crash_in_the_middle_is_made_good(
    tmp_path: Path, things: tuple[Path, ...], crash_at: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    pending = PendingEndings(tmp_path / "pending.json")
    pending.begin([Ending("b", ("noah",), "r", things)])
    real, calls = revocation._remove, iter(range(100))

    def remove(path: Path) -> bool:
        if next(calls) == crash_at:
            raise KeyboardInterrupt
        return real(path)

    monkeypatch.setattr(revocation, "_remove", remove)
    with pytest.raises(KeyboardInterrupt):
        pending.finish()
    monkeypatch.undo()
    PendingEndings(tmp_path / "pending.json").finish()
    assert not any(path.exists() for path in things)


def test_a_folder_half_deleted_is_deleted_whole(tmp_path: Path, things: tuple[Path, ...]) -> None:
    pending = PendingEndings(tmp_path / "pending.json")
    pending.begin([Ending("b", (), "r", things[:1])])
    things[0].rename(tmp_path / ".voice.revoked")  # the power went after the first step
    pending.finish()
    assert not (tmp_path / ".voice.revoked").exists()


def test_what_cannot_be_deleted_stays_noted(
    tmp_path: Path, things: tuple[Path, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = revocation._remove

    def remove(path: Path) -> bool:
        if path == things[0]:
            raise PermissionError("read-only")
        return real(path)

    pending = PendingEndings(tmp_path / "pending.json")
    pending.begin([Ending("b", (), "r", things)])
    monkeypatch.setattr(revocation, "_remove", remove)
    with pytest.raises(PermissionError):
        pending.finish()
    assert not things[1].exists() and things[0] in pending.left()


def test_the_audit_log_keeps_whole_lines_only_and_forgets_after_its_time(tmp_path: Path) -> None:
    now = [NOW - 200 * DAY]
    log = AuditLog(tmp_path / "log" / "audit.jsonl", lambda: now[0])
    log.write("admitted", consent="c-1")
    now[0] = NOW
    with (tmp_path / "log" / "audit.jsonl").open("a") as file:
        file.write('{"t": 1, "ev')  # the power went
    log.write("voice_revoked", seq=5, consent="c-1")
    assert [entry["event"] for entry in log.entries()] == ["admitted", "voice_revoked"]
    assert log.prune() == 1 and [entry["event"] for entry in log.entries()] == ["voice_revoked"]
