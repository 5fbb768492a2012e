"""Certificates of a venue: its own authority, one for the broker, one for each device and program.

The name in a client's certificate is its user name at the broker (``use_identity_as_username``), so that a
device may only be itself. Keys are P-256; they are written for their owner alone and never overwritten.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from .errors import DeployError

AUTHORITY_DAYS, LEAF_DAYS = 3650, 1825
CLOCK_SLACK = timedelta(days=1)  # a device whose clock is a little behind must not refuse a new one
AUTHORITY, BROKER = "ca", "broker"
MAX_NAME = 64  # characters of a common name


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, in files."""

    certificate: Path
    key: Path


class Authority:
    """The venue's own authority, in a folder that never leaves the workstation.

    Args:
        folder: made if absent, with a new authority in it.
        now: for tests; the present if absent.
    """

    def __init__(self, folder: Path, now: datetime | None = None) -> None:
        self._folder = folder
        self._now = now or datetime.now(timezone.utc)
        pair = self.pair(AUTHORITY)
        if not pair.certificate.exists():
            self._found(pair)
        self._certificate = x509.load_pem_x509_certificate(_read(pair.certificate))
        key = serialization.load_pem_private_key(_read(pair.key), None)
        if not isinstance(key, ec.EllipticCurvePrivateKey):
            raise DeployError(f"{pair.key}: not the key of an authority made here; use another folder")
        self._key = key

    def pair(self, name: str) -> Pair:
        """Return where a certificate and its key are or will be."""
        return Pair(self._folder / f"{name}.crt", self._folder / f"{name}.key")

    def issue_broker(self, hosts: Sequence[str], days: int = LEAF_DAYS) -> Pair:
        """Make the certificate of the broker, for all the names and addresses by which it is reached.

        Raises:
            DeployError: there is one already, or a host is none.
        """
        names = [_host(host) for host in hosts]
        return self._issue(BROKER, hosts[0][:MAX_NAME], names, ExtendedKeyUsageOID.SERVER_AUTH, days)

    def issue_client(self, name: str, days: int = LEAF_DAYS) -> Pair:
        """Make the certificate of a device or program; its name is its user name.

        Raises:
            DeployError: there is one already, or the name is too long or belongs to somebody else.
        """
        if not 0 < len(name) <= MAX_NAME or name in (AUTHORITY, BROKER) or "/" in name or name[0] == ".":
            raise DeployError(f"{name!r} is no name of a client: 1 to {MAX_NAME} characters, no slash")
        return self._issue(name, name, [], ExtendedKeyUsageOID.CLIENT_AUTH, days)

    def _found(self, pair: Pair) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        key = ec.generate_private_key(ec.SECP256R1())
        name = _name("SoVITS venue authority")
        usage = _usage(key_cert_sign=True, crl_sign=True)
        builder = _builder(name, name, key, self._now, AUTHORITY_DAYS)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        certificate = builder.add_extension(usage, critical=True).sign(key, hashes.SHA256())
        _write(pair, certificate, key)

    def _issue(
        self, file: str, name: str, hosts: list[x509.GeneralName], use: x509.ObjectIdentifier, days: int
    ) -> Pair:
        pair = self.pair(file)
        if pair.certificate.exists():
            raise DeployError(f"{pair.certificate} is there already; move it away to have a new one")
        key = ec.generate_private_key(ec.SECP256R1())
        builder = _builder(_name(name), self._certificate.subject, key, self._now, days)
        authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key())
        builder = builder.add_extension(authority, critical=False)
        builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        builder = builder.add_extension(_usage(digital_signature=True), critical=True)
        builder = builder.add_extension(x509.ExtendedKeyUsage([use]), critical=False)
        if hosts:
            builder = builder.add_extension(x509.SubjectAlternativeName(hosts), critical=False)
        _write(pair, builder.sign(self._key, hashes.SHA256()), key)
        return pair


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, now: datetime, days: int
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer)
    builder = builder.public_key(key.public_key()).serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(now - CLOCK_SLACK).not_valid_after(now + timedelta(days=days))
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)


def _usage(**allowed: bool) -> x509.KeyUsage:
    uses = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{use: allowed.get(use, False) for use in uses})


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _host(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ip_address(host))
    except ValueError:
        try:
            return x509.DNSName(host.encode("idna").decode("ascii"))
        except UnicodeError as error:
            raise DeployError(f"{host!r} is no host name or address: {error}") from error


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise DeployError(f"{path}: {error.strerror}; an authority is its certificate and its key") from error


def _write(pair: Pair, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
    """Write the key for its owner alone, then the certificate: where that is, the pair is whole."""
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with os.fdopen(os.open(pair.key, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(pem)
    pair.certificate.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
