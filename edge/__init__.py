"""Everything the device runs: text, student network, sound, lip-sync and the MQTT daemon.

``from edge import Voice`` is the way in from Python; importing the package alone loads nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .voice import Voice

__all__ = ["Voice"]


def __getattr__(name: str) -> Any:
    if name == "Voice":
        from .voice import Voice

        return Voice
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
