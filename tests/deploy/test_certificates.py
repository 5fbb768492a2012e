"""Certificates of a venue: made once, right for their use, taken by a real broker with the shipped files."""

from __future__ import annotations

import os
import shutil
import ssl
import stat
import subprocess
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509.oid import NameOID

from deploy.certificates import Authority
from deploy.cli import main
from deploy.errors import DeployError
from tests.edge.daemon.broker import MOSQUITTO, accepts, free_port, needs_mosquitto, wait_until

DEPLOY = Path(__file__).parents[2] / "deploy"
PUBLISH = shutil.which("mosquitto_pub")


def test_every_pair_is_of_its_authority_and_for_its_use(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "ca")
    broker = authority.issue_broker(["10.0.0.2", "broker.museum", "::1"])
    client = authority.issue_client("kiosk-3")
    root = x509.load_pem_x509_certificate((tmp_path / "ca" / "ca.crt").read_bytes())
    for pair in (broker, client):
        certificate = x509.load_pem_x509_certificate(pair.certificate.read_bytes())
        certificate.verify_directly_issued_by(root)
        assert stat.S_IMODE(pair.key.stat().st_mode) == 0o600
    names = x509.load_pem_x509_certificate(broker.certificate.read_bytes()).extensions
    told = names.get_extension_for_class(x509.SubjectAlternativeName).value
    assert told.get_values_for_type(x509.DNSName) == ["broker.museum"]
    assert [str(ip) for ip in told.get_values_for_type(x509.IPAddress)] == ["10.0.0.2", "::1"]
    subject = x509.load_pem_x509_certificate(client.certificate.read_bytes()).subject
    assert subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "kiosk-3"
    strict = ssl.create_default_context(cafile=str(tmp_path / "ca" / "ca.crt"))
    strict.verify_flags |= ssl.VERIFY_X509_STRICT  # as Python 3.13 checks


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    key = authority.issue_client("show").key.read_bytes()
    with pytest.raises(DeployError, match="is there already"):
        Authority(tmp_path).issue_client("show")
    assert (tmp_path / "show.key").read_bytes() == key


@pytest.mark.parametrize("name", ["", "x" * 65, "ca", "broker", "../kiosk", ".hidden"])
def test_names_that_are_none(tmp_path: Path, name: str) -> None:
    with pytest.raises(DeployError, match="is no name of a client"):
        Authority(tmp_path).issue_client(name)


def test_an_authority_without_its_key_is_said(tmp_path: Path) -> None:
    Authority(tmp_path)
    (tmp_path / "ca.key").unlink()
    with pytest.raises(DeployError, match=r"ca\.key"):
        Authority(tmp_path)


def test_the_command_makes_what_is_missing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def run(*arguments: str) -> str:
        main(["certificates", str(tmp_path / "ca"), *arguments])
        return capsys.readouterr().out

    assert "kiosk-3.crt" in run("--client", "kiosk-3", "--dry-run") and not (tmp_path / "ca").exists()
    assert run("--broker", "10.0.0.2", "--client", "kiosk-3").count("\n") == 3
    assert "kiosk-4.crt" in run("--broker", "10.0.0.2", "--client", "kiosk-3", "--client", "kiosk-4")
    assert "nothing was missing" in run("--client", "kiosk-3")


@pytest.mark.broker
@needs_mosquitto
@pytest.mark.skipif(PUBLISH is None, reason="mosquitto_pub is not installed")
def test_the_shipped_tls_listener_takes_these_and_no_others(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "certs")
    authority.issue_broker(["127.0.0.1"])
    authority.issue_client("kiosk-3")
    stranger = Authority(tmp_path / "other").issue_client("kiosk-3")
    past = Authority(tmp_path / "certs", datetime.now(timezone.utc) - timedelta(days=10))
    expired = past.issue_client("late", days=5)
    plain, port = free_port(), free_port()
    text = (DEPLOY / "mosquitto" / "sovits.conf").read_text()
    text = text.replace("listener 1883", f"listener {plain}").replace("listener 8883", f"listener {port}")
    text = text.replace("/var/lib/mosquitto/", f"{tmp_path}/").replace("/etc/mosquitto/", f"{tmp_path}/")
    (tmp_path / "sovits.conf").write_text(text + ("user root\n" if os.geteuid() == 0 else ""))
    shutil.copy(DEPLOY / "mosquitto" / "sovits.acl", tmp_path / "sovits.acl")
    (tmp_path / "sovits.passwd").touch(0o600)

    def publish(certificate: Path, key: Path, topic: str, *options: str) -> int:
        command = [
            str(PUBLISH),
            "-h",
            "127.0.0.1",
            "-p",
            str(port),
            "--cafile",
            str(tmp_path / "certs" / "ca.crt"),
            "-q",
            "1",
        ]
        command += ["-V", "mqttv5", "-t", topic, "-m", "x", "--cert", str(certificate), "--key", str(key)]
        done = subprocess.run([*command, *options], capture_output=True, timeout=30, check=False)
        return done.returncode if b"Not authorized" not in done.stderr + done.stdout else 135

    command = [str(MOSQUITTO), "-c", str(tmp_path / "sovits.conf")]
    with (tmp_path / "log").open("wb") as log:
        broker = subprocess.Popen(command, stdout=log, stderr=log)
    try:
        wait_until(lambda: accepts(port), 20, what=f"the TLS listener; {(tmp_path / 'log').read_text()}")
        kiosk = authority.pair("kiosk-3")
        assert publish(kiosk.certificate, kiosk.key, "sovits/kiosk-3/event/noah") == 0
        assert publish(kiosk.certificate, kiosk.key, "sovits/kiosk-4/event/noah") == 135, "somebody else"
        assert publish(stranger.certificate, stranger.key, "sovits/kiosk-3/event/noah") not in (0, 135)
        assert publish(expired.certificate, expired.key, "sovits/late/event/noah") not in (0, 135)
        assert publish(kiosk.certificate, kiosk.key, "sovits/kiosk-3/event/noah", "-h", "localhost") != 0
    finally:
        broker.terminate()
        broker.wait(timeout=30)


def limits(name: str) -> set[str]:
    wanted = ("max_queued_messages", "max_queued_bytes", "max_inflight_messages", "max_packet_size")
    lines = (DEPLOY / "mosquitto" / name).read_text().splitlines()
    return {line for line in lines if line.startswith(wanted)}


def test_all_configurations_have_the_same_limits() -> None:
    assert len(limits("sovits.conf")) == 4
    assert limits("sovits.conf") == limits("sovits-2.1.conf") == limits("local.conf")
