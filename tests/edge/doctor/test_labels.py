"""What the doctor says of labels: each switched off in turn, and a screen that stands in for one."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from edge.config import EdgeConfig
from edge.demo.broker import free_port
from edge.doctor.labels import LabelChecks
from tests.edge.bundle.trust.studio import Voice as PersonalVoice
from tests.edge.doctor.test_device import ROOT, TINY_VOICE

CODE = "0011" + "9A" * 9 + "00000"


def look(bundle: Path, serving: bool = False, **label: Any) -> list[str]:
    config = EdgeConfig.model_validate({"bundle": bundle, "label": label})
    found = list(LabelChecks(config, serving=serving).look())
    assert all(one.check == "label" and bool(one.remedy) == (one.level == "warning") for one in found)
    return [one.line() for one in found]


def test_a_voice_of_nobody_without_a_profile_is_in_order() -> None:
    (line,) = look(TINY_VOICE)
    assert line.startswith("ok: label: profile eu") and "no person" in line


@pytest.mark.parametrize(
    "label",
    [
        {"profile": "cn", "producer": CODE},
        {"profile": "cn", "producer": CODE, "rhythm": "never", "spoken": "session"},
        {"profile": "eu", "producer": "studio-9"},
        {"profile": "none", "attestation": "rehearsal stage, no public, J. Doe"},
    ],
)
def test_a_profile_that_is_met_is_in_order(label: dict[str, str]) -> None:
    assert look(TINY_VOICE, **label) == [f"ok: label: profile {label['profile']}"]


@pytest.mark.parametrize(
    ("label", "told"),
    [
        ({"profile": "cn", "producer": CODE, "rhythm": "never"}, "no screen has said that it shows 'AI"),
        ({"profile": "eu", "producer": "studio-9", "spoken": "never"}, "profile eu asks for it"),
        ({"profile": "eu-art", "producer": "studio-9", "rhythm": "never"}, "label.rhythm is never"),
        ({"profile": "cn"}, "label.producer is empty"),
        ({"profile": "us-ca", "producer": "studio-9"}, "files are not signed"),
        ({"profile": "cn", "producer": "studio-9"}, "no registered code"),
    ],
)
def test_what_is_switched_off_is_named(label: dict[str, str], told: str) -> None:
    (line,) = look(TINY_VOICE, **label)
    assert line.startswith("warning: label: ") and told in line


def test_the_voice_of_a_person_without_a_profile_is_a_warning(tmp_path: Path) -> None:
    person = PersonalVoice(tmp_path / "noah.voice").write()
    first, second = look(person)
    assert "nobody has chosen a profile" in first and "label.producer is empty" in second
    assert look(person, profile="eu", producer="studio-9") == ["ok: label: profile eu"]
    (line,) = look(person, profile="none", attestation="rehearsal stage, no public, J. Doe")
    assert "without any label" in line and "J. Doe" in line


def test_a_voice_that_cannot_be_opened_is_another_finding(tmp_path: Path) -> None:
    assert look(tmp_path / "gone")[0].startswith("ok: ")


@pytest.mark.broker
def test_a_screen_may_stand_in_where_the_profile_says_so(start_rig: Callable[..., Any]) -> None:
    rig = start_rig(label={"profile": "cn", "producer": CODE, "rhythm": "never"})
    rig.settle()
    (before,) = LabelChecks(rig.config, serving=True).look()
    rig.client.say(f"{rig.root}/label/shown", "screen-1")
    rig.settle()
    (after,) = LabelChecks(rig.config, serving=True).look()
    assert (before.level, after.level) == ("warning", "ok")


def test_no_broker_is_no_screen() -> None:
    config = EdgeConfig.model_validate(
        {
            "bundle": TINY_VOICE,
            "mqtt": {"port": free_port()},
            "label": {"profile": "cn", "producer": CODE, "rhythm": "never"},
        }
    )
    (found,) = LabelChecks(config, serving=True).look()
    assert found.level == "warning"


@pytest.mark.slow
def test_both_commands_tell(tmp_path: Path) -> None:
    """`sovits-deploy doctor` hands on what the release finds by `sovits-edge doctor`."""
    path = tmp_path / "edge.toml"
    path.write_text(
        f'state_dir = "{tmp_path}/state"\nbundle = "{TINY_VOICE}"\n[mqtt]\nport = {free_port()}\n'
        '[sink]\ntype = "null"\n[label]\nprofile = "cn"\n'
    )
    command = [sys.executable, "-m", "edge", "doctor", "--json", "--config", str(path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    told = [one for one in json.loads(done.stdout)["findings"] if one["check"] == "label"]
    assert [one["level"] for one in told] == ["warning"]
