"""Revocation while the daemon speaks: silence within a second, everything of the voice gone, no way back."""

from __future__ import annotations

import json
import os
import shutil
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge.bundle import revocation
from edge.bundle.audit import AuditLog
from edge.bundle.bundle import Bundle, workshop
from edge.bundle.revocation import PendingEndings
from edge.bundle.trust.documents import time_text
from edge.bundle.trust.store import TrustStore
from edge.daemon import trust
from edge.daemon.journal.disk import DiskJournal
from edge.daemon.service import open_engine
from tests.edge.bundle.trust import studio
from tests.edge.bundle.trust.studio import DAY, Voice, consent, revocations, revoked, root, use
from tests.edge.daemon.broker import PATIENCE_S, wait_until
from tests.edge.daemon.conftest import Rig
from tests.edge.daemon.stand_in import StandIn

pytestmark = pytest.mark.broker

CONSENT = "c-2026-0117"
TODAY = int(time.time())


def this_week(**changes: Any) -> dict[str, Any]:
    """A use that holds now, whenever the tests run."""
    return use(**{"from": time_text(TODAY - 5 * DAY), "until": time_text(TODAY + 5 * DAY)} | changes)


class Kiosk:
    """A device with a studio's keys, a person's voice, engines made of it, and a stand-in that speaks."""

    def __init__(self, folder: Path, record: dict[str, Any] | None = None) -> None:
        self.folder, self.state = folder, folder / "state"
        self.bundle = Voice(folder / "noah", record=record or consent(uses=[this_week()])).write()
        self.store = TrustStore(self.state / "trust")
        self.store.accept_root(root(issued=time_text(TODAY - 30 * DAY)))
        self.store.accept_revocations(revocations(1, issued=TODAY - DAY))
        self.engine = self.state / "engines" / "tiny" / "engine.plan"
        self.engine.parent.mkdir(parents=True)
        self.engine.write_bytes(b"made of the voice")
        self.voice = StandIn()
        self.voice.bundle.identity = Bundle.load(self.bundle, gate=workshop).identity

    @property
    def settings(self) -> dict[str, Any]:
        return {"bundle": self.bundle, "state_dir": self.state, "voice": self.voice}

    def audit(self) -> list[str]:
        return [str(entry["event"]) for entry in AuditLog(self.state / "audit.jsonl").entries()]

    def gone(self) -> bool:
        files = [name for _, _, names in os.walk(self.state / "cache") for name in names]
        lines = [name for name in files if name.endswith(".line")]
        return not self.bundle.exists() and not self.engine.parent.exists() and not lines


@pytest.fixture
def kiosk(tmp_path: Path) -> Kiosk:
    return Kiosk(tmp_path)


@pytest.fixture
def start(start_rig: Callable[..., Rig], kiosk: Kiosk) -> Callable[..., Rig]:
    def begin(**settings: Any) -> Rig:
        rig = start_rig(**(kiosk.settings | settings))
        wait_until(lambda: "admitted" in kiosk.audit() or rig.daemon._core.state.muted)
        return rig

    return begin


def revoke(rig: Rig, content: bytes, retain: bool = True) -> float:
    return rig.client.say(f"{rig.root}/trust/revocations", content, retain=retain)


def the_list(seq: int = 2, **entry: Any) -> bytes:
    return revocations(seq, [revoked("consent", CONSENT, TODAY - DAY, **entry)], issued=TODAY)


def failed(rig: Rig, request_id: str, stage: str = "trust") -> None:
    event = rig.event(request_id, "failed")
    assert (event["code"], event["stage"], event["retryable"]) == ("voice_revoked", stage, False)
    assert CONSENT in event["message"]


@pytest.mark.parametrize("retain", [True, False])
def test_within_a_second_everything_of_the_voice_is_gone(
    start: Callable[..., Rig], kiosk: Kiosk, retain: bool
) -> None:
    rig = start()
    kiosk.voice.chunk_delay_s = 0.005
    rig.say("before", "a")
    rig.event("before", "finished")
    rig.request(
        "prepare", {"id": "p", "items": [{"character": "noah", "text": "x" * n} for n in range(300, 350)]}
    )
    rig.occupy(text="a long line " * 20)
    for number in range(3):
        rig.say(f"waiting{number}", "another line")
        rig.event(f"waiting{number}", "accepted")
    assert len(rig.daemon._core.state.cache) >= 1
    wait_until(lambda: list((kiosk.state / "cache").rglob("*.line")))
    sent = revoke(rig, the_list(), retain)
    for request_id in ("first", "waiting0", "waiting1", "waiting2"):
        failed(rig, request_id)
    wait_until(lambda: kiosk.gone() and kiosk.voice.closed)
    assert time.monotonic() - sent < 1.0
    assert len(rig.daemon._core.state.cache) == 0
    assert rig.names("first") == ["accepted", "started", "first_audio", "failed"]
    prepared = rig.client.wait(
        lambda heard: heard.topic == f"{rig.root}/response/prepare" and heard.json.get("final")
    )
    assert prepared.json["code"] == "voice_revoked"
    wait_until(lambda: kiosk.audit().count("deleted") in (2, 3))  # lines on disk go by two ways
    assert kiosk.audit()[:3] == ["admitted", "revocations", "voice_revoked"]


def test_the_line_fades_and_does_not_break_off(start: Callable[..., Rig], kiosk: Kiosk) -> None:
    rig = start()
    rig.occupy(text="a long line " * 20)
    revoke(rig, the_list())
    failed(rig, "first")
    time.sleep(0.1)
    rig.stop()
    sound = rig.sound()
    last = sound[sound != 0][-640:]  # 20 ms
    assert (abs(last[1:]) <= abs(last[:-1])).all() and abs(last[-1]) < 0.01 * abs(last[0])


def test_afterwards_the_daemon_goes_on_and_says_why_it_is_silent(
    start: Callable[..., Rig], kiosk: Kiosk
) -> None:
    rig = start()
    rig.occupy()
    revoke(rig, the_list())
    failed(rig, "first")
    rig.say("later", "hello")
    assert rig.event("later", "rejected")["code"] == "voice_revoked"
    rig.request("prepare", {"id": "q", "items": [{"text": "x"}]})
    assert rig.response("prepare", "q")["code"] == "voice_revoked"
    wait_until(lambda: rig.lamp("state")[-1] == "error")
    assert rig.lamp("character/noah/state")[-1] == "idle"
    rig.request("status", {"id": "s"})
    status = rig.response("status", "s")
    assert status["characters"] == [] and status["last_error"].startswith("voice_revoked: ")
    rig.request("stop", {"id": "t"})
    assert rig.response("stop", "t")["ok"]


def test_a_line_that_is_being_written_to_disk_fails_once(start: Callable[..., Rig], kiosk: Kiosk) -> None:
    class SlowJournal(DiskJournal):
        held: list[Callable[[], None]] = []  # noqa: RUF012 - of this test alone

        def accept(self, entry: Any, then: Callable[[], None], refused: Any) -> None:
            super().accept(entry, lambda: self.held.append(then), refused)

    kiosk.state.mkdir(exist_ok=True)
    rig = start(journal=SlowJournal(kiosk.state, 100))
    rig.say("slow", "hello")
    wait_until(lambda: SlowJournal.held)
    revoke(rig, the_list())
    wait_until(lambda: rig.daemon._core.state.muted)
    SlowJournal.held[0]()
    failed(rig, "slow")
    assert rig.names("slow") == ["accepted", "failed"]


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"not a list",
        studio.sealed(
            json.loads(
                json.dumps({"schema": "sovits-revocations/1", "seq": 9, "issued": "x", "entries": []})
            ),
            [6],
        ),
        studio.sealed(
            {
                "schema": "sovits-revocations/1",
                "seq": 9,
                "issued": time_text(TODAY),
                "next_due": time_text(TODAY + DAY),
                "stale_after": time_text(TODAY + DAY),
                "entries": [revoked("consent", CONSENT, TODAY - DAY)],
            },
            [9],
        ),
        revocations(9, [revoked("consent", "c-another", TODAY - DAY)], issued=TODAY),
        revocations(9, [revoked("consent", CONSENT, TODAY + DAY)], issued=TODAY),
    ],
    ids=["cleared", "garbage", "malformed", "stranger", "another", "not yet"],
)
def test_what_does_not_prove_itself_or_means_another_changes_nothing(
    start: Callable[..., Rig], kiosk: Kiosk, content: bytes
) -> None:
    rig = start()
    revoke(rig, content)
    rig.say("after", "still here")
    rig.event("after", "finished")
    wait_until(lambda: rig.daemon._trust._jobs.empty())
    assert kiosk.bundle.exists() and kiosk.engine.exists()
    rig.request("status", {"id": "s"})
    assert rig.response("status", "s")["last_error"] == "", "a stranger's list is no fault of the device"


def test_an_older_list_does_not_bring_a_voice_back(start: Callable[..., Rig], kiosk: Kiosk) -> None:
    rig = start()
    revoke(rig, the_list(seq=5, action="refuse"))
    wait_until(lambda: rig.daemon._core.state.muted)
    assert kiosk.bundle.exists(), "the list asks to refuse, not to purge"
    revoke(rig, revocations(4, issued=TODAY))
    rig.request("reload", {"id": "r"})
    rig.response("reload", "r")
    assert TrustStore(kiosk.state / "trust").seen.revocations == 5


def test_a_list_from_a_stick_is_noticed(start: Callable[..., Rig], kiosk: Kiosk) -> None:
    rig = start()
    rig.occupy(text="a long line " * 20)
    began = time.monotonic()
    TrustStore(kiosk.state / "trust").accept_revocations(the_list())  # as sovits-deploy import does
    failed(rig, "first")
    assert time.monotonic() - began < 1.0
    wait_until(kiosk.gone)


def test_a_disk_that_is_full_does_not_keep_the_voice_alive(
    start: Callable[..., Rig], kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = start()
    rig.occupy(text="a long line " * 20)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device")

    for module in ("edge.bundle.trust.store", "edge.bundle.trust.memory", "edge.bundle.revocation"):
        monkeypatch.setattr(f"{module}.write_whole", full)
    monkeypatch.setattr(trust, "write_whole", full)
    monkeypatch.setattr(AuditLog, "write", full)
    revoke(rig, the_list())
    failed(rig, "first")


def test_consent_that_ends_while_the_daemon_runs(
    start: Callable[..., Rig], kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = start()
    rig.occupy(text="a long line " * 40)
    TrustStore(kiosk.state / "trust").raise_floor(TODAY + 6 * DAY)
    rig.daemon._trust._next_review = 0.0
    assert rig.event("first", "failed")["code"] == "consent_missing"
    assert kiosk.bundle.exists(), "nothing was revoked"


def test_a_list_that_has_become_old_is_shown(start: Callable[..., Rig], tmp_path: Path, kiosk: Kiosk) -> None:
    kiosk.store.accept_revocations(revocations(2, issued=TODAY - 90 * DAY + 60))
    rig = start()
    wait_until(lambda: rig.lamp("state")[-1] == "degraded")
    wait_until(lambda: "too old" in rig.daemon._core.state.tally.last_error)
    rig.say("warned", "it goes on")
    rig.event("warned", "finished")


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize("dies_in", ["begin", "finish", "_remove"])
def test_a_crash_in_the_middle_is_made_good(
    start: Callable[..., Rig], kiosk: Kiosk, monkeypatch: pytest.MonkeyPatch, dies_in: str
) -> None:
    """The power goes when the list is on disk; when the deletions are noted; when the first is done."""
    rig = start()
    rig.occupy(text="a long line " * 40)
    rig.say("waiting", "another line")
    rig.event("waiting", "accepted")
    died = threading.Event()

    def die(*_: Any) -> None:
        died.set()
        raise SystemExit

    if dies_in == "_remove":
        real, calls = revocation._remove, iter(range(9))
        monkeypatch.setattr(revocation, "_remove", lambda path: die() if next(calls) else real(path))
    else:
        monkeypatch.setattr(PendingEndings, dies_in, die)
    monkeypatch.setattr(rig.daemon._trust, "_emit", lambda _: None)  # the core never hears of it
    revoke(rig, the_list())
    assert died.wait(PATIENCE_S)
    saved = kiosk.folder / "saved"
    shutil.copytree(kiosk.state, saved, ignore=shutil.ignore_patterns("lock*"))
    monkeypatch.undo()
    rig.stop()
    kiosk.state.rename(kiosk.folder / "what the living daemon wrote")
    saved.rename(kiosk.state)
    assert kiosk.engine.exists()

    again = start(voice=None, make_engine=open_engine, engine="thread")
    failed(again, "waiting", "restart")
    failed(again, "first", "restart")
    wait_until(kiosk.gone)
    wait_until(lambda: "deleted" in kiosk.audit())
    assert again.error is None


def test_a_voice_that_was_deleted_is_not_called_missing(start: Callable[..., Rig], kiosk: Kiosk) -> None:
    rig = start()
    revoke(rig, the_list())
    wait_until(kiosk.gone)
    rig.stop()
    again = start(make_engine=open_engine, voice=None, engine="thread")
    again.say("later", "hello")
    failed_event = again.event("later", "rejected")
    assert failed_event["code"] == "voice_revoked" and CONSENT in failed_event["message"]


@pytest.mark.parametrize("engine", ["process", "thread", "two processes"])
def test_a_real_voice_of_a_person_speaks_and_is_revoked(
    start: Callable[..., Rig], kiosk: Kiosk, engine: str
) -> None:
    kind = "thread" if engine == "thread" else "process"
    rig = start(make_engine=open_engine, voice=None, engine=kind, engine_hang_s=50)
    rig.say("real", "hello", character="noah")
    rig.event("real", "finished")
    ours: Any = rig.daemon._engine
    if engine == "two processes":
        items = [{"character": "noah", "text": f"hello, visitor {n}. " * 20} for n in range(300)]
        rig.request("prepare", {"items": items})
        wait_until(lambda: len(ours.pids) == 2, 60)
    revoke(rig, the_list())
    wait_until(kiosk.gone)
    wait_until(lambda: not ours.pids and (engine != "thread" or ours._synthesizer is None))
