"""The role on two boxes, in waves: content goes out, comes back, and a fault stops what comes after it.

The boxes are two folders on this machine, each behind a real SSH server of its own where there is one, else
reached directly; what needs a package manager and systemd is in ``check_fleet``.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.bundle.bundle import Bundle, workshop
from tests.deploy.ssh import SSHD, Server, reach, servers
from tests.deploy.test_cli import PACK, Say, good, make_software, run, studio, voice

pytestmark = [
    pytest.mark.fleet,
    pytest.mark.skipif(
        not (shutil.which("ansible-playbook") or (Path(sys.executable).parent / "ansible-playbook").exists()),
        reason="needs ansible-playbook (pip install ansible-core)",
    ),
]
__all__ = ["studio", "voice"]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def boxes(tmp_path: Path) -> dict[str, Path]:
    return {name: make_software(tmp_path / name) for name in ("kiosk-1", "kiosk-2")}


@pytest.fixture
def doors(tmp_path: Path, boxes: dict[str, Path]) -> Iterator[dict[str, Server]]:
    """SSH servers of the boxes."""
    if SSHD is None:
        pytest.skip("no SSH server: apt-get install openssh-server")
    with servers(tmp_path / "ssh", list(boxes)) as found:
        yield found


@pytest.fixture(params=["local", "ssh"])
def inventory(tmp_path: Path, boxes: dict[str, Path], request: pytest.FixtureRequest) -> Path:
    """Both boxes, each reached by the command with another root."""
    found = request.getfixturevalue("doors") if request.param == "ssh" else {}
    command = tmp_path / "sovits-deploy"
    command.write_text(f'#!/bin/sh\nPYTHONPATH={ROOT} exec {sys.executable} -m deploy "$@"\n')
    command.chmod(0o755)
    hosts = {
        name: {
            "sovits_options": ["--root", str(box)],
            "sovits_incoming": str(tmp_path / f"{name}-incoming"),
            **(reach(tmp_path / "ssh", found[name]) if found else {"ansible_connection": "local"}),
        }
        for name, box in boxes.items()
    }
    common = {
        "ansible_python_interpreter": sys.executable,
        "sovits_become": False,
        "sovits_command": [str(command)],
        "sovits_unstarted": ["--no-start"],
        "sovits_patience": 1,
    }
    path = tmp_path / "hosts.json"
    path.write_text(json.dumps({"sovits": {"hosts": hosts, "vars": common}}))
    return path


def current(box: Path) -> str:
    link = box / "opt/sovits/content/current"
    return link.readlink().name if link.is_symlink() else ""


def results(values: dict[str, Any]) -> dict[str, Any]:
    return {one["host"]: one["result"] for one in values["boxes"]}


def test_content_goes_out_in_waves_and_comes_back(
    inventory: Path, boxes: dict[str, Path], voice: Path, studio: Path, capsys: Say
) -> None:
    good(capsys, *PACK, "--voice", voice, "--out", "out", "--key", "release.pem")
    update = ("fleet", "update", "-i", inventory, "--medium", "out/medium")
    rehearsed = results(good(capsys, *update, "--dry-run"))
    assert all("would change content" in box["notes"] for box in rehearsed.values())
    assert [current(box) for box in boxes.values()] == ["", ""]

    done = results(good(capsys, *update))
    assert {box["content"] for box in done.values()} == {current(boxes["kiosk-1"])} != {""}
    first = current(boxes["kiosk-1"])
    assert not list(studio.glob("*-incoming"))

    status = results(good(capsys, "fleet", "status", "-i", inventory, "--limit", "kiosk-2"))
    assert list(status) == ["kiosk-2"] and status["kiosk-2"]["content"]["current"] == first

    lexicon = studio / "venue.lexicon"
    lexicon.write_text("Noah N OW1 AH0\n")
    more = ("--voice", voice, "--lexicon", lexicon, "--previous-index", "out/medium/index.json")
    good(capsys, *PACK, *more, "--out", "next", "--key", "release.pem")
    good(capsys, "fleet", "update", "-i", inventory, "--medium", "next/medium")
    assert current(boxes["kiosk-1"]) == current(boxes["kiosk-2"]) != first
    good(capsys, "fleet", "rollback", "-i", inventory, "--only", "content")
    assert {current(box) for box in boxes.values()} == {first}


def test_a_revocation_reaches_everybody(
    inventory: Path, boxes: dict[str, Path], voice: Path, capsys: Say
) -> None:
    good(capsys, *PACK, "--voice", voice, "--out", "out", "--key", "release.pem")
    good(capsys, "fleet", "update", "-i", inventory, "--medium", "out/medium", "--waves", "100%")
    bundle = Bundle.load(voice, gate=workshop)
    what = ("--kind", "bundle", "--id", f"sha256:{bundle.manifest_sha256}", "--action", "refuse_and_purge")
    good(capsys, "revoke", "--list", "out/medium/revocations.json", *what, "--key", "revocation.pem")
    done = results(good(capsys, "fleet", "revoke", "-i", inventory, "--medium", "out/medium"))
    assert {box["revocations"] for box in done.values()} == {2}
    for box in boxes.values():
        assert not list((box / "opt/sovits/content").rglob("tiny.voice"))


def test_a_fault_in_a_wave_is_the_last_wave(
    inventory: Path, boxes: dict[str, Path], voice: Path, capsys: Say
) -> None:
    good(capsys, *PACK, "--voice", voice, "--out", "out", "--key", "release.pem")
    (boxes["kiosk-1"] / "opt/sovits/software/current/venv/bin/python").write_text("#!/bin/sh\nexit 3\n")
    arguments = ("fleet", "update", "-i", inventory, "--medium", "out/medium", "--json")
    status, out, error = run(capsys, *arguments)
    assert status == 2 and "1 of 1 boxes failed" in error
    (report,) = json.loads(out.splitlines()[-1])["boxes"]
    assert report["host"] == "kiosk-1" and "could not speak the golden line" in report["error"]
    assert current(boxes["kiosk-2"]) == "", "the second wave was not tried"


@pytest.mark.parametrize("inventory", ["ssh"], indirect=True)
@pytest.mark.parametrize("number", [0, 1])
def test_a_box_that_cannot_be_reached_is_a_fault_of_its_own(
    inventory: Path,
    boxes: dict[str, Path],
    doors: dict[str, Server],
    voice: Path,
    capsys: Say,
    number: int,
) -> None:
    good(capsys, *PACK, "--voice", voice, "--out", "out", "--key", "release.pem")
    doors[f"kiosk-{number + 1}"].stop()
    arguments = ("fleet", "update", "-i", inventory, "--medium", "out/medium", "--json")
    status, out, error = run(capsys, *arguments)
    assert status == 2 and f"1 of {number + 1} boxes failed" in error
    *before, last = json.loads(out.splitlines()[-1])["boxes"]
    assert not last["ok"] and "cannot be reached" in last["error"] and "refused" in last["error"]
    assert [one["ok"] for one in before] == [True] * number
    assert (current(boxes["kiosk-1"]) != "") == bool(number) and current(boxes["kiosk-2"]) == ""


@pytest.mark.parametrize("inventory", ["ssh"], indirect=True)
def test_another_machine_at_the_address_of_a_box_is_not_trusted(
    inventory: Path, doors: dict[str, Server], tmp_path: Path, capsys: Say
) -> None:
    known = tmp_path / "ssh/known_hosts"
    keys = [line.split(" ", 1) for line in known.read_text().splitlines()]
    known.write_text(f"{keys[0][0]} {keys[1][1]}\n{keys[1][0]} {keys[1][1]}\n")
    status, out, _ = run(capsys, "fleet", "status", "-i", inventory, "--json")
    first, second = json.loads(out.splitlines()[-1])["boxes"]
    assert status == 2 and "Host key verification failed" in first["error"] and second["ok"]
    assert doors["kiosk-1"].sessions() == 0 < doors["kiosk-2"].sessions()


def test_waves_are_checked_first(inventory: Path, capsys: Say) -> None:
    status, _, error = run(capsys, "fleet", "update", "-i", inventory, "--waves", "1,many")
    assert status == 2 and "neither a number nor a share" in error
