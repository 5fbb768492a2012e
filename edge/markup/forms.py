"""Forms of tags that are not the documented ones and still say what is meant: [Pause:500], [情绪:悲伤]."""

from __future__ import annotations

import re
import unicodedata

from .directions import EMOTIONS, acted
from .tags import MAX_PAUSE_MS, NAME, Tag

_KINDS = {
    name: kind
    for kind, names in {
        "emotion": "emotion mood feeling emo style tone 情绪 情感 感情 心情 表情 語気 语气 情緒 気持ち",
        "pause": "pause break wait silence delay 停顿 暂停 停 静音 间隔 等待 停頓 ポーズ 間 無音",
        "mark": "mark marker cue 标记 標記 记号 マーク 合図",
    }.items()
    for name in names.split()
}
_BODY = re.compile(r"([^\W\d_]+)(?:\s*[:=：＝]\s*|\s+(?=\S))(.*)", re.DOTALL)
_LENGTH = re.compile(
    r"(\d{1,6}(?:\.\d{1,6})?)\s*(ms|msec|milliseconds?|毫秒|ミリ秒|s|secs?|seconds?|秒钟?|秒間)?",
    re.IGNORECASE,
)
_MILLISECONDS = ("ms", "msec", "millisecond", "milliseconds", "毫秒", "ミリ秒")
_SHORTEST_MS = 20  # a bare number below it can only be seconds
_PAUSE_MS = 500


def read_tag(body: str, position: int) -> Tag | None:
    """Make a tag of what stands between brackets, however it is written; None if it is no tag.

    Args:
        body: as written.
        position: in the plain text.
    """
    folded = unicodedata.normalize("NFKC", body).strip()
    match = _BODY.fullmatch(folded)
    kind = _KINDS.get((match[1] if match else folded).casefold())
    value = match[2].strip(" \"'") if match else ""
    if kind == "pause":
        length = pause_length(value) if value else _PAUSE_MS
        return None if length is None else Tag("pause", length, position)
    if kind == "emotion" and value:
        name = emotion_name(value)
        return Tag("emotion", name, position) if name else None
    if kind == "mark" and NAME.fullmatch(value.casefold()):
        return Tag("mark", value.casefold(), position)
    return None


def emotion_name(value: str) -> str:
    """The name of an emotion as voices have it; empty where it cannot be one."""
    folded = value.strip().casefold()
    name = EMOTIONS.get(folded, folded.replace(" ", "_"))
    return name if NAME.fullmatch(name) else ""


def pause_length(value: str) -> int | None:
    """Milliseconds; a bare number is milliseconds too, unless it is too small to be heard."""
    match = _LENGTH.fullmatch(unicodedata.normalize("NFKC", value).strip())
    if match is None:
        return None
    number, unit = float(match[1]), (match[2] or "").casefold()
    is_short = not unit and number < _SHORTEST_MS
    length = number if unit in _MILLISECONDS or not (unit or is_short) else number * 1000
    return min(round(length), MAX_PAUSE_MS)


def hint(body: str, position: int) -> Tag | None:
    """The emotion or pause that a stage direction asks for, None for what no voice can do."""
    asked = acted(body)
    if asked is None:
        return None
    kind, value = asked
    return Tag("emotion" if kind == "emotion" else "pause", value, position, is_hint=True)
