"""Any x86 machine, for development: ``make bench``."""

from __future__ import annotations

from .device import Device, main

DEVICE = Device(
    name="",
    title="x86 machine",
    model=".",
)

if __name__ == "__main__":
    main(DEVICE)
