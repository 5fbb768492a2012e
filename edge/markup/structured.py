"""A line that is a JSON object, as a model answers that was asked for one: its words and its emotion."""

from __future__ import annotations

import json

_SPOKEN = tuple(
    "text content message response reply answer speech line dialogue say "
    "台词 内容 文本 回复 台詞 セリフ 本文".split()
)
_EMOTION = ("emotion", "mood", "style", "情绪", "情感", "感情")


def spoken_of_object(text: str) -> str:
    """The words of a JSON object, with its emotion as a tag before them; empty for any other line.

    >>> spoken_of_object('{"emotion": "sad", "text": "Goodbye."}')
    '[emotion:sad]Goodbye.'
    """
    stripped = text.strip()
    if not (stripped.startswith("{") and stripped.endswith("}")):
        return ""
    try:
        found = json.loads(stripped)
    except (ValueError, RecursionError):
        return ""
    if not isinstance(found, dict):
        return ""
    values = {key.casefold(): value for key, value in found.items() if isinstance(value, str)}
    words = next((values[key] for key in _SPOKEN if values.get(key)), "")
    emotion = next((values[key] for key in _EMOTION if values.get(key)), "")
    return f"[emotion:{emotion}]{words}" if words and emotion else words
