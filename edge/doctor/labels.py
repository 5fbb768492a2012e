"""Labels: whether what the venue's profile asks for is said, shown and written, or switched off."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from ..bundle.bundle import Bundle, workshop
from ..config import EdgeConfig
from ..errors import EdgeError
from ..labels.policy import LabelPolicy
from ..topics import Topics
from .finding import Finding
from .probe import Heard, ProbeClient

STATUS_LIMIT_S = 2.0
REGISTERED = re.compile(r"^0011[0-9A-Z]{18}(?:00000|[12][0-9A-Z]{4})$")
"""Code of a provider as China registers it: kind, social credit code, service."""
PAGE = "docs/labels-and-mark.md"


class LabelChecks:
    """Compares the configuration with the profile; nothing is played.

    A voice that imitates nobody is only held to a profile that somebody has chosen.

    Args:
        config: of the device.
        serving: whether its daemon runs on this machine, and so can tell of a screen.
    """

    def __init__(self, config: EdgeConfig, *, serving: bool) -> None:
        self._config = config
        self._label = config.label
        self._policy = LabelPolicy(config.label)
        self._profile = self._policy.profile
        self._serving = serving

    def look(self) -> Iterator[Finding]:
        """Do the check: every warning that applies, or one line that says what holds."""
        a_person = self._imitates_a_person()
        found = list(self._faults(a_person)) if self._policy.announces(a_person) else []
        yield from (Finding("label", "warning", told, remedy) for told, remedy in found)
        if not found:
            chosen = "" if self._label.is_chosen else ", chosen by nobody; the voice imitates no person"
            yield Finding("label", "ok", f"profile {self._profile.name}{chosen}")

    def _faults(self, a_person: bool) -> Iterator[tuple[str, str]]:
        """What was found, and what to do."""
        name = self._profile.name
        if not self._label.is_chosen:
            yield (
                f"the voice of a person, and nobody has chosen a profile: that of {name} holds",
                "set label.profile to that of the venue, or none with an attestation",
            )
        if name == "none" and a_person:
            yield (
                f"the voice of a person without any label; answered for: {self._label.attestation!a}",
                f"set label.profile to that of the venue ({PAGE})",
            )
        yield from self._unheard()
        yield from self._unwritten()

    def _unheard(self) -> Iterator[tuple[str, str]]:
        profile = self._profile
        asked = {"spoken": profile.spoken, "rhythm": profile.rhythm}
        wanted = next((name for name, when in asked.items() if when != "never"), None)
        if wanted is None or self._policy.is_heard:
            return
        if not profile.screen_suffices:
            yield (
                f"nothing is heard: profile {profile.name} asks for it, and label.{wanted} is never",
                f"leave label.{wanted} out",
            )
        elif not self._is_shown():
            yield (
                f"nothing is heard, and no screen has said that it shows {self._policy.screen_text('zh')!a}",
                f"leave label.{wanted} out, or have the screen publish on label/shown ({PAGE})",
            )

    def _unwritten(self) -> Iterator[tuple[str, str]]:
        profile, label = self._profile, self._label
        if profile.file_label and not label.producer:
            yield (
                f"files carry no label: profile {profile.name} asks for one, and label.producer is empty",
                "set label.producer to the code of whoever answers for the sound",
            )
        elif profile.registered_producer and not REGISTERED.match(label.producer):
            yield (
                f"label.producer {label.producer!a} is no registered code (27 digits and capitals)",
                "put the code there once the provider has one; nobody makes one up",
            )
        if profile.signed_files and label.certificate is None:
            yield (
                f"files are not signed: profile {profile.name} asks for system, version and time in them",
                f"set label.certificate and label.certificate_key ({PAGE}#content-credentials)",
            )

    def _imitates_a_person(self) -> bool:
        """Whether a person is imitated; a voice that cannot be opened is another check's finding."""
        try:
            return Bundle.load(self._config.bundle, gate=workshop).imitates_a_person
        except EdgeError:
            return False

    def _is_shown(self) -> bool:
        """Whether a screen has said to the daemon here that it shows the text."""
        if not self._serving:
            return False
        status = Topics(self._config.base, self._config.device).own("status")
        try:
            with ProbeClient(self._config.mqtt) as client:
                client.subscribe(status)
                return bool(client.wait(_shown, STATUS_LIMIT_S))
        except EdgeError:
            return False


def _shown(heard: list[Heard]) -> bool:
    return any(json.loads(one.payload)["label"]["shown"] for one in heard)
