"""Slot: links change in one step, and every state that a cut can leave leads back to a whole release."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deploy.errors import DeployError
from deploy.recover import main as recover
from deploy.slot import STARTS, Slot


@pytest.fixture
def slot(tmp_path: Path) -> Slot:
    slot = Slot(tmp_path / "software")
    for name in ("1", "2"):
        add(slot, name)
        slot.begin_trial(name)
        slot.confirm()
    return slot


def add(slot: Slot, name: str) -> None:
    with slot.staging(name) as folder:
        (folder / "file").write_text(name)


def test_current_and_previous(slot: Slot) -> None:
    assert (slot.current(), slot.previous(), slot.names()) == ("2", "1", ["1", "2"])
    assert (slot.root / "current" / "file").read_text() == "2"


def test_what_fails_while_it_is_put_together_leaves_nothing(slot: Slot) -> None:
    with pytest.raises(KeyboardInterrupt), slot.staging("3") as folder:
        (folder / "file").write_text("3")
        raise KeyboardInterrupt
    assert slot.names() == ["1", "2"] and not list(slot.releases.glob(".*"))


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", ".hidden", "x" * 200])
def test_names_that_are_no_folder(slot: Slot, name: str) -> None:
    with pytest.raises(DeployError, match="cannot be the name"), slot.staging(name):
        pass


def test_a_release_in_use_is_not_overwritten(slot: Slot) -> None:
    with pytest.raises(DeployError, match="in use"), slot.staging("1"):
        pass


def test_a_trial_that_starts_too_often_is_ended(slot: Slot) -> None:
    add(slot, "3")
    slot.begin_trial("3")
    for _ in range(STARTS):
        assert slot.recover() == [] and slot.current() == "3"
    assert slot.recover() == ["3 did not prove itself: back to 2", "an unfinished trial was ended"]
    assert slot.current() == "2" and slot.trial() is None
    assert slot.recover() == []


def test_a_trial_that_is_passed_is_kept(slot: Slot) -> None:
    add(slot, "3")
    slot.begin_trial("3")
    slot.recover()
    slot.confirm()
    assert (slot.current(), slot.previous(), slot.names()) == ("3", "2", ["2", "3"])


def test_a_cut_between_the_note_and_the_switch(slot: Slot) -> None:
    add(slot, "3")
    (slot.root / "trial.json").write_text(json.dumps({"release": "3", "before": "2", "starts": 3}))
    slot.recover()
    assert slot.current() == "2" and slot.trial() is None


def test_going_back_and_forth(slot: Slot) -> None:
    assert slot.roll_back() == "1" and (slot.current(), slot.previous()) == ("1", "2")
    assert slot.roll_back() == "2"
    add(slot, "3")
    slot.begin_trial("3")
    assert slot.roll_back() == "2" and slot.trial() is None


def test_nothing_to_go_back_to(tmp_path: Path) -> None:
    slot = Slot(tmp_path / "software")
    with pytest.raises(DeployError, match="nothing to go back to"):
        slot.roll_back()
    with pytest.raises(DeployError, match="no release 9"):
        slot.begin_trial("9")


@pytest.mark.parametrize(
    "damage", ["link gone", "link to nothing", "release torn", "trial torn", "leftovers"]
)
def test_every_damage_leads_back_to_a_whole_release(slot: Slot, damage: str) -> None:
    link = slot.root / "current"
    if damage == "link gone":
        link.unlink()
    elif damage == "link to nothing":
        link.unlink()
        link.symlink_to("releases/9")
    elif damage == "release torn":
        (slot.path("2") / "complete.json").unlink()
    elif damage == "trial torn":
        (slot.root / "trial.json").write_text('{"rel')
    else:
        (slot.releases / ".3").mkdir()
        (slot.root / ".current.new").symlink_to("releases/3")
    slot.recover()
    assert slot.current() in slot.names() and (link / "file").read_text() == slot.current()
    assert not list(slot.releases.glob(".*")) and slot.trial() is None


def test_recovery_as_the_unit_runs_it(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert recover(["before", str(tmp_path)]) == 1
    slot = Slot(tmp_path / "opt/sovits/software")
    add(slot, "1")
    slot.begin_trial("1")
    assert recover(["before", str(tmp_path)]) == 0 and slot.trial() is not None
    assert recover(["after", str(tmp_path)]) == 0 and slot.trial() is None
    assert recover([]) == 2 and "usage" in capfd.readouterr().err
