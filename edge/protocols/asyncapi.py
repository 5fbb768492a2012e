"""The MQTT contract as an AsyncAPI 3.0 document, made of the models that validate.

``python -m edge.protocols.asyncapi > docs/asyncapi.yaml`` writes it; a test fails where the two differ.
"""

from __future__ import annotations

import ast
import inspect
import json
import sys
from collections.abc import Iterator
from typing import Any

import click
from pydantic.json_schema import models_json_schema

from .. import answers, messages
from ..errors import ConfigError
from . import segments
from .channels import CHANNELS, Binary, Channel, Words

Schema = dict[str, Any]
DESCRIBED = (messages, answers, segments)
BINDING = {"bindingVersion": "0.2.0"}
_PARAMETERS = {
    "base": "One to four topic levels; `sovits` unless configured otherwise.",
    "device": "Name of the device.",
    "character": "Who speaks. In events `unknown` where the request names no valid one.",
    "line_id": "A line of the show file.",
    "name": "Of the mark.",
    "id": "Of the request.",
    "seq": "Number of the chunk, from 0.",
}


def document() -> Schema:
    """Make the document."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "SoVITS-Tiny edge daemon",
            "version": f"{messages.CONTRACT_VERSION}.0.0",
            "description": "Speech on a device, driven over MQTT. In words: docs/mqtt-protocol.md. Made by "
            "`python -m edge.protocols.asyncapi` from the models that validate; do not edit.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": _servers(),
        "channels": {channel.name: _channel(channel) for channel in CHANNELS},
        "operations": {_operation_name(channel): _operation(channel) for channel in CHANNELS},
        "components": {"schemas": schemas(), "parameters": _parameters()},
    }


def schemas() -> dict[str, Schema]:
    """JSON schemas of all models by name, each field with what the source says of it."""
    models = dict.fromkeys(model for channel in CHANNELS for model in channel.models())
    inputs = [(model, "validation") for model in models]  # keys with a default may be absent, in and out
    _, combined = models_json_schema(inputs, ref_template="#/components/schemas/{model}")  # type: ignore[arg-type]
    found: dict[str, Schema] = combined["$defs"]
    told = dict(_field_notes())
    for name, schema in found.items():
        schema.pop("title", None)
        for key, value in schema.get("properties", {}).items():
            value.pop("title", None)
            note = _note(name, key, told)
            if note:
                value["description"] = note
    found["PrepareRequest"]["properties"]["items"]["items"] = _ref("schemas", "SayRequest")
    found["SayRequest"]["oneOf"] = [{"required": ["text"]}, {"required": ["line"]}]
    return dict(sorted(found.items()))


def _note(model: str, key: str, told: dict[tuple[str, str], str]) -> str:
    """Say what a field means, in the model that has it or one that it is made from."""
    for module in DESCRIBED:
        kind = getattr(module, model, None)
        if kind is not None:
            return next((told[c.__name__, key] for c in kind.__mro__ if (c.__name__, key) in told), "")
    return ""


def _field_notes() -> Iterator[tuple[tuple[str, str], str]]:
    """Texts that stand below the fields of the models in their source."""
    for module in DESCRIBED:
        for node in ast.parse(inspect.getsource(module)).body:
            if isinstance(node, ast.ClassDef):
                for field, text in zip(node.body, node.body[1:], strict=False):
                    if isinstance(field, ast.AnnAssign) and isinstance(text, ast.Expr):
                        assert isinstance(field.target, ast.Name) and isinstance(text.value, ast.Constant)
                        yield (node.name, field.target.id), " ".join(str(text.value.value).split())


def _servers() -> Schema:
    host = {"default": "127.0.0.1", "description": "Of the broker."}
    common = {"protocolVersion": "5", "variables": {"host": host}}
    return {
        "plain": {"host": "{host}:1883", "protocol": "mqtt", **common},
        "tls": {"host": "{host}:8883", "protocol": "mqtts", **common},
    }


def _channel(channel: Channel) -> Schema:
    names = ["base", "device", *channel.parameters()]
    return {
        "address": channel.address,
        "description": channel.summary,
        "parameters": {name: _ref("parameters", name) for name in names},
        "messages": {name: _message(channel, name) for name in channel.messages},
    }


def _message(channel: Channel, name: str) -> Schema:
    payload = channel.messages[name]
    binding: Schema = dict(BINDING)
    if channel.name.startswith("request_"):
        topic = {"type": "string", "maxLength": 256, "description": "As `reply_to`; MQTT 5."}
        binding = {"responseTopic": topic, "correlationData": {"type": "string"}, **binding}
    if isinstance(payload, Words):
        schema: Schema = {"type": "string"} | ({"enum": list(payload.words)} if payload.words else {})
        kind = "text/plain"
    elif isinstance(payload, Binary):
        schema, kind = {"type": "string", "format": "binary"}, "application/octet-stream"
    else:
        schema, kind = _ref("schemas", payload.__name__), "application/json"
    return {"contentType": kind, "payload": schema, "bindings": {"mqtt": binding}}


def _operation_name(channel: Channel) -> str:
    return f"{'receive' if channel.receives else 'send'}_{channel.name}"


def _operation(channel: Channel) -> Schema:
    found: Schema = {
        "action": "receive" if channel.receives else "send",
        "channel": _ref("channels", channel.name),
        "summary": channel.summary,
        "bindings": {"mqtt": {"qos": channel.qos, "retain": channel.retain, **BINDING}},
    }
    if channel.answered_on:
        found["reply"] = {"channel": _ref("channels", channel.answered_on)}
    return found


def _parameters() -> Schema:
    return {name: {"description": text} for name, text in _PARAMETERS.items()}


def _ref(section: str, name: str) -> Schema:
    where = section if section == "channels" else f"components/{section}"
    return {"$ref": f"#/{where}/{name}"}


def to_yaml() -> str:
    """Write the document as YAML.

    Raises:
        ConfigError: PyYAML is not installed.
    """
    try:
        import yaml
    except ImportError as error:
        raise ConfigError(
            "writing YAML needs the extra asyncapi: pip install 'sovits-tiny[asyncapi]'"
        ) from error
    plain = json.loads(json.dumps(document()))  # nothing in it twice, or YAML would have anchors
    return str(yaml.safe_dump(plain, sort_keys=False, allow_unicode=True, width=110))


def main() -> None:
    """Run as a command that prints the document."""
    try:
        click.echo(to_yaml(), nl=False)
    except ConfigError as error:
        click.echo(str(error), err=True)
        sys.exit(2)


if __name__ == "__main__":
    main()
