"""Content credentials (C2PA) of exported files: signed, without a network, by the certificate of the device.

They say that a trained model made the sound, and nothing of what is said or by whom. There is no time stamp
of an authority: the signature counts as long as the certificate does.
"""

from __future__ import annotations

import io
import json
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from ..audio import wav_bytes
from ..errors import ConfigError
from ..spec import SAMPLE_RATE

NAME = "SoVITS-Tiny"
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
RECIPE = "docs/labels-and-mark.md says how to make one"


class Credentials:
    """Signs WAV files.

    Args:
        certificate: PEM, the device's own first, then those above it.
        key: PEM of its private key, Ed25519 or P-256.

    Raises:
        ConfigError: the library is missing, or certificate and key cannot sign.
    """

    def __init__(self, certificate: Path, key: Path) -> None:
        try:
            import c2pa
        except ImportError as error:
            message = "label.certificate needs c2pa-python: pip install 'sovits-tiny[provenance]'"
            raise ConfigError(message) from error
        self._c2pa: Any = c2pa
        self._chain, self._key = _content(certificate), _content(key)
        self._algorithm = _algorithm(key, self._key)
        try:
            self.sign(wav_bytes(np.zeros(SAMPLE_RATE, np.int16)), "self-test")
        except c2pa.C2paError as error:
            message = f"label.certificate: {certificate} and {key} cannot sign: {error}; {RECIPE}"
            raise ConfigError(message) from error

    def sign(self, wav: bytes, line_id: str) -> bytes:
        """Put signed credentials behind everything else in a WAV file.

        Args:
            wav: the file.
            line_id: of the request, the title.
        """
        c2pa, signed = self._c2pa, io.BytesIO()
        signer = c2pa.Signer.from_info(c2pa.C2paSignerInfo(self._algorithm, self._chain, self._key, None))
        with signer, c2pa.Builder(json.dumps(_manifest(line_id))) as builder:
            builder.sign(signer, "audio/wav", io.BytesIO(wav), signed)
        return signed.getvalue()


def _manifest(title: str) -> dict[str, Any]:
    agent = {"name": NAME, "version": _version()}
    created = {"action": "c2pa.created", "digitalSourceType": SOURCE_TYPE, "softwareAgent": agent}
    return {
        "claim_generator_info": [agent],
        "title": title,
        "format": "audio/wav",
        "assertions": [{"label": "c2pa.actions", "data": {"actions": [created]}}],
    }


def _version() -> str:
    try:
        return metadata.version("sovits-tiny")
    except metadata.PackageNotFoundError:
        return "0.0.0"


def _algorithm(path: Path, pem: bytes) -> str:
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError) as error:
        raise ConfigError(f"label.certificate_key: {path}: {error}; {RECIPE}") from error
    if isinstance(key, Ed25519PrivateKey):
        return "ed25519"
    if isinstance(key, EllipticCurvePrivateKey) and isinstance(key.curve, SECP256R1):
        return "es256"
    raise ConfigError(f"label.certificate_key: {path}: neither Ed25519 nor P-256; {RECIPE}")


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ConfigError(f"label: {path}: {error.strerror}; name a PEM file that is there") from error
