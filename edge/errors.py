"""Errors that cross a boundary: each carries one of the codes of the MQTT contract."""

from __future__ import annotations


class EdgeError(Exception):
    """Base of every error that this package raises on purpose."""

    code = "internal"
    """One of the codes of the MQTT contract, section 3."""

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        if code is not None:
            self.code = code


class ConfigError(EdgeError):
    """The configuration file or a flag is wrong; edit it and start again."""

    code = "bad_request"


class BundleError(EdgeError):
    """A voice bundle is missing, damaged or made for another version; copy or pack it again."""

    code = "bundle_corrupt"


class TrustError(BundleError):
    """A signature, consent record or list does not allow what was asked; have the rights holder sign it."""


class RunnerError(EdgeError):
    """The inference library refused a network or failed while running it."""

    code = "runner_error"


class TextError(EdgeError):
    """The text of a line cannot be spoken as it stands; change the text."""

    code = "bad_request"


class RequestError(EdgeError):
    """A request is malformed or asks for something this device does not have."""

    code = "bad_request"


class SinkError(EdgeError):
    """Sound could not be delivered to its output."""

    code = "audio_device_lost"
