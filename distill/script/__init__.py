"""The lines that teachers speak: committed files, written by ``write.py`` from patterns and word lists."""

from .coverage import inventory
from .lines import Line, load_lines

__all__ = ["Line", "inventory", "load_lines"]
