"""The lines that teachers speak: committed files, written by ``write.py`` from patterns and word lists."""

from .coverage import inventory
from .files import hold_out, load_script
from .lines import Line, load_lines

__all__ = ["Line", "hold_out", "inventory", "load_lines", "load_script"]
