"""Tone changes of Mandarin in connected speech: 一, 不, third tones."""

from __future__ import annotations


def apply_sandhi(words: list[str], syllables: list[list[str]]) -> None:
    """Change tones in place.

    Args:
        words: words of one clause.
        syllables: pinyin with tone digit for each character of each word.
    """
    flat = [(character, group, index) for word, group in zip(words, syllables) for index, character in enumerate(word)]
    for position, (character, group, index) in enumerate(flat):
        following = flat[position + 1] if position + 1 < len(flat) else None
        tone = following[1][following[2]][-1] if following else ""
        if character == "不" and group[index] == "bu4" and tone == "4":
            group[index] = "bu2"
    for word, group in zip(words, syllables):
        run = [index for index, syllable in enumerate(group) if syllable.endswith("3")]
        for index in run:
            if index + 1 in run and len(word) < 5:
                group[index] = group[index][:-1] + "2"
