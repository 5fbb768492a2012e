"""Devices: what a box says of itself decides its profile."""

from __future__ import annotations

from pathlib import Path

import pytest

from deploy.devices import Facts, detect, read_facts

NANO = "NVIDIA Jetson Orin Nano Engineering Reference Developer Kit Super"


def jetson(root: Path, model: str, release: str, python: str) -> Path:
    for name, text in {
        "proc/device-tree/model": model + "\0",
        "etc/nv_tegra_release": release,
        "etc/os-release": 'ID=ubuntu\nVERSION_ID="22.04"\n',
        "proc/meminfo": "MemTotal:        7802404 kB\n",
        f"usr/bin/{python}": "",
        "lib/ld-linux-aarch64.so.1": "",
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return root


@pytest.mark.parametrize(
    ("model", "release", "python", "name", "target"),
    [
        (NANO, "36 (release), REVISION: 4.7, GCID: 421", "3.10", "orin-nano", "jp6-cp310-aarch64"),
        ("NVIDIA Jetson Orin NX", "36 (release), REVISION: 4.3,", "3.10", "orin-nx", "jp6-cp310-aarch64"),
        ("Jetson AGX Orin", "39 (release), REVISION: 2.0,", "3.12", "agx-orin", "jp7-cp312-aarch64"),
        ("NVIDIA Jetson AGX Thor", "38 (release), REVISION: 4.0,", "3.12", "thor", "jp7-cp312-aarch64"),
    ],
)
def test_a_jetson(tmp_path: Path, model: str, release: str, python: str, name: str, target: str) -> None:
    facts = read_facts(jetson(tmp_path, model, f"# R{release}", f"python{python}"))
    profile = detect(facts)
    assert (profile.name, profile.target) == (f"jetson-{name}", target)
    assert facts.machine == "aarch64" and facts.python == python and facts.memory_gb == 7
    assert profile.system_packages and profile.drop_in == "jetson.conf"
    assert set(profile.groups) == {"audio", "video", "render"} and "python3-libnvinfer" in profile.packages
    assert profile.remarks == ()


def test_an_old_jetpack_is_told_what_to_do(tmp_path: Path) -> None:
    facts = read_facts(jetson(tmp_path, NANO, "# R35 (release), REVISION: 4.1,", "python3.8"))
    assert detect(facts).target == "" and "flash JetPack 6.1" in detect(facts).remarks[0]
    early = detect(Facts("aarch64", NANO, "36.3"))
    assert early.target and "upgrade to 6.1" in early.remarks[0]


@pytest.mark.parametrize(
    ("facts", "name", "target", "drop_in"),
    [
        (Facts("x86_64", "NUC13ANKi5", python="3.12"), "nuc", "nuc-cp312-x86_64", "cpu.conf"),
        (Facts("x86_64", "NUC13", python="3.12", intel_gpu=True), "nuc-igpu", "nuc-cp312-x86_64", "cpu.conf"),
        (Facts("x86_64", python="3.12", nvidia_gpu="RTX 4060"), "pc-rtx", "nuc-cp312-x86_64", "rtx.conf"),
        (Facts("x86_64", python="3.11"), "nuc", "pc-cp311-x86_64", "cpu.conf"),
        (Facts("riscv64", "a board"), "other", "", "cpu.conf"),
    ],
)
def test_other_boxes(facts: Facts, name: str, target: str, drop_in: str) -> None:
    profile = detect(facts)
    assert (profile.name, profile.target, profile.drop_in) == (name, target, drop_in)


def test_a_python_without_wheelhouse_is_said() -> None:
    assert "3.9" in detect(Facts("x86_64", python="3.9")).remarks[0]


def test_gpus_are_read_from_what_the_kernel_shows(tmp_path: Path) -> None:
    card = tmp_path / "proc/driver/nvidia/gpus/0000:01:00.0"
    node = tmp_path / "sys/class/drm/renderD128/device"
    for folder in (card, node):
        folder.mkdir(parents=True)
    (card / "information").write_text("Model: \t\t NVIDIA GeForce RTX 4060\nIRQ: 1\n")
    (node / "vendor").write_text("0x8086\n")
    facts = read_facts(tmp_path)
    assert facts.nvidia_gpu == "NVIDIA GeForce RTX 4060" and facts.intel_gpu
    (node / "vendor").write_text("0x10de\n")
    assert not read_facts(tmp_path).intel_gpu


def test_this_machine_says_something() -> None:
    facts = read_facts()
    assert facts.machine and facts.python and facts.memory_gb > 0
    assert detect(facts).name
