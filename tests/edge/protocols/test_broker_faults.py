"""Each way in which a broker is not there names what to look at."""

from __future__ import annotations

import socket
import ssl

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

from edge.protocols.broker_faults import refusal, unreachable


@pytest.mark.parametrize(
    ("error", "remedy"),
    [
        (ConnectionRefusedError(), "start the broker"),
        (socket.gaierror(-2, "Name or service not known"), "mqtt.host"),
        (ConnectionResetError(104, "Connection reset by peer"), "mqtt.tls on both sides"),
        (TimeoutError(), "a firewall"),
        (ssl.SSLError(1, "wrong version number"), "mqtt.tls on both sides"),
        (OSError("Network is unreachable"), "Network is unreachable"),
        (None, "no answer"),
    ],
)
def test_what_keeps_us_from_connecting(error: Exception | None, remedy: str) -> None:
    assert remedy in unreachable(error)


def test_a_certificate_that_is_not_valid() -> None:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = 1, "certificate has expired"
    assert "certificate has expired" in unreachable(error) and "ca_file" in unreachable(error)


@pytest.mark.parametrize(
    ("name", "remedy"),
    [
        ("Bad user name or password", "mqtt.password_file"),
        ("Not authorized", "access rules"),
        ("Quota exceeded", "Quota exceeded"),
    ],
)
def test_why_the_broker_refuses(name: str, remedy: str) -> None:
    assert remedy in refusal(ReasonCode(PacketTypes.CONNACK, name))


@pytest.mark.parametrize(
    ("code", "remedy"),
    [(10, "certificates --broker"), (9, "clock"), (62, "mqtt.host"), (64, "mqtt.host"), (20, "ca_file")],
)
def test_each_fault_of_a_certificate_has_its_remedy(code: int, remedy: str) -> None:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_code, error.verify_message = code, "it is wrong."
    assert remedy in unreachable(error) and "(it is wrong);" in unreachable(error)
