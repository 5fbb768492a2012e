"""Labels of lines that no daemon speaks: a command or a program that writes them into files."""

from __future__ import annotations

import secrets
import time
from collections.abc import Iterator
from pathlib import Path

from ..audio import AudioChunk
from ..bundle.audit import AUDIT_FILE, AuditLog
from ..errors import ConfigError
from ..synthesizer import PreparedLine, SpeechRequest, Synthesizer
from .aigc import label, with_label
from .announcement import Announced, announcement, line_language
from .credentials import Credentials
from .policy import LabelConfig, LabelPolicy, file_producer

HEARER = "render"  # whoever opens a file has not heard what went to the loudspeaker


class Export:
    """Labels lines by the policy of a device. Belongs to one thread.

    Args:
        config: section ``[label]``.
        synthesizer: speaks the lines, and the sentences of their labels.
        state_dir: the attestation of a device without labels goes to the audit log there.

    Raises:
        ConfigError: certificate and key cannot sign, or the attestation cannot be noted.
    """

    def __init__(self, config: LabelConfig, synthesizer: Synthesizer, state_dir: Path) -> None:
        self._policy = LabelPolicy(config)
        self._synthesizer = synthesizer
        self._producer = file_producer(config)
        self._credentials: Credentials | None = None
        if config.certificate is not None and config.certificate_key is not None:
            self._credentials = Credentials(config.certificate, config.certificate_key)
        if config.profile == "none":
            _note(state_dir / AUDIT_FILE, config.attestation)

    def announced(self, line: PreparedLine) -> Announced:
        """Speak what has to be heard with a line that begins now; most often nothing.

        Raises:
            RunnerError: a network failed.
        """
        if not self._policy.announces(self._synthesizer.bundle.imitates_a_person):
            return Announced(None)
        character = line.character
        language = line_language(line.normalized, line.request.language, character.languages)
        plan = self._policy.plan(character.name, language, time.monotonic(), HEARER)
        notice: list[AudioChunk] = []
        if plan.notice:
            request = SpeechRequest(plan.notice, character.name)
            notice = list(self._synthesizer.stream(self._synthesizer.prepare(request), hold=False))
        return Announced(announcement(plan, notice))

    def stream(self, line: PreparedLine, announced: Announced) -> Iterator[AudioChunk]:
        """Speak a line with its label; once it has ended, the interaction goes on.

        Raises:
            RunnerError: a network failed.
        """
        for chunk in self._synthesizer.stream(line):
            yield from announced.around(chunk)
        self._policy.ended(line.character.name, time.monotonic(), HEARER)

    @property
    def signs(self) -> bool:
        """Whether files get content credentials."""
        return self._credentials is not None

    def values(self, line_id: str) -> dict[str, str]:
        """Label of a file; empty where the profile has none, or nobody has given a code."""
        return label(self._producer, line_id) if self._producer else {}

    def labelled(self, content: bytes, line_id: str) -> bytes:
        """Put the label into a WAV, FLAC or Ogg file, and content credentials into a WAV.

        Args:
            content: the file.
            line_id: names it.
        """
        values = self.values(line_id)
        content = with_label(content, values) if values else content
        is_wav = content[:4] == b"RIFF"
        return self._credentials.sign(content, line_id) if self._credentials and is_wav else content


def new_id() -> str:
    """Name a line that has no request."""
    return f"line-{secrets.token_hex(8)}"


def _note(path: Path, attestation: str) -> None:
    try:
        AuditLog(path).write("label_none", attestation=attestation)
    except OSError as error:
        message = f"label profile none: {path}: {error.strerror}; its attestation has to be noted there"
        raise ConfigError(message) from error
