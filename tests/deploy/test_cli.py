"""sovits-deploy as people run it: from fresh keys to a box with a signed voice, and back."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path
from typing import Any

import pytest

from deploy.cli import main
from deploy.debian_package import build_deb
from deploy.slot import Slot
from deploy.wheelhouse import TARGETS
from edge.bundle.bundle import Bundle, workshop
from quantize.pack import write_voice
from tests.edge.bundle.trust.studio import TINY

Say = pytest.CaptureFixture[str]


def run(capsys: Say, *arguments: object) -> tuple[int, str, str]:
    try:
        main([str(argument) for argument in arguments])
        status = 0
    except SystemExit as end:
        status = int(end.code or 0)
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def good(capsys: Say, *arguments: object) -> dict[str, Any]:
    status, out, error = run(capsys, *arguments, "--json")
    assert status == 0, error
    values: dict[str, Any] = json.loads(out.splitlines()[-1])
    return values


def bad(capsys: Say, *arguments: object) -> str:
    status, _, error = run(capsys, *arguments)
    assert status == 2, error
    assert "Traceback" not in error
    return error.splitlines()[-1]


@pytest.fixture
def studio(tmp_path: Path, capsys: Say, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keys, a key list with a threshold of two, and a first revocation list."""
    monkeypatch.chdir(tmp_path)
    for name in ("root1", "root2", "root3", "studio", "release", "revocation"):
        good(capsys, "keys", "make", f"{name}.pem")
    publics = [option for n in (1, 2, 3) for option in ("--root", f"root{n}.pub")]
    roles = ["--studio", "studio.pub", "--release", "release.pub", "--revocation", "revocation.pub"]
    first = good(capsys, "keys", "root", *publics, *roles, "--out", "root.1.json", "--key", "root1.pem")
    assert not first["complete"]
    good(capsys, "sign", "document", "root.1.json", "--key", "root3.pem")
    good(capsys, "revoke", "--list", "revocations.json", "--key", "revocation.pem")
    return tmp_path


@pytest.fixture
def voice(studio: Path, capsys: Say) -> Path:
    shutil.copytree(TINY, studio / "voice")
    write_voice(studio / "voice", studio / "tiny.voice")
    good(capsys, "sign", "bundle", "tiny.voice", "--key", "studio.pem")
    return studio / "tiny.voice"


PACK = ("pack", "--root", "root.1.json", "--revocations", "revocations.json", "--no-software")


def test_private_keys_belong_to_their_owner_and_are_never_overwritten(studio: Path, capsys: Say) -> None:
    assert (studio / "root1.pem").stat().st_mode & 0o777 == 0o600
    assert "never overwritten" in bad(capsys, "keys", "make", "root1.pem")


def test_a_passphrase_is_asked_for(studio: Path, capsys: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOVITS_KEY_PASSPHRASE", "correct horse")
    good(capsys, "keys", "make", "guarded.pem")
    assert b"ENCRYPTED" in (studio / "guarded.pem").read_bytes()
    good(capsys, "sign", "document", "root.1.json", "--key", "guarded.pem")
    monkeypatch.setenv("SOVITS_KEY_PASSPHRASE", "wrong")
    assert "check file and passphrase" in bad(
        capsys, "sign", "document", "root.1.json", "--key", "guarded.pem"
    )


def test_verify_says_what_a_device_would(voice: Path, studio: Path, capsys: Say) -> None:
    assert good(capsys, "verify", voice, "--root", "root.1.json")["consent"] == "not needed"
    assert good(capsys, "verify", "root.1.json", "--root", "root.1.json")["root"] == 1
    assert good(capsys, "verify", "revocations.json", "--root", "root.1.json")["revocations"] == 1
    write_voice(studio / "voice", studio / "unsigned.voice")
    assert "not signed" in bad(capsys, "verify", "unsigned.voice", "--root", "root.1.json")


def test_a_signed_voice_is_the_same_voice(voice: Path, studio: Path) -> None:
    before, after = Bundle.load(studio / "voice", gate=workshop), Bundle.load(voice, gate=workshop)
    assert before.manifest_sha256 == after.manifest_sha256
    assert all(before.read(name) == after.read(name) for name in before.manifest.files)


def test_keys_rotate(studio: Path, capsys: Say) -> None:
    good(capsys, "keys", "make", "root4.pem")
    publics = [option for n in (1, 2, 4) for option in ("--root", f"root{n}.pub")]
    roles = ["--studio", "studio.pub", "--release", "release.pub", "--revocation", "revocation.pub"]
    common = [*publics, *roles, "--previous", "root.1.json", "--out", "root.2.json"]
    assert not good(capsys, "keys", "root", *common, "--key", "root4.pem", "--key", "root1.pem")["complete"]
    done = good(capsys, "keys", "root", *common, "--key", "root2.pem", "--key", "root1.pem")
    assert done["complete"] and done["version"] == 2


def test_revocations_count_up_and_keep_what_was(studio: Path, capsys: Say) -> None:
    common = ("revoke", "--list", "revocations.json", "--key", "revocation.pem")
    assert good(capsys, *common, "--kind", "consent", "--id", "c-1")["seq"] == 2
    assert good(capsys, *common) == {"path": "revocations.json", "seq": 3, "entries": 1, "dry_run": False}
    before = (studio / "revocations.json").read_bytes()
    good(capsys, *common, "--kind", "key", "--id", "0123456789abcdef", "--dry-run")
    assert (studio / "revocations.json").read_bytes() == before
    assert "--kind and --id go together" in bad(capsys, *common, "--kind", "key")


def test_content_reaches_a_box_and_a_revocation_after_it(
    voice: Path, studio: Path, capsys: Say, software: Path
) -> None:
    packed = good(capsys, *PACK, "--voice", voice, "--out", "out", "--key", "release.pem")
    assert [Path(path).name for path in packed["written"]] == ["medium", "sovits-medium.tar"]
    box = ("--root", software, "--no-start")
    assert good(capsys, "update", "out/medium", *box, "--dry-run")["changed"] == []
    done = good(capsys, "update", "out/sovits-medium.tar", *box)
    assert done["changed"] == ["content"] and done["root"] == 1
    current = software / "opt/sovits/content/current/voices/tiny.voice"
    assert current.read_bytes() == voice.read_bytes()
    bundle = Bundle.load(voice, gate=workshop)
    what = ("--kind", "bundle", "--id", f"sha256:{bundle.manifest_sha256}")
    good(capsys, "revoke", "--list", "revocations.json", *what, "--key", "revocation.pem")
    shutil.copy("revocations.json", studio / "out/medium/revocations.json")
    assert good(capsys, "import", "out/medium", "--root", software)["revocations"] == 2
    status = good(capsys, "status", "--root", software)
    assert status["trust"]["revocations"] == 2 and status["content"]["current"] == done["content"]


def make_software(root: Path) -> Path:
    """A box whose software is this very environment."""
    slot = Slot(root / "opt/sovits/software")
    with slot.staging("1.0.0-test") as folder:
        program = folder / "venv" / "bin" / "python"
        program.parent.mkdir(parents=True)
        here = Path(__file__).parents[2]
        program.write_text(f'#!/bin/sh\nPYTHONPATH={here} exec {sys.executable} "$@"\n')
        program.chmod(0o755)
    slot.begin_trial("1.0.0-test")
    slot.confirm()
    return root


@pytest.fixture
def software(tmp_path: Path) -> Path:
    return make_software(tmp_path / "box")


def test_a_voice_of_nobody_known_is_not_installed(studio: Path, capsys: Say, software: Path) -> None:
    shutil.copytree(TINY, studio / "voice")
    write_voice(studio / "voice", studio / "tiny.voice")
    good(capsys, *PACK, "--voice", "tiny.voice", "--out", "out", "--key", "release.pem")
    line = bad(capsys, "update", "out/medium", "--root", software, "--no-start")
    assert "could not speak the golden line" in line and "not signed" in line
    assert good(capsys, "status", "--root", software)["content"]["current"] == ""


def test_a_medium_signed_with_the_wrong_key_is_not_even_packed(voice: Path, capsys: Say) -> None:
    line = bad(capsys, *PACK, "--voice", voice, "--out", "out", "--key", "studio.pem")
    assert "0 valid signatures of role release" in line


def test_going_back_by_hand(studio: Path, capsys: Say, software: Path) -> None:
    assert "nothing to go back to" in bad(capsys, "rollback", "--root", software, "--no-start")


def test_doctor_names_remedies(capsys: Say, tmp_path: Path) -> None:
    status, out, error = run(capsys, "doctor", "--root", tmp_path, "--json")
    findings = json.loads(out)["findings"]
    assert status == 2 and "checks are errors" in error
    software = next(one for one in findings if one["check"] == "software")
    assert software["remedy"] == "sovits-deploy install MEDIUM"
    assert all(one["remedy"] for one in findings if one["level"] == "error")


def test_a_trust_store_that_cannot_be_verified_is_reset_by_hand_only(
    studio: Path, capsys: Say, software: Path
) -> None:
    good(capsys, *PACK, "--out", "out", "--key", "release.pem")
    good(capsys, "import", "out/medium", "--root", software)
    for path in (software / "var/lib/sovits/trust").glob("seen*.json"):
        path.write_bytes(b"")
    assert "--reset-trust" in bad(capsys, "import", "out/medium", "--root", software)
    status, _, error = run(capsys, "import", "out/medium", "--root", software, "--reset-trust")
    assert status == 0, error
    log = (software / "var/lib/sovits-deploy/audit.jsonl").read_text()
    assert "trust_reset" in log


@pytest.mark.skipif(not shutil.which("dpkg-deb"), reason="no dpkg-deb")
def test_the_package_holds_the_medium_and_what_starts_without_a_release(tmp_path: Path) -> None:
    medium = tmp_path / "medium"
    medium.mkdir()
    (medium / "index.json").write_text("{}")
    path = build_deb(medium, ["index.json"], TARGETS["jp6-cp310-aarch64"], "1.2.3", tmp_path)
    fields = subprocess.run(["dpkg-deb", "-f", path], check=True, capture_output=True, text=True).stdout
    assert "Version: 1.2.3" in fields and "Architecture: arm64" in fields and "python3 (<< 3.11)" in fields
    subprocess.run(["dpkg-deb", "-x", path, tmp_path / "x"], check=True)
    assert (tmp_path / "x/usr/share/sovits/medium/index.json").exists()
    box = tmp_path / "box"
    box.mkdir()
    command = ["python3", "-I", "-c", f"import sys; sys.path.insert(0, '{tmp_path}/x/usr/lib/sovits'); "
               f"from deploy.recover import main; sys.exit(main(['before', '{box}']))"]  # fmt: skip
    assert subprocess.run(command, check=False, timeout=30).returncode == 1


def test_the_tar_is_plain(voice: Path, capsys: Say, studio: Path) -> None:
    good(capsys, *PACK, "--voice", voice, "--out", "out", "--key", "release.pem")
    with tarfile.open(studio / "out/sovits-medium.tar", "r:") as archive:
        names = archive.getnames()
    assert sorted(names) == ["index.json", "revocations.json", "root.1.json", "tiny.voice"]
