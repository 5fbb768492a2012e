"""Home Assistant discovery: retained messages that make a device appear there by itself.

Source: the MQTT integration of Home Assistant, pages sensor, button, notify and text.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from ..config import HomeAssistantConfig
from ..messages import Status
from ..topics import Topics

BIRTH = b"online"
"""What Home Assistant says once it has started: it may have missed, or lost, what was sent before."""
MAX_TEXT = 255  # of a text entity, and of a state
STATES = ["starting", "idle", "speaking", "degraded", "error"]


def birth_topic(config: HomeAssistantConfig) -> str:
    """Return where Home Assistant says that it has started."""
    return f"{config.prefix}/status"


def discovery(config: HomeAssistantConfig, topics: Topics, status: Status) -> dict[str, bytes]:
    """Describe a device.

    Args:
        config: discovery prefix.
        topics: of the device.
        status: what is loaded.

    Returns:
        Payloads by topic, to be published retained: state, last fault and queue; a button that stops; for
        each character a box to type a line into and a target for notifications.
    """
    node = topics.root.replace("/", "-")
    entities: dict[tuple[str, str], dict[str, Any]] = {
        ("sensor", "state"): {
            "name": "State",
            "state_topic": topics.own("state"),
            "device_class": "enum",
            "options": STATES,
        },
        ("sensor", "queue"): {
            "name": "Waiting lines",
            "state_topic": topics.own("status"),
            "value_template": "{{ value_json.queue_depth }}",
            "entity_category": "diagnostic",
        },
        ("sensor", "last_error"): {
            "name": "Last error",
            "state_topic": topics.own("status"),
            "value_template": f"{{{{ value_json.last_error[:{MAX_TEXT}] }}}}",
            "entity_category": "diagnostic",
        },
        ("button", "stop"): {
            "name": "Stop",
            "command_topic": topics.own("stop"),
            "payload_press": "stop",
            "qos": 1,
        },
    }
    for character in status.characters:
        line = {"command_topic": topics.own(f"say/{character}"), "qos": 1}
        entities["text", f"say_{character}"] = {"name": f"Say, {character}", "max": MAX_TEXT, **line}
        entities["notify", f"notify_{character}"] = {"name": character, **line}
    shared = _shared(topics, status, node)
    return {
        f"{config.prefix}/{component}/{node}/{name}/config": _payload(entity, shared, f"{node}-{name}")
        for (component, name), entity in entities.items()
    }


def _shared(topics: Topics, status: Status, node: str) -> dict[str, Any]:
    """What every entity says: which device it belongs to, and whether that is there."""
    origin = {"name": "sovits-tiny", "sw_version": status.version}
    return {
        "availability_topic": topics.own("availability"),
        "availability_template": "{{ 'online' if value == 'online' else 'offline' }}",  # stopped is not there
        "device": {
            "identifiers": [node],
            "name": topics.device,
            "manufacturer": "SoVITS-Tiny",
            "model": status.bundle,
            "sw_version": status.version,
        },
        "origin": origin,
    }


def _payload(entity: Mapping[str, Any], shared: Mapping[str, Any], unique_id: str) -> bytes:
    return json.dumps({**entity, "unique_id": unique_id, **shared}, ensure_ascii=False).encode()
