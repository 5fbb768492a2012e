"""Purge: root deletes what the list in force revokes, in every release, and nothing else."""

from __future__ import annotations

import json
import time
from pathlib import Path

import pytest

from deploy.cli import main
from deploy.purge import purge
from deploy.slot import Slot
from edge.bundle import revocation
from edge.bundle.audit import AuditLog
from edge.bundle.trust.consent import Site
from edge.bundle.trust.documents import time_text
from edge.bundle.trust.store import TrustStore
from quantize.pack import write_voice
from tests.edge.bundle.trust.studio import DAY, Voice, consent, revocations, revoked, root

TODAY = int(time.time())
SITE = Site(device="kiosk-3")


class Box:
    """A device whose two content releases hold the voices of two people, and a file that is no voice."""

    def __init__(self, prefix: Path) -> None:
        self.prefix = prefix
        self.content = Slot(prefix / "opt/sovits/content")
        self.state = prefix / "var/lib/sovits-deploy"
        self.store = TrustStore(prefix / "var/lib/sovits/trust")
        self.store.accept_root(root(issued=time_text(TODAY - 30 * DAY)))
        for name in ("content-1", "content-2"):
            with self.content.staging(name) as folder:
                (folder / "voices").mkdir()
                for person in ("noah", "ava"):
                    voice = Voice(prefix / person, record=consent(consent_id=f"c-{person}")).write()
                    write_voice(voice, folder / "voices" / f"{person}.voice")
                (folder / "voices" / "torn.voice").write_bytes(b"torn")

    def names(self) -> list[str]:
        found = self.content.releases.glob("*/voices/*")
        return sorted(f"{path.parts[-3]}/{path.name}" for path in found)

    def purge(self) -> list[Path]:
        return purge(self.content, self.store, SITE, self.state, AuditLog(self.state / "audit.jsonl"))


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return Box(tmp_path / "box")


LEFT = ["content-1/ava.voice", "content-1/torn.voice", "content-2/ava.voice", "content-2/torn.voice"]


def noah_ends(seq: int = 2, action: str = "refuse_and_purge") -> bytes:
    return revocations(seq, [revoked("consent", "c-noah", TODAY - DAY, action)], issued=TODAY)


def test_only_the_revoked_voice_goes_from_every_release(box: Box) -> None:
    box.store.accept_revocations(noah_ends())
    assert len(box.purge()) == 2 and box.names() == LEFT
    assert box.purge() == []
    events = [entry["event"] for entry in AuditLog(box.state / "audit.jsonl").entries()]
    assert events == ["voice_revoked"] * 2 + ["deleted"] * 2


def test_without_a_list_or_where_it_only_refuses_nothing_goes(box: Box) -> None:
    before = box.names()
    assert box.purge() == []
    box.store.accept_revocations(noah_ends(action="refuse"))
    assert box.purge() == [] and box.names() == before


def test_a_device_that_is_revoked_loses_every_voice(box: Box) -> None:
    box.store.accept_revocations(revocations(2, [revoked("device", "kiosk-3", TODAY - DAY)], issued=TODAY))
    box.purge()
    assert box.names() == ["content-1/torn.voice", "content-2/torn.voice"]


def test_what_a_crash_left_goes_the_next_time(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    box.store.accept_revocations(noah_ends())
    real, calls = revocation._remove, iter(range(9))

    def die(path: Path) -> bool:
        if next(calls):
            raise KeyboardInterrupt
        return real(path)

    monkeypatch.setattr(revocation, "_remove", die)
    with pytest.raises(KeyboardInterrupt):
        box.purge()
    monkeypatch.undo()
    box.purge()
    assert box.names() == LEFT


def run(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, object]:
    main([*map(str, arguments), "--json"])
    values: dict[str, object] = json.loads(capsys.readouterr().out)
    return values


def test_the_command_says_before_what_it_does(box: Box, capsys: pytest.CaptureFixture[str]) -> None:
    box.store.accept_revocations(noah_ends())
    would = run(capsys, "purge", "--root", box.prefix, "--dry-run")
    assert len(box.names()) == 6
    assert run(capsys, "purge", "--root", box.prefix)["deleted"] == would["deleted"]
    assert box.names() == LEFT


def test_a_list_that_is_imported_is_carried_out(box: Box, capsys: pytest.CaptureFixture[str]) -> None:
    stick = box.prefix / "stick"
    stick.mkdir()
    (stick / "revocations.json").write_bytes(noah_ends())
    would = run(capsys, "import", stick, "--root", box.prefix, "--dry-run")
    assert len(box.names()) == 6 and would["revocations"] == 2 and "revocations: list 2" in str(would)
    assert str(would).count("delete /") == 2 and box.store.seen.revocations == 0
    run(capsys, "import", stick, "--root", box.prefix)
    assert box.names() == LEFT
