"""Who may import whom: the device never needs PyTorch, and every dependency that is used is declared."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = [
    name
    for name in ("edge", "models", "quantize", "distill", "deploy", "benchmarks")
    if (ROOT / name).is_dir()
]

# What each package, or one module of it, may import of ours besides itself. `edge` points at nothing.
ARROWS = {
    "edge": (),
    "models": (),
    "quantize": ("edge",),
    "quantize.export": ("edge", "models"),
    "distill.evaluation": ("models", "edge"),  # it listens to what the device path speaks
    "distill.report": ("edge.spec", "edge.bundle.manifest"),  # it tells what is shipped
    "distill": (
        "models",
        "edge.text",
        "edge.audio",
        "edge.spec",
        "edge.errors",
        "edge.cli.command",
        "edge.bundle.manifest",
        "edge.bundle.trust",  # the consent record that goes into the bundle
        "edge.prosody",
        "edge.head",
    ),
    "deploy": ("edge", "quantize.build"),
    "benchmarks": ("edge", "quantize", "models"),  # models: the full model is what we compare with
    "benchmarks.peers.kokoro": ("edge", "distill.teachers"),  # the same for the teacher
}

CONTRACT = ("edge.messages", "edge.topics")
# Inside edge: what a room must not import. The daemon decides, protocols carry; sound and text know neither.
FORBIDDEN = {
    **dict.fromkeys(
        ("edge.text", "edge.lipsync", "edge.head", "edge.prosody", "edge.runners", "edge.bundle"),
        ("edge.daemon", "edge.protocols", "edge.playback", "edge.config", *CONTRACT),
    ),
    "edge.synthesizer": (
        "edge.daemon",
        "edge.protocols",
        "edge.playback",
        "edge.config",
        "edge.messages",
        "edge.topics",
    ),
    "edge.engine": (
        "edge.messages",
        "edge.topics",
        "edge.daemon",
        "edge.protocols",
        "edge.playback",
        "edge.config",
    ),
    "edge.playback": ("edge.messages", "edge.topics", "edge.daemon", "edge.protocols", "edge.engine"),
    "edge.protocols": ("edge.daemon", "edge.engine", "edge.synthesizer"),
    "edge": ("edge.daemon",),
}
MAY_IMPORT_DAEMON = ("edge.cli", "edge.demo", "edge.daemon")

# What a device does not have. Importing any module of the package must work without it.
NOT_ON_DEVICE = ("torch", "onnx", "scipy", "matplotlib", "lightning", "models", "distill", "benchmarks")
OPTIONAL_ON_DEVICE = (
    "amqtt", "c2pa", "openvino", "prometheus_client", "psutil", "pycuda", "pyopenjtalk", "pythonosc",
    "sounddevice", "soundfile", "starlette", "tensorrt", "uvicorn", "wyoming", "yaml",
)  # fmt: skip

# Distribution names that differ from the import.
IMPORT_NAMES = {
    "c2pa-python": "c2pa",
    "protobuf": "google",
    "paho-mqtt": "paho",
    "pillow": "PIL",
    "prometheus-client": "prometheus_client",
    "pyopenjtalk-plus": "pyopenjtalk",
    "python-osc": "pythonosc",
    "pyworld-prebuilt": "pyworld",
    "pyyaml": "yaml",
}
# Comes with JetPack, never from pip.
UNDECLARED = {"tensorrt"}


def modules(package: str) -> Iterator[tuple[str, Path]]:
    for path in sorted((ROOT / package).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path


def imported(path: Path) -> set[str]:
    """Absolute imports of a file, those inside functions included; `from a import b` counts as `a.b`."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def imports_of(module: str, path: Path, source: str | None = None) -> set[str]:
    """Absolute names of what a file imports, relative imports and those for type checks included."""
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    names: set[str] = set()
    for node in ast.walk(ast.parse(source or path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            parent = package[: len(package) - node.level + 1] if node.level else []
            start = ".".join([*parent, *([node.module] if node.module else [])])
            names.update(f"{start}.{alias.name}" for alias in node.names)
    return names


def wrong_arrows(module: str, names: set[str]) -> list[str]:
    """Imports of a module of edge that its room must not have."""
    rules = [room for room in FORBIDDEN if within(module, room)]
    if any(within(module, room) for room in MAY_IMPORT_DAEMON):
        rules.remove("edge")
    return [
        f"{module} imports {name}"
        for room in rules
        for name in sorted(names)
        if any(within(name, forbidden) for forbidden in FORBIDDEN[room])
    ]


def graph(package: str) -> dict[str, set[str]]:
    """Modules of a package and what they import of it."""
    paths = dict(modules(package))
    edges: dict[str, set[str]] = {}
    for module, path in paths.items():
        found = imports_of(module, path)
        named = {name if name in paths else name.rpartition(".")[0] for name in found}
        edges[module] = (named & paths.keys()) - {module, package}
    return edges


def circles(edges: dict[str, set[str]]) -> list[str]:
    """Modules that import each other: what is left when those without imports are taken away in turn."""
    left = dict(edges)
    while ends := [module for module, imports in left.items() if not imports & left.keys()]:
        for module in ends:
            del left[module]
    reached = {name for imports in left.values() for name in imports}
    return sorted(module for module in left if module in reached)


def within(name: str, allowed: str) -> bool:
    return name == allowed or name.startswith(allowed + ".")


@pytest.mark.parametrize("package", PACKAGES)
def test_arrows_between_packages(package: str) -> None:
    wrong = []
    for module, path in modules(package):
        rule = next(prefix for prefix in sorted(ARROWS, key=len, reverse=True) if within(module, prefix))
        allowed = (package, *ARROWS[rule])
        for name in sorted(imported(path)):
            if name.split(".")[0] in PACKAGES and not any(within(name, prefix) for prefix in allowed):
                wrong.append(f"{module} imports {name}")
    assert not wrong, wrong


def test_arrows_inside_edge() -> None:
    wrong = [
        text for module, path in modules("edge") for text in wrong_arrows(module, imports_of(module, path))
    ]
    assert not wrong, wrong


@pytest.mark.parametrize(
    ("module", "source", "told"),
    [
        ("edge.head", "from .config import EdgeConfig", "edge.head imports edge.config.EdgeConfig"),
        ("edge.text.zh.reader", "from ...messages import Event", "imports edge.messages.Event"),
        ("edge.engine.process", "if x:\n    from ..messages import Event", "imports edge.messages.Event"),
        ("edge.synthesizer", "from .daemon import Daemon", "edge.synthesizer imports edge.daemon.Daemon"),
        ("edge.protocols.http", "import edge.daemon.core", "edge.protocols.http imports edge.daemon.core"),
        ("edge.phrases", "from .daemon.line import Line", "edge.phrases imports edge.daemon.line.Line"),
    ],
)
def test_a_broken_arrow_is_seen(module: str, source: str, told: str) -> None:
    found = wrong_arrows(module, imports_of(module, Path("x.py"), source))
    assert found and told in found[0]


@pytest.mark.parametrize("package", PACKAGES)
def test_no_modules_import_each_other(package: str) -> None:
    assert circles(graph(package)) == []


def test_a_circle_is_seen() -> None:
    assert circles({"a": {"b"}, "b": {"c"}, "c": {"b"}, "d": set()}) == ["b", "c"]


def import_without(missing: tuple[str, ...], names: list[str]) -> subprocess.CompletedProcess[str]:
    code = "import importlib, sys\nfor name in sys.argv[1].split(): sys.modules[name] = None\n"
    code += "for name in sys.argv[2].split(): importlib.import_module(name)\n"
    command = [sys.executable, "-c", code, " ".join(missing), " ".join(names)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


@pytest.mark.slow
def test_edge_imports_without_what_a_device_lacks() -> None:
    names = [module for module, _ in modules("edge") if not module.endswith("__main__")]
    result = import_without((*NOT_ON_DEVICE, "quantize", "deploy", *OPTIONAL_ON_DEVICE), names)
    assert result.returncode == 0, result.stderr[-2000:]


@pytest.mark.slow
def test_building_an_engine_needs_no_torch_and_no_onnx() -> None:
    names = [module for module in ("quantize", "quantize.build", "deploy") if is_module(module)]
    result = import_without(NOT_ON_DEVICE, names)
    assert result.returncode == 0, result.stderr[-2000:]


def is_module(name: str) -> bool:
    path = ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


@pytest.mark.slow
def test_quantizing_needs_torch_for_the_export_alone() -> None:
    names = [
        module for module, _ in modules("quantize") if module.split(".")[-1] not in ("export", "__main__")
    ]
    result = import_without(("torch", "lightning", "models", "distill"), names)
    assert result.returncode == 0, result.stderr[-2000:]


@pytest.mark.slow
def test_the_rule_is_seen_when_it_is_broken() -> None:
    result = import_without(("numpy",), ["edge.head"])
    assert "edge.head" not in result.stdout and "ModuleNotFoundError" in result.stderr


def setup_arguments() -> dict[str, Any]:
    """What setup.py hands to setuptools, without setuptools."""
    captured: dict[str, Any] = {}
    stub = SimpleNamespace(find_packages=lambda **_: [], setup=lambda **arguments: captured.update(arguments))
    source = (ROOT / "setup.py").read_text(encoding="utf-8").replace("from setuptools import", "#")
    exec(compile(source, "setup.py", "exec"), {"find_packages": stub.find_packages, "setup": stub.setup})
    return captured


def import_name(requirement: str) -> str:
    name = (
        requirement.replace("~", "<").replace(">", "<").replace("=", "<").split("<")[0].split(";")[0].strip()
    )
    return IMPORT_NAMES.get(name, name).replace("-", "_")


def test_the_code_of_a_door_that_is_shut_is_not_loaded() -> None:
    """It would be a tenth of the daemon's start."""
    program = "import sys, edge.daemon.service; print('asyncio' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "False", done.stderr


def third_party(package: str) -> set[str]:
    roots = {name.split(".")[0] for _, path in modules(package) for name in imported(path)}
    return roots - set(sys.stdlib_module_names) - set(ARROWS) - {"tomllib"}


def test_every_dependency_of_the_device_is_declared_and_used() -> None:
    arguments = setup_arguments()
    base = {import_name(requirement) for requirement in arguments["install_requires"]}
    extras = (
        "ja",
        "audio",
        "openvino",
        "jetson",
        "rtx",
        "http",
        "metrics",
        "osc",
        "wyoming",
        "asyncapi",
        "provenance",
        "files",
        "demo",
    )
    optional = {import_name(text) for extra in extras for text in arguments["extras_require"].get(extra, [])}
    used = third_party("edge")
    assert used <= base | optional | UNDECLARED, (
        f"not in setup.py: {sorted(used - base - optional - UNDECLARED)}"
    )
    assert base <= used, f"in install_requires, but edge imports none of {sorted(base - used)}"


@pytest.mark.parametrize(
    ("package", "extras"), [("quantize", ["quantize"]), ("distill", ["distill", "evaluation"])]
)
def test_every_dependency_of_the_workstation_is_declared(package: str, extras: list[str]) -> None:
    arguments = setup_arguments()
    requirements = list(arguments["install_requires"])
    requirements += [requirement for extra in extras for requirement in arguments["extras_require"][extra]]
    missing = third_party(package) - {import_name(requirement) for requirement in requirements}
    assert not missing, f"{package} imports what no extra of {extras} declares: {sorted(missing)}"
