"""Topics of the MQTT contract, version 1, put together and taken apart."""

from __future__ import annotations

import re
from dataclasses import dataclass

from . import spec

NO_CHARACTER = "unknown"
"""Topic level for events of a request that names no valid character."""

REVOCATIONS = "trust/revocations"
"""Below the device's root: the one topic whose retained message is obeyed, because it proves itself."""

LABEL_SHOWN = "label/shown"
"""Below the device's root: a screen says that it shows the label's text."""


def is_name(text: str) -> bool:
    """Tell whether a text may be a device, character or mark."""
    return re.fullmatch(spec.NAME, text) is not None


@dataclass(frozen=True)
class Address:
    """An inbound topic, taken apart: `kind` is `say`, `line`, `stop`, `request` or `health`."""

    kind: str
    name: str


@dataclass(frozen=True)
class Topics:
    """The topics of one device."""

    base: str
    device: str

    @property
    def root(self) -> str:
        """Return `<base>/<device>`, called `B` in the contract."""
        return f"{self.base}/{self.device}"

    def subscriptions(self) -> tuple[str, ...]:
        """Return what the daemon listens to: commands, malformed ones too, which have a right to an answer.

        ``health`` is its own, for the loopback check.
        """
        tails = ("say/#", "line/#", "stop/#", "request/#", "health", REVOCATIONS, LABEL_SHOWN)
        return tuple(f"{self.root}/{tail}" for tail in tails)

    def urgent(self) -> tuple[str, ...]:
        """Return what the session for stops listens to."""
        return tuple(f"{self.root}/{tail}" for tail in ("stop/#", "request/stop", "request/cancel"))

    def read(self, topic: str) -> Address | None:
        """Take an inbound topic apart; `None` if it is none of ours."""
        if not topic.startswith(self.root + "/"):
            return None
        kind, _, name = topic[len(self.root) + 1 :].partition("/")
        is_ours = kind in ("say", "line", "stop", "request") or (kind == "health" and not name)
        is_ours = is_ours or f"{kind}/{name}" in (REVOCATIONS, LABEL_SHOWN)
        return Address(kind, name) if is_ours else None

    def own(self, tail: str) -> str:
        """Return a topic below the device's root, such as `state` or `event/noah`."""
        return f"{self.root}/{tail}"
