"""Proof that an installed release speaks: the golden line of the built-in voice and of every other."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from edge.bundle.trust.gate import DeviceGate
from edge.config import load_config
from edge.errors import EdgeError
from edge.permission import gate_of
from edge.synthesizer import Synthesizer


def prove(content: Path | None, gate: DeviceGate) -> list[str]:
    """Speak with every voice; gives what was spoken with.

    Raises:
        EdgeError: a voice is damaged, not allowed here, or does not sound as it was packed.
    """
    voices = sorted((content / "voices").glob("*.voice")) if content else []
    spoken = []
    for path in (None, *voices):
        synthesizer = Synthesizer.load(path, gate=gate)
        try:
            synthesizer.warm_up()
        finally:
            synthesizer.close()
        spoken.append(f"{synthesizer.bundle.manifest.name} {synthesizer.bundle.manifest.version}")
    return spoken


def main(arguments: list[str] | None = None) -> int:
    """Status 0 and what was spoken with, or 2 and one line."""
    parser = argparse.ArgumentParser(prog="python -m deploy.prove")
    parser.add_argument("--content", type=Path)
    parser.add_argument("--trust", type=Path)
    parser.add_argument("--config", type=Path)
    given = parser.parse_args(arguments)
    try:
        overrides = {"trust.directory": str(given.trust) if given.trust else None}
        gate = gate_of(load_config(given.config, overrides))
        sys.stdout.write("\n".join(prove(given.content, gate)) + "\n")
    except EdgeError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
