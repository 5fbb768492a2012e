"""Voice card, which ``sovits-quantize pack`` reads, from the configuration and the corpus."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..config import DistillError
from ..manifest import Utterance

NEUTRAL = "neutral"
GOLDEN_PHONEMES = 12  # a golden line of about a second proves enough and is quick on any device


def voice_card(
    voice: Mapping[str, Any],
    utterances: Sequence[Utterance],
    teachers: Mapping[str, Mapping[str, Any]],
    emotions: Sequence[str],
) -> dict[str, Any]:
    """Put the card together.

    Args:
        voice: ``name``, ``version`` and ``licence``; optional: ``description``, ``consent``, ``origin``,
            ``consent_record`` (a path) and ``golden``, a sentence.
        utterances: of the corpus; its training lines say who speaks what and how.
        teachers: origin of each teacher, as in ``corpus.json``.
        emotions: all that the student knows; a character that lacks one falls back to neutral.

    Raises:
        DistillError: no line can be the golden one.
    """
    spoken = [u for u in utterances if u.split == "train"]
    names = list(dict.fromkeys(u.character for u in spoken))
    card: dict[str, Any] = {key: voice[key] for key in ("name", "version", "licence")}
    card["characters"] = [_character(name, spoken, emotions, voice) for name in names]
    card["provenance"] = [
        {
            "teacher": origin["name"],
            "licence": origin["licence"],
            "credit": origin["credit"],
            "synthesiser": f"{origin['name']} {origin['version']}",
        }
        for origin in teachers.values()
    ]
    if consent := voice.get("consent"):
        card["consent"] = {key: str(value) for key, value in consent.items() if value}
    if origin := voice.get("origin"):
        card["origin"] = {key: value for key, value in origin.items() if value}
    if record := voice.get("consent_record"):
        card["consent_record"] = str(record)
    card["golden"] = _golden(voice.get("golden"), utterances)
    return card


def _character(
    name: str, spoken: Sequence[Utterance], emotions: Sequence[str], voice: Mapping[str, Any]
) -> dict[str, Any]:
    own = [u for u in spoken if u.character == name]
    known = {u.emotion for u in own}
    return {
        "name": name,
        "languages": sorted({u.language for u in own}),
        "emotions": [emotion for emotion in emotions if emotion in known],
        "fallbacks": {emotion: NEUTRAL for emotion in emotions if emotion not in known},
        "description": str(voice.get("description") or ""),
    }


def _golden(text: str | None, utterances: Sequence[Utterance]) -> dict[str, str]:
    """Choose the line that every device speaks as proof: the given one, or a short held-out one."""
    neutral = [u for u in utterances if u.emotion == NEUTRAL]
    if not neutral:
        raise DistillError("the corpus has no neutral line; every character needs some, which set its level")
    first = neutral[0]
    if text is not None:
        return {"text": text, "character": first.character, "language": "auto"}
    held_out = [u for u in neutral if u.split in ("test", "valid")] or neutral
    best = min(held_out, key=lambda u: (abs(len(u.phonemes) - GOLDEN_PHONEMES), u.id))
    return {"text": best.text, "character": best.character, "language": best.language}


def write_card(path: Path, card: Mapping[str, Any]) -> None:
    """Write a card as TOML: plain keys, then tables, then arrays of tables."""
    path.write_text("\n".join(_table(card, "")) + "\n", encoding="utf-8")


def _table(values: Mapping[str, Any], prefix: str) -> list[str]:
    lines, tables = [], []
    for key, value in values.items():
        if isinstance(value, Mapping) and not prefix:
            tables += ["", f"[{key}]", *_table(value, key)]
        elif isinstance(value, list) and value and isinstance(value[0], Mapping):
            for entry in value:
                tables += ["", f"[[{key}]]", *_table(entry, key)]
        else:
            lines.append(f"{key} = {_value(value)}")
    return lines + tables


def _value(value: Any) -> str:
    """Write a string, a list of strings or a table of strings; a JSON string is a TOML string."""
    if isinstance(value, Mapping):
        pairs = ", ".join(f"{_value(str(key))} = {_value(entry)}" for key, entry in value.items())
        return f"{{ {pairs} }}" if pairs else "{}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(_value(entry) for entry in value)}]"
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
