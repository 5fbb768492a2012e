"""The text front end: one line of text in, phonemes of the v2 inventory with source positions out.

Training and device import the same code, so that the same sentence gives the same phoneme ids.
"""

from .frontend import FrontEnd, Reading, Word

__all__ = ["FrontEnd", "Reading", "Word"]
