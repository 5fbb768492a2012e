from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from benchmarks import machine, plain_avx2

LINES = {
    "noah": "你终究还是选择了怀疑，我本可以拯救所有人。",
    "claire": "Mind the gap between the train and the platform.",
    "mei": "開場は七時です。明かりが消える前に、どうぞお席にお着きください。",
}
SPEAK = f"""
import sys
import numpy as np
from edge import Voice
voice = Voice()
np.savez(sys.argv[1], **{{who: voice.say(text, who).audio for who, text in {LINES!r}.items()}})
"""
# Two products of 255 and 127 fit into 16 bits one by one, and added up do not.
MULTIPLY = """
import sys
import numpy as np
from benchmarks.floor import INNER, OUTER, ROWS, peak_session
x = np.full((ROWS, INNER), 255, np.uint8)
np.save(sys.argv[1], peak_session(int8=True).run(None, {"x": x})[0])
"""


@pytest.fixture(scope="module")
def avx2(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    if reason := plain_avx2.missing():
        pytest.skip(reason)
    if not any("vnni" in flag for flag in machine.describe()["flags"]):
        pytest.skip("this processor has nothing to hide")
    yield plain_avx2.environment(tmp_path_factory.mktemp("avx2"))


def run(program: str, output: Path, environment: dict[str, str]) -> None:
    command = [sys.executable, "-c", program, str(output)]
    subprocess.run(command, env=environment, cwd=machine.ROOT, check=True)


def test_products_are_computed_as_a_processor_without_vnni_does(avx2: dict[str, str], tmp_path: Path) -> None:
    """Its sums of two products saturate, those of this one do not: so nothing newer has been used."""
    run(MULTIPLY, tmp_path / "here.npy", dict(os.environ))
    run(MULTIPLY, tmp_path / "avx2.npy", avx2)
    assert not np.array_equal(np.load(tmp_path / "here.npy"), np.load(tmp_path / "avx2.npy"))


def test_the_voice_sounds_alike_with_vnni_and_without(avx2: dict[str, str], tmp_path: Path) -> None:
    run(SPEAK, tmp_path / "here.npz", dict(os.environ))
    run(SPEAK, tmp_path / "avx2.npz", avx2)
    here, there = np.load(tmp_path / "here.npz"), np.load(tmp_path / "avx2.npz")
    for who in LINES:
        assert here[who].shape == there[who].shape and len(here[who]) > 32_000
        assert np.abs(here[who].astype(np.int32) - there[who]).max() <= 1


def test_results_say_what_was_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(machine.PLAIN_AVX2, "1")
    facts = machine.describe()
    assert facts["plain_avx2"] and not machine.device_name().endswith("vnni")
    assert not any("512" in flag or "vnni" in flag for flag in facts["flags"])
