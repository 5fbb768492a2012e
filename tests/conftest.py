"""What every test finds around it: which tools this machine has, and a voice small enough to be committed."""

from __future__ import annotations

import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
TINY_VOICE = ROOT / "tests" / "data" / "tiny_voice"
BUILTIN_VOICE = ROOT / "edge" / "voices" / "builtin"
KOKORO = Path("~/.cache/sovits-tiny/kokoro").expanduser()  # where `sovits-distill kokoro` is told to write
SBIN = "/usr/sbin:/usr/local/sbin"  # where Debian puts mosquitto, off a plain user's PATH


def has_command(name: str) -> bool:
    return bool(shutil.which(name) or shutil.which(name, path=SBIN))


def has_gpu() -> bool:
    return Path("/dev/nvidia0").exists() or Path("/dev/nvhost-gpu").exists()


# Marker: (whether it can run here, what to say if not).
NEEDS: dict[str, tuple[Callable[[], bool], str]] = {
    "torch": (
        lambda: find_spec("torch") is not None,
        "PyTorch is not installed: pip install -e '.[distill]'",
    ),
    "tensorrt": (
        lambda: any(find_spec(name) is not None for name in ("tensorrt", "tensorrt_rtx_bindings")),
        "TensorRT is not installed (it comes with JetPack; on x86-64: pip install --no-deps "
        "tensorrt-rtx-cu13-bindings==1.7.1.116 onnxruntime-ep-nv-tensorrt-rtx-cu13==0.5.0)",
    ),
    "gpu": (has_gpu, "no NVIDIA GPU"),
    "broker": (lambda: has_command("mosquitto"), "mosquitto is not installed: apt-get install mosquitto"),
    "espeak": (lambda: has_command("espeak-ng"), "espeak-ng is not installed: apt-get install espeak-ng"),
    "flite": (lambda: has_command("flite"), "flite is not installed: apt-get install flite"),
    "browser": (
        lambda: has_command("chromium"),
        "chromium is not installed: apt-get install chromium",
    ),
    "voice": ((BUILTIN_VOICE / "manifest.json").is_file, "edge/voices/builtin is not there"),
    "models": (
        (KOKORO / "provenance.json").is_file,
        f"no Kokoro-82M: pip install -e '.[kokoro]'; sovits-distill kokoro {KOKORO}",
    ),
    "device": (lambda: Path("/dev/snd/controlC0").exists(), "no sound card"),
}


def pytest_configure() -> None:
    """Heed Ctrl-C: what a shell runs in its background does not, nor would the processes begun here."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    missing = {name: reason for name, (is_there, reason) in NEEDS.items() if not is_there()}
    for item in items:
        for name in missing.keys() & {mark.name for mark in item.iter_markers()}:
            item.add_marker(pytest.mark.skip(reason=missing[name]))


def pytest_report_header() -> str:
    return "on this machine: " + ", ".join(
        f"{name} {'yes' if is_there() else 'no'}" for name, (is_there, _) in NEEDS.items()
    )


@pytest.fixture(autouse=True)
def no_engine_left() -> Iterator[None]:
    """Fail the test that leaves a synthesiser at work, not those that come after it."""
    before = set(threading.enumerate())
    yield
    left = [thread for thread in threading.enumerate() if thread.name == "engine" and thread not in before]
    for thread in left:
        thread.join(timeout=10)
    assert not any(thread.is_alive() for thread in left), "an engine was left at work"


@pytest.fixture(scope="session")
def tiny_voice() -> Path:
    """Bundle that speaks nonsense with all the formats in place; `make_tiny_bundle.py` beside it wrote it."""
    return TINY_VOICE
