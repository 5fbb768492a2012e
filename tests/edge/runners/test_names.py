"""Only what every TensorRT from 10.3.0 to 11.4.0 offers is used."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
SOURCES = ("quantize/build.py", "edge/runners/trt.py", "edge/runners/vendor.py")
RTX_ONLY = {"ComputeCapability", "num_compute_capabilities", "set_compute_capability"}  # behind library.rtx


def names(sign: str) -> set[str]:
    lines = (ROOT / "tests" / "data" / "tensorrt_names.txt").read_text("utf-8").splitlines()
    return {line[2:] for line in lines if line.startswith(sign)}


def faults(source: str) -> list[str]:
    """Names taken from TensorRT that some version lacks."""
    everywhere, some = names("+"), names("-")
    members = {name.split(".")[-1] for name in everywhere}
    found = []
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Attribute) or node.attr in RTX_ONLY:
            continue
        owner = node.value.attr if isinstance(node.value, ast.Attribute) else getattr(node.value, "id", "")
        if owner in {"api", "_api"} and node.attr not in everywhere | {"__version__"}:
            found.append(node.attr)
        elif owner in everywhere and f"{owner}.{node.attr}" not in everywhere | {f"{owner}.__init__"}:
            found.append(f"{owner}.{node.attr}")
        elif node.attr not in members and any(name.endswith(f".{node.attr}") for name in some):
            found.append(node.attr)
    return found


@pytest.mark.parametrize("source", SOURCES)
def test_every_name_is_in_every_version(source: str) -> None:
    assert not faults((ROOT / source).read_text("utf-8"))


@pytest.mark.parametrize(
    "line",
    [
        "config.set_flag(api.BuilderFlag.INT8)",
        "builder.create_network(1 << int(api.NetworkDefinitionCreationFlag.EXPLICIT_BATCH))",
        "engine.device_memory_size",
        "engine.create_execution_context_without_device_memory()",
        "builder.build_engine_with_config(network, config)",
        "self._api.NoSuchThing",
    ],
)
def test_a_name_that_is_missing_somewhere_is_seen(line: str) -> None:
    assert faults(line)
