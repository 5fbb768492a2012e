"""Permission to use a voice on this device, as its configuration describes the place."""

from __future__ import annotations

from pathlib import Path

from .bundle.trust.consent import Site
from .bundle.trust.gate import DeviceGate
from .config import EdgeConfig, default_state_dir


def trust_directory(config: EdgeConfig | None = None) -> Path:
    """Return the trust store of a device; without a configuration, where it lies by default."""
    if config is None:
        return default_state_dir() / "trust"
    return config.trust.directory or config.state_dir / "trust"


def gate_of(config: EdgeConfig, label: str = "none") -> DeviceGate:
    """Return the gate for the voices of a device.

    Args:
        config: says where the trust store lies and where the device stands.
        label: label profile in force.
    """
    trust = config.trust
    site = Site(trust.use, trust.venue, config.device, trust.territory, label)
    return DeviceGate(trust_directory(config), site, trust.copy_directory)
