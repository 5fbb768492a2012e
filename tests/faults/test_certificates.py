"""Certificates that are expired, of another authority or for another host: one line that names the remedy."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from deploy.certificates import Authority, Pair
from edge.config import EdgeConfig
from edge.demo.broker import free_port
from edge.doctor.broker import BrokerChecks
from tests.edge.daemon.broker import mosquitto, needs_mosquitto, wait_until
from tests.edge.daemon.conftest import Rig

pytestmark = [
    pytest.mark.broker,
    needs_mosquitto,
    # paho leaves the socket of a handshake that failed to the garbage collector.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

TOLD = "one line in the log and one of `doctor`, each with the remedy"
HOST = "127.0.0.1"
NEW_BROKER = "sovits-deploy certificates --broker"
NEW_CLIENT = "sovits-deploy certificates --client"


class Venue:
    """Two authorities, one of them also ten days ago."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.authority = Authority(folder / "ca")
        self._past = Authority(folder / "ca", datetime.now(timezone.utc) - timedelta(days=10))
        self._stranger = Authority(folder / "stranger")
        self._n = 0

    def broker(self, which: str = "") -> Pair:
        host = "broker.museum" if which == "other host" else HOST
        return self._kept(self._of(which).issue_broker([host], days=5))

    def client(self, which: str = "") -> Pair:
        return self._kept(self._of(which).issue_client("kiosk", days=5))

    def _of(self, which: str) -> Authority:
        return {"expired": self._past, "wrong authority": self._stranger}.get(which, self.authority)

    def _kept(self, pair: Pair) -> Pair:
        """Put a pair aside: the authority issues each name once."""
        self._n += 1
        place = self._folder / str(self._n)
        place.mkdir()
        moved = (shutil.move(path, place / path.name) for path in (pair.certificate, pair.key))
        return Pair(*map(Path, moved))

    @contextmanager
    def listening(self, broker: Pair, *more: str) -> Iterator[int]:
        """Run a broker with TLS; yields its port."""
        port, ca = free_port(), self._folder / "ca" / "ca.crt"
        lines = [f"listener {port} {HOST}", "allow_anonymous true", f"cafile {ca}"]
        lines += [f"certfile {broker.certificate}", f"keyfile {broker.key}", *more]
        with mosquitto(self._folder, *lines):
            yield port

    def settings(self, port: int, client: Pair | None) -> dict[str, object]:
        tls = {"ca_file": self._folder / "ca" / "ca.crt"}
        if client is not None:
            tls |= {"cert_file": client.certificate, "key_file": client.key}
        return {"host": HOST, "port": port, "tls": tls}


@pytest.fixture
def venue(tmp_path: Path) -> Venue:
    (tmp_path / "certificates").mkdir()
    return Venue(tmp_path / "certificates")


BROKERS = {
    "expired": ("certificate has expired", NEW_BROKER),
    "wrong authority": ("local issuer", "set mqtt.tls.ca_file"),
    "other host": ("mismatch", "set mqtt.host"),
}
CLIENTS = {
    "expired": ("certificate expired", NEW_CLIENT),
    "wrong authority": ("unknown ca", NEW_CLIENT),
    "none": ("certificate required", NEW_CLIENT),
}


def told_by_daemon(rig: Rig, caplog: pytest.LogCaptureFixture, remedy: str) -> list[str]:
    def lines() -> list[str]:
        return [record.getMessage() for record in caplog.records if "mqtt:" in record.getMessage()]

    wait_until(lambda: any(remedy in line for line in lines()), what=f"a line that says {remedy}")
    rig.settle_never_online(1.5)
    return lines()


def told_by_doctor(config: EdgeConfig) -> str:
    (finding,) = BrokerChecks(config).look()
    assert finding.level == "error"
    return finding.line()


def assert_told(rig: Rig, caplog: pytest.LogCaptureFixture, what: str, remedy: str) -> None:
    """One line of the daemon and one of the doctor, each with the fault and its remedy."""
    lines = told_by_daemon(rig, caplog, remedy)
    assert len(lines) == 1 and what in lines[0] and "\n" not in lines[0], lines
    text = told_by_doctor(rig.config)
    assert what in text and remedy in text


@pytest.mark.parametrize("which", BROKERS)
def test_a_broker_whose_certificate_is_wrong(
    which: str,
    venue: Venue,
    start_rig: Callable[..., Rig],
    caplog: pytest.LogCaptureFixture,
    noted: Callable[[str, str], None],
    broker_port: int,
) -> None:
    what, remedy = BROKERS[which]
    with venue.listening(venue.broker(which)) as port:
        rig = start_rig(online=False, port=broker_port, mqtt=venue.settings(port, None))
        assert_told(rig, caplog, what, remedy)
    noted(
        f"TLS: broker's certificate, {which}", "one line in the log and one of `doctor`, each with the remedy"
    )


@pytest.mark.parametrize("which", CLIENTS)
def test_a_device_whose_certificate_is_wrong(
    which: str,
    venue: Venue,
    start_rig: Callable[..., Rig],
    caplog: pytest.LogCaptureFixture,
    noted: Callable[[str, str], None],
    broker_port: int,
) -> None:
    what, remedy = CLIENTS[which]
    client = None if which == "none" else venue.client(which)
    with venue.listening(venue.broker(), "require_certificate true") as port:
        rig = start_rig(online=False, port=broker_port, mqtt=venue.settings(port, client))
        assert_told(rig, caplog, what, remedy)
        assert not any("trying MQTT" in record.getMessage() for record in caplog.records)
    noted(
        f"TLS: device's certificate, {which}", "one line in the log and one of `doctor`, each with the remedy"
    )


def test_certificates_that_are_right(venue: Venue, start_rig: Callable[..., Rig], broker_port: int) -> None:
    with venue.listening(venue.broker(), "require_certificate true") as port:
        rig = start_rig(online=False, port=broker_port, mqtt=venue.settings(port, venue.client()))
        wait_until(lambda: rig.daemon._connection.ready and rig.daemon._stops.ready)
        rig.stop()
