"""The AsyncAPI document: as the models have it, as its own schema has it, and complete."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from edge.answers import ANSWERS
from edge.lipsync.timeline import phrase_timeline
from edge.lipsync.viseme_sets import ARKIT_SHAPES, VISEME_SETS, to_dict
from edge.lipsync.visemes import VISEMES
from edge.messages import OPERATIONS, Event, Outbound
from edge.protocols import asyncapi
from edge.protocols.channels import CHANNELS, EVENTS
from edge.protocols.commands import MODELS
from edge.protocols.segments import ArkitFrame, LipsyncSegment, OculusViseme
from edge.topics import Topics

jsonschema = pytest.importorskip("jsonschema")
yaml = pytest.importorskip("yaml")

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "asyncapi.yaml"
OFFICIAL = json.loads((ROOT / "tests/data/asyncapi/3.0.0.json").read_text("utf-8"))
DOCUMENT = asyncapi.document()
GUIDE = (ROOT / "docs/mqtt-protocol.md").read_text("utf-8")


def official_faults(document: Any) -> list[str]:
    validator = jsonschema.Draft7Validator(OFFICIAL)
    return [f"{error.json_path}: {error.message}"[:300] for error in validator.iter_errors(document)]


def references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [found for value in node.values() for found in references(value)]
    return [found for item in node for found in references(item)] if isinstance(node, list) else []


def test_the_page_is_what_the_command_writes() -> None:
    command = [sys.executable, "-m", "edge.protocols.asyncapi"]
    written = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=120).stdout
    assert written.decode() == PAGE.read_text("utf-8"), f"run: {' '.join(command[1:])} > docs/asyncapi.yaml"
    assert yaml.safe_load(written) == DOCUMENT


def test_it_is_asyncapi() -> None:
    assert official_faults(DOCUMENT) == []
    wrong = {**DOCUMENT, "operations": {"x": {"action": "shout", "channel": {"$ref": "#/channels/say"}}}}
    assert official_faults(wrong), "the official schema sees what is wrong"


def test_every_reference_leads_somewhere() -> None:
    for reference in references(DOCUMENT):
        node: Any = DOCUMENT
        for step in reference.removeprefix("#/").split("/"):
            node = node[step]
    for schema in DOCUMENT["components"]["schemas"].values():
        jsonschema.Draft7Validator.check_schema(schema)


def test_every_subscription_is_a_channel() -> None:
    own = Topics("b", "d")
    read = {channel.tail.split("/")[0] for channel in CHANNELS if channel.receives} | {"health"}
    assert {topic.split("/")[2] for topic in own.subscriptions()} == read
    assert {topic.split("/", 2)[2] for topic in own.urgent()} == {"stop/#", "request/stop", "request/cancel"}


def test_every_operation_event_and_answer_is_in_it() -> None:
    names = {channel.name for channel in CHANNELS}
    assert {f"request_{op}" for op in OPERATIONS} | {f"response_{op}" for op in OPERATIONS} <= names
    assert set(MODELS) == set(OPERATIONS) and set(ANSWERS) == {*OPERATIONS, "line"}
    assert set(EVENTS.values()) == set(Event.__subclasses__())


def every_kind(model: type[BaseModel]) -> set[type[BaseModel]]:
    return {model}.union(*(every_kind(kind) for kind in model.__subclasses__()))


def test_every_model_of_the_contract_is_in_it() -> None:
    bases = {"Outbound", "Event"}
    kinds = {kind.__name__ for kind in every_kind(Outbound) if kind.__module__.startswith("edge.")} - bases
    assert kinds <= DOCUMENT["components"]["schemas"].keys()


def test_every_key_of_a_request_is_explained() -> None:
    obvious = {"id", "reply_to", "language"}
    for name in {model.__name__ for model in MODELS.values()}:
        for key, schema in DOCUMENT["components"]["schemas"][name]["properties"].items():
            assert "description" in schema or key in obvious, f"{name}.{key}"


@pytest.mark.parametrize("viseme_set", sorted(VISEME_SETS))
def test_lipsync_is_as_described(viseme_set: str) -> None:
    symbols = ["n", "i3", "h", "ao3", "SP", "."]
    timeline = phrase_timeline(
        symbols, ["zh"] * 6, [0, 900, 4000, 5000, 9000, 9500, 12000], (("你好", 0, 4),)
    )
    segment = to_dict(timeline, "a", 0, True, viseme_set, "你好")
    LipsyncSegment.model_validate(segment)
    schema = {"$ref": "#/components/schemas/LipsyncSegment", "components": DOCUMENT["components"]}
    assert [error.message for error in jsonschema.Draft7Validator(schema).iter_errors(segment)] == []


def test_shapes_are_those_of_the_sets() -> None:
    assert tuple(ArkitFrame.model_fields) == ("t", *ARKIT_SHAPES)
    assert OculusViseme.model_fields["v"].annotation.__args__ == VISEMES  # type: ignore[union-attr]


def test_the_guide_names_every_topic() -> None:
    table = GUIDE.partition("## Topics")[2].partition("\n## ")[0]
    named = set(re.findall(r"`B/([^`]+)`", table)) | {"audio/<id>/0", "audio/<id>/end"}
    for channel in CHANNELS:
        generic = re.sub(r"^(request|response)/\w+$", r"\1/<op>", channel.tail)
        told = generic.replace("{seq}", "0").replace("{", "<").replace("}", ">")
        assert told in named, f"B/{told} is not in the table"


def test_the_guide_names_every_key_that_goes_out() -> None:
    words = set(re.findall(r"\w+", GUIDE))
    outside = {"LipsyncSegment", "Health", "LabelStatus"}  # told on pages of their own
    for kind in every_kind(Outbound) - {Outbound}:
        if kind.__module__.startswith("edge.") and kind.__name__ not in outside:
            missing = kind.model_fields.keys() - words
            assert not missing, f"{kind.__name__}: {sorted(missing)}"
