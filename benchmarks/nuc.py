"""NUC and other small Intel machines: ``python -m benchmarks.nuc``. Not run on hardware yet."""

from __future__ import annotations

from .device import Device, main

DEVICE = Device(
    name="",
    title="NUC",
    model="Intel",
    power_mode="",
    gpu_runner="openvino",
)

if __name__ == "__main__":
    main(DEVICE)
