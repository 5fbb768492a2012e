"""The quality gate: finds what a teacher that samples gets wrong now and then.

``first_look`` judges a line by itself and works from the first one. Once the corpus holds enough lines of a
character in a language, ``learn_voice`` learns how that voice sounds, and its ``judge`` finds what only a
comparison can tell: words dropped or repeated, an unusual length, another text, another voice.
"""

from .clipping import judge_clipping
from .config import GateConfig
from .fault import Fault
from .first_look import Heard, first_look
from .recogniser import ask_recogniser
from .voice import LEARN_LINES, Voice, learn_voice

__all__ = [
    "LEARN_LINES",
    "Fault",
    "GateConfig",
    "Heard",
    "Voice",
    "ask_recogniser",
    "first_look",
    "judge_clipping",
    "learn_voice",
]
