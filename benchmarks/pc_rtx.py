"""PC with an RTX card: ``python -m benchmarks.pc_rtx``. Not run on hardware yet."""

from __future__ import annotations

from .device import Device, main

DEVICE = Device(
    name="",
    title="PC with an RTX card",
    model=".",
    power_mode="",
    threads=4,
    gpu_runner="tensorrt",
)

if __name__ == "__main__":
    main(DEVICE)
