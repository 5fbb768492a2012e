"""Jetson Orin Nano Super 8 GB: ``python -m benchmarks.jetson_orin_nano``. Not run on hardware yet."""

from __future__ import annotations

from .device import Device, main

DEVICE = Device(
    name="jetson-orin-nano",
    title="Jetson Orin Nano",
    model="Orin Nano",
    power_mode="MAXN_SUPER",
    gpu_runner="tensorrt",
)

if __name__ == "__main__":
    main(DEVICE)
