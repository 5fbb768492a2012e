"""Quick look at a line: whether something in it is certain to be pronounced, without a dictionary."""

from __future__ import annotations

import re
import unicodedata

# Letters, digits and kana that every reader says wherever they stand, and Han characters as candidates.
_CANDIDATE = re.compile("[0-9A-Za-z\u3041-\u3094\u30a1-\u30f4]|[\u4e00-\u9fff]")
_HAN_START = "\u4e00"
_HALF_WIDTH_VOICING = "ﾞﾟ"


def is_surely_spoken(text: str) -> bool:
    """Tell whether a line has a word, whatever the language of its voice; False: only reading it tells.

    Args:
        text: without its tags.
    """
    return any(_is_common(match) for match in _CANDIDATE.finditer(text))


def _is_common(match: re.Match[str]) -> bool:
    """Tell whether a character is said as it stands: no mark behind it changes it, every dictionary has it.

    Han characters that both GB 2312 and Shift JIS hold are in those of Chinese and of Japanese.
    """
    behind = match.string[match.end() : match.end() + 1]
    if behind and (behind in _HALF_WIDTH_VOICING or unicodedata.combining(behind)):
        return False
    character = match.group()
    if character < _HAN_START:
        return True
    try:
        character.encode("gb2312")
        character.encode("shift_jis")
    except UnicodeEncodeError:
        return False
    return True
