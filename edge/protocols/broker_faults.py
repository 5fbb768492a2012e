"""Faults of a broker in words: why it refuses or cannot be reached, and what to do."""

from __future__ import annotations

import re
import socket
import ssl
from typing import Any

import paho.mqtt.client as paho
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
        what, remedy = error.verify_message.rstrip("."), _certificate_remedy(error.verify_code)
        return f"its certificate is not valid here ({what}); {remedy}"
    if isinstance(error, ssl.SSLError):
        return f"no TLS there ({error}); check mqtt.port, and mqtt.tls on both sides"
    if isinstance(error, ConnectionResetError):
        return "it hangs up at once; check mqtt.port, and mqtt.tls on both sides"
    if isinstance(error, ConnectionRefusedError):
        return "nothing listens there; start the broker, or check mqtt.host and mqtt.port"
    if isinstance(error, socket.gaierror):
        return "its name is not known; check mqtt.host"
    if isinstance(error, TimeoutError):
        return "no answer; check the network, a firewall, mqtt.host and mqtt.port"
    return str(error or "no answer")


def _certificate_remedy(code: int) -> str:
    """What to do about a broker's certificate that OpenSSL refuses with this number."""
    if code == _EXPIRED:
        return "issue a new one (sovits-deploy certificates --broker), or set this machine's clock"
    if code == _NOT_YET_VALID:
        return "set this machine's clock, or the one that issued it"
    if code in _OTHER_NAME:
        return "set mqtt.host to a name or address in it, or issue one for this host"
    if code in _UNKNOWN_AUTHORITY:
        return "set mqtt.tls.ca_file to the authority that issued it"
    return "check mqtt.tls.ca_file and mqtt.host"


_EXPIRED, _NOT_YET_VALID = 10, 9  # X509_V_ERR_... of OpenSSL
_OTHER_NAME = (62, 64)
_UNKNOWN_AUTHORITY = (2, 18, 19, 20, 21)


class TlsAlert:
    """Says why a broker ends the connection where it does not like our certificate.

    With TLS 1.3 that comes after the handshake, and paho tells it in its log alone.
    """

    def __init__(self) -> None:
        self._text = ""

    def watch(self, client: paho.Client) -> None:
        """Listen to a client until it is connected: later the log costs time and says nothing of this."""
        client.on_log = self._on_log

    def unwatch(self, client: paho.Client) -> None:
        """Listen no more."""
        client.on_log = None
        self._text = ""

    def take(self) -> str:
        """Return what is wrong with our certificate, with the remedy; empty if nothing was said."""
        text, self._text = self._text, ""
        return text

    def _on_log(self, _client: paho.Client, _userdata: Any, level: int, text: str) -> None:
        found = _ALERT.search(text)
        if level == paho.MQTT_LOG_ERR and found:
            what = found[1].lower().replace("_", " ")
            remedy = (
                "check mqtt.tls.cert_file and key_file; sovits-deploy certificates --client issues new ones"
            )
            self._text = f"it refuses our certificate ({what}); {remedy}"


_ALERT = re.compile(r"ALERT_((?:\w*CERTIFICATE\w*|UNKNOWN_CA|ACCESS_DENIED|HANDSHAKE_FAILURE))")
