"""Faults of a broker in words: why it refuses or cannot be reached, and what to do."""

from __future__ import annotations

import socket
import ssl

from paho.mqtt.reasoncodes import ReasonCode


def refusal(reason: ReasonCode) -> str:
    """Reason of the broker, with the remedy where there is one."""
    remedies = {
        "Bad user name or password": "check mqtt.username and mqtt.password_file",
        "Not authorized": "check mqtt.username, mqtt.password_file and the broker's access rules",
        "Client identifier not valid": "set mqtt.client_id",
        "Server busy": "it may take too many clients",
        "Banned": "ask whoever runs the broker",
    }
    remedy = remedies.get(reason.getName())
    return f"{reason}; {remedy}" if remedy else str(reason)


def unreachable(error: BaseException | None) -> str:
    """What an exception while connecting means, with the remedy."""
    if isinstance(error, ssl.SSLCertVerificationError):
        what = error.verify_message
        return f"its certificate is not valid here ({what}); check mqtt.tls.ca_file and mqtt.host"
    if isinstance(error, ssl.SSLError):
        return f"no TLS there ({error}); check mqtt.port, and mqtt.tls on both sides"
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there; start the broker, or check mqtt.host and mqtt.port"
    if isinstance(error, socket.gaierror):
        return "its name is not known; check mqtt.host"
    if isinstance(error, TimeoutError):
        return "no answer; check the network, a firewall, mqtt.host and mqtt.port"
    return str(error or "no answer")
