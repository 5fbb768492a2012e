"""Jetson AGX Orin: ``python -m benchmarks.jetson_agx_orin``. Not run on hardware yet."""

from __future__ import annotations

from .device import Device, main

DEVICE = Device(
    name="jetson-agx-orin",
    title="Jetson AGX Orin",
    model="AGX Orin",
    power_mode="MAXN",
    threads=4,
    gpu_runner="tensorrt",
)

if __name__ == "__main__":
    main(DEVICE)
