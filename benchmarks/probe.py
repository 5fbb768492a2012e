"""Start of the daemon under test, in the order of ``sovits-edge serve``; ``mqtt.py`` runs it in a process."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from edge.engine.launch import launch


def main() -> None:
    """Run with: port of the broker, folder for state, threads, engine, bundle or empty, journal, settings."""
    port, state_dir, threads, engine, bundle, journal, settings = sys.argv[1:]
    launched = launch() if engine == "process" else None

    from .probe_sink import run

    voice = Path(bundle) if bundle else None
    run(int(port), Path(state_dir), int(threads), engine, voice, launched, journal, json.loads(settings))


if __name__ == "__main__":
    main()
