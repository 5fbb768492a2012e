"""Jetson Orin NX: ``python -m benchmarks.jetson_orin_nx``. Not run on hardware yet."""

from __future__ import annotations

from .device import Device, main

DEVICE = Device(
    name="jetson-orin-nx",
    title="Jetson Orin NX",
    model="Orin NX",
    power_mode="MAXN_SUPER",
    threads=4,
    gpu_runner="tensorrt",
)

if __name__ == "__main__":
    main(DEVICE)
