"""Where things lie on a device."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

UNIT = "sovits.service"
MEDIA = Path("usr/share/sovits/medium")


@dataclass(frozen=True)
class Paths:
    """Folders of a device below a root, ``/`` but in tests and images."""

    root: Path = Path("/")
    """Prefix of everything."""

    @property
    def software(self) -> Path:
        """Slot of the software."""
        return self.root / "opt/sovits/software"

    @property
    def content(self) -> Path:
        """Slot of voices, show files, lexicons and label policies."""
        return self.root / "opt/sovits/content"

    @property
    def config(self) -> Path:
        """Configuration of the daemon."""
        return self.root / "etc/sovits/sovits.toml"

    @property
    def state(self) -> Path:
        """State of the daemon; the trust store lies in it."""
        return self.root / "var/lib/sovits"

    @property
    def deploy_state(self) -> Path:
        """State of this command; it belongs to root alone."""
        return self.root / "var/lib/sovits-deploy"

    @property
    def medium(self) -> Path:
        """Medium that the Debian package brought."""
        return self.root / MEDIA
