"""Where a voice comes from: what it takes to load the synthesiser, in this process or in another."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ..bundle.trust.consent import Site
from ..bundle.trust.gate import DeviceGate
from ..loudness.level import Levels
from ..synthesizer import Synthesizer


@dataclass(frozen=True)
class VoiceSource:
    """Arguments of ``Synthesizer.load``."""

    bundle: Path | None = None
    """Directory or ``.voice`` file; None is the built-in voice."""
    threads: int = 2
    """Windows to decode at the same time."""
    lexicon: Path | None = None
    """Of the show."""
    runner: str = "onnxruntime"
    """One of ``edge.runners.RUNNERS``."""
    state_dir: Path | None = None
    """Where engines and verdicts of the device are kept."""
    gate: DeviceGate | None = None
    """Decides whether the voice may be used on this device."""
    levels: bool = False
    """Whether somebody needs to know how loud each character is."""

    def load(self) -> Synthesizer:
        """Load the voice and let it speak its golden line; dictionaries and levels that it lacks come later.

        Raises:
            BundleError, ConfigError, RunnerError: one line that names the file and the remedy.
        """
        synthesizer = Synthesizer.load(
            self.bundle,
            threads=self.threads,
            lexicon=self.lexicon,
            runner=self.runner,
            gate=self.gate,
            state_dir=self.state_dir,
        )
        try:
            synthesizer.prove()
            if self.levels:
                characters = synthesizer.bundle.manifest.characters
                synthesizer.levels = Levels(self.state_dir, synthesizer.fingerprint, characters)
        except BaseException:
            synthesizer.close()
            raise
        return synthesizer

    def on_processor(self) -> VoiceSource | None:
        """Return the same voice without an accelerator; None if it uses none."""
        return None if self.runner == "onnxruntime" else replace(self, runner="onnxruntime")

    def to_json(self) -> dict[str, Any]:
        """Values that JSON can hold."""
        values: dict[str, Any] = json.loads(json.dumps(asdict(self), default=str))
        return values

    @classmethod
    def from_json(cls, values: dict[str, Any]) -> VoiceSource:
        """Take what ``to_json`` gave."""
        source = cls(**{**values, **_paths(values, "bundle", "lexicon", "state_dir")})
        if values["gate"] is None:
            return source
        gate = {**values["gate"], **_paths(values["gate"], "directory", "copy")}
        return replace(source, gate=DeviceGate(**{**gate, "site": Site(**gate["site"])}))


def _paths(values: dict[str, Any], *names: str) -> dict[str, Path | None]:
    return {name: None if values[name] is None else Path(values[name]) for name in names}
