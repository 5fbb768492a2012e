"""The page about doors names every key with its default, and what it gives as configuration is one."""

from __future__ import annotations

import re
from pathlib import Path
from types import NoneType
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from edge.config import EdgeConfig, load_config, tomllib

PAGE = (Path(__file__).parents[3] / "docs/doors.md").read_text("utf-8")
SECTIONS = ("http", "osc", "wyoming", "hermes", "homeassistant")


def section_model(name: str) -> type[BaseModel]:
    kinds = get_args(EdgeConfig.model_fields[name].annotation)
    (model,) = [kind for kind in kinds if kind is not NoneType]
    return model


def told(section: str) -> dict[str, str]:
    """Key and default of each row of a section's table."""
    text = PAGE.partition(f"### `[{section}]`\n")[2].partition("\n#")[0]
    return dict(re.findall(r"^\| `(\w+)` \|[^|]*\| `?([^|`]*)`? \|", text, re.MULTILINE))


def plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


@pytest.mark.parametrize("section", SECTIONS)
def test_every_key_is_told_with_its_default(section: str) -> None:
    fields = section_model(section).model_fields
    rows = told(section)
    assert rows.keys() == fields.keys()
    for key, field in fields.items():
        default = None if rows[key] == "absent" else tomllib.loads(f"value = {rows[key]}")["value"]
        assert default == plain(field.default), f"[{section}] {key}"


def test_doors_are_closed_unless_configured() -> None:
    optional = {name for name, field in EdgeConfig.model_fields.items() if field.default is None}
    assert set(SECTIONS) <= optional


def test_the_example_is_a_configuration(tmp_path: Path) -> None:
    example = PAGE.partition("```toml\n")[2].partition("```")[0]
    path = tmp_path / "edge.toml"
    path.write_text(example, encoding="utf-8")
    config = load_config(path)
    assert all(getattr(config, section) is not None for section in SECTIONS)
