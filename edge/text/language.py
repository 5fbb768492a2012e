"""Finds which language each part of a line is in.

Kana is Japanese, Latin letters are English. Han characters are Chinese, or Japanese where kana or
Japanese-only characters stand beside them. Digits and signs go with their neighbours.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from .scripts import HAN, KANA, LATIN
from .zh.units import CURRENCY, RATES, UNITS, alternatives

_HAN_LANGUAGES = ("zh", "ja")
_KANA = re.compile(f"[{KANA}]")
_CLAUSE_END = frozenset('。！？!?；;：:，,、…\n“”"「」『』（）()《》【】')
_ABBREVIATION = re.compile(r"[A-Z]{1,5}")
_BESIDE = re.compile(f"[{HAN}{KANA}]")
# Words that no Japanese line has in this form, though their characters are all in Japanese use.
_CHINESE_WORDS = re.compile(
    "[你您她很吧啊呢哪怎么什咱谢哦嗯]|我[们是的看想要有在也不去来吃用喜最叫]|不[是要会]|也是|的是|[是有]的|没有|一个|可以"
)

_CHINESE_LINKS = re.compile("[和跟与或是的在有叫吃去看]{1,2}")


@dataclass(frozen=True)
class Piece:
    """Part of a line in one language: ``text[start:end]``."""

    language: str
    start: int
    end: int


@dataclass
class _Run:
    """Characters of one kind; the language is empty until it is known."""

    kind: str
    start: int
    end: int
    language: str = ""


_LONG_UNITS = alternatives(unit for unit in [*UNITS, *RATES] if len(unit) > 1 or not unit.isalpha())
_SHORT_UNITS = "".join(
    unit for unit in UNITS if len(unit) == 1 and unit.isalpha()
)  # only right behind the digits
_JAPANESE_UNITS = "KB|MB|GB|TB"  # Chinese lines spell these in English


def _run_pattern(units: str) -> re.Pattern[str]:
    """Cuts a line into runs; a number takes its sign, currency and unit along."""
    word_end = f"(?![{LATIN}])"
    return re.compile(
        rf"(?P<number>(?:(?:{CURRENCY})\s?|N[oO]\.?\s?(?=\d)|[#№]|(?<![{LATIN}\d])[+\-−~～±≈])?"
        rf"\d+(?:[.,:：/⁄~～–—·xX×*^-]\d+)*"
        rf"(?:\s?(?:{units}){word_end}|(?:[{_SHORT_UNITS}]|st|nd|rd|th|\s?[ap]\.?m\.?){word_end}|[½⅓⅔¼¾²³]+)?)"
        rf"|(?P<han>[{HAN}]+)|(?P<kana>[{KANA}]+)|(?P<latin>[{LATIN}]+(?:['’][{LATIN}]+)*)|(?P<other>.)",
        re.DOTALL,
    )


_RUN = _run_pattern(_LONG_UNITS)
_RUN_BESIDE_KANA = _run_pattern(f"{_LONG_UNITS}|{_JAPANESE_UNITS}")


def split_languages(text: str, language: str = "auto") -> list[Piece]:
    """Cut a line into pieces of one language each; they cover the line without gaps.

    Args:
        text: the cleaned line.
        language: ``auto``, or the language of what the script does not tell: Han characters and numbers.
    """
    is_japanese = language == "ja" or (language != "zh" and _KANA.search(text) is not None)
    pattern = _RUN_BESIDE_KANA if is_japanese else _RUN
    runs = [_Run(match.lastgroup or "other", *match.span()) for match in pattern.finditer(text)]
    _name_scripts(text, runs, language)
    _name_letters(text, runs)
    _name_numbers(text, runs, language)
    _name_rest(text, runs, language)
    return _merge(runs)


def _name_scripts(text: str, runs: list[_Run], language: str) -> None:
    """Kana, Latin letters and Han characters."""
    for run in runs:
        if run.kind in ("kana", "latin"):
            run.language = "ja" if run.kind == "kana" else "en"
    han = [run for run in runs if run.kind == "han"]
    if language in ("zh", "ja"):
        for run in han:
            run.language = language
    elif _KANA.search(text):
        _name_han_beside_kana(text, runs, han)
    else:
        for run in han:
            run.language = "zh"


def _name_han_beside_kana(text: str, runs: list[_Run], han: list[_Run]) -> None:
    """Each run by its own characters, then by kana in its clause, then as the run before it."""
    clauses = _clause_numbers(text, runs)
    kana_clauses = {clause for run, clause in zip(runs, clauses, strict=True) if run.kind == "kana"}
    clause_of = {run.start: clause for run, clause in zip(runs, clauses, strict=True)}
    has_chinese = _CHINESE_WORDS.search(text) is not None or any(map(_is_chinese_only, text))
    for run in han:
        piece = text[run.start : run.end]
        if has_chinese and _CHINESE_LINKS.fullmatch(piece):
            run.language = "zh"  # 我喜欢すし和さしみ
        elif _CHINESE_WORDS.search(piece) or any(map(_is_chinese_only, piece)):
            run.language = "zh"
        elif clause_of[run.start] in kana_clauses or any(map(_is_japanese_only, piece)):
            run.language = "ja"
    known = next((run.language for run in han if run.language), "ja")
    for run in han:
        run.language = known = run.language or known


def _clause_numbers(text: str, runs: list[_Run]) -> list[int]:
    numbers, clause = [], 0
    for run in runs:
        clause += text[run.start] in _CLAUSE_END
        numbers.append(clause)
    return numbers


@lru_cache(maxsize=4096)
def _is_chinese_only(character: str) -> bool:
    """Whether a character is simplified Chinese and has no place in Japanese character sets."""
    return not _encodes(character, "cp932") and _encodes(character, "gb2312")


@lru_cache(maxsize=4096)
def _is_japanese_only(character: str) -> bool:
    """Whether a character was simplified in Japan alone: 駅, 気, 図."""
    return (
        _encodes(character, "cp932") and not _encodes(character, "gb2312") and not _encodes(character, "big5")
    )


def _encodes(character: str, encoding: str) -> bool:
    try:
        character.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def _name_letters(text: str, runs: list[_Run]) -> None:
    """Capitals beside Japanese have their Japanese names: CDを聞く, A型."""
    for index, run in enumerate(runs):
        beside = runs[max(0, index - 1) : index] + runs[index + 1 : index + 2]
        is_beside_japanese = any(other.kind in ("han", "kana") and other.language == "ja" for other in beside)
        if run.kind == "latin" and is_beside_japanese and _ABBREVIATION.fullmatch(text[run.start : run.end]):
            run.language = "ja"


def _name_numbers(text: str, runs: list[_Run], language: str) -> None:
    """A number is read in the language around it; between English and another one, in the other one."""
    clauses = _clause_numbers(text, runs)
    before = _nearest(runs, clauses)
    after = _nearest(runs[::-1], clauses[::-1])[::-1]
    in_clause: dict[int, str] = {}
    for run, clause in zip(runs, clauses, strict=True):
        if run.language in _HAN_LANGUAGES:
            in_clause.setdefault(clause, run.language)
    usual = next(iter(in_clause.values()), "")
    if not usual:
        usual = "en" if any(run.kind == "latin" for run in runs) else "zh" if language == "auto" else language
    for index, run in enumerate(runs):
        usual = run.language if run.language in _HAN_LANGUAGES else usual
        if run.kind == "number":
            around = [name for name in (before[index], after[index]) if name]
            run.language = _number_language(around, in_clause.get(clauses[index], ""), usual)


def _nearest(runs: list[_Run], clauses: list[int]) -> list[str]:
    """For each run the language of the nearest script before it in its clause, or nothing."""
    languages, last, clause = [], "", -1
    for run, number in zip(runs, clauses, strict=True):
        if number != clause:
            last, clause = "", number
        languages.append(last)
        last = run.language or last
    return languages


def _number_language(around: list[str], in_clause: str, usual: str) -> str:
    if around == ["en", "en"] or (around and not in_clause):
        return "en"
    return next((name for name in around if name != "en"), in_clause or usual)


def _name_rest(text: str, runs: list[_Run], language: str) -> None:
    """Marks go with what precedes them; spaces, and the hyphen of F-16, with what follows."""
    named = next((run.language for run in runs if run.language), "zh" if language == "auto" else language)
    for index, run in enumerate(runs):
        following = runs[index + 1] if index + 1 < len(runs) else None
        if run.language:
            named = run.language
        elif not text[run.start].isspace() and not (
            text[run.start] in "-−" and following is not None and following.kind == "number"
        ):
            run.language = named
    for run in reversed(runs):
        run.language = named = run.language or named


def _merge(runs: list[_Run]) -> list[Piece]:
    pieces: list[Piece] = []
    for run in runs:
        if pieces and pieces[-1].language == run.language:
            pieces[-1] = Piece(run.language, pieces[-1].start, run.end)
        else:
            pieces.append(Piece(run.language, run.start, run.end))
    return pieces
