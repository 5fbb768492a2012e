"""The report of a voice: one HTML file to read, to look at and to listen to, on any machine and offline."""

from .sources import Sources
from .write import Written, write_report

__all__ = ["Sources", "Written", "write_report"]
