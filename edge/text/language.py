"""Finds which language each part of a line is in.

Kana is Japanese, Latin letters are English. What language Han characters are in is said by ``han``. Digits
and signs go with their neighbours.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .han import (
    han_language,
    has_chinese_only_words,
    has_japanese_characters,
    is_chinese,
    is_link,
)
from .scripts import HAN, KANA, LATIN
from .zh.units import CURRENCY, CURRENCY_CODE, RATES, UNITS, alternatives

_HAN_LANGUAGES = ("zh", "ja")
_KANA = re.compile(f"[{KANA}]")
_CLAUSE_END = frozenset('。！？!?；;：:，,、…\n“”"「」『』（）()《》【】')
_ABBREVIATION = re.compile(r"[A-Z]{1,5}")
_BESIDE = re.compile(f"[{HAN}{KANA}]")


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


# Read whole, in English: figures in it are no numbers of the line.
_ADDRESS = (
    r"(?:https?://|ftp://|www\.)[!-~]*[A-Za-z0-9/]"
    r"|(?<![A-Za-z0-9._%+-])[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+"
)
_LONG_UNITS = alternatives(unit for unit in [*UNITS, *RATES] if len(unit) > 1 or not unit.isalpha())
_SHORT_UNITS = "".join(
    unit for unit in [*UNITS, "w"] if len(unit) == 1 and unit.isalpha()
)  # only right behind the digits; w is 万 in chats
# S63年, R5.4.1: years of an era by its initial; Lv.5: a level.
_WHOLE_BESIDE_KANA = (
    rf"(?<![{LATIN}])(?:L[Vv]|lv)\.?\s?\d+"
    rf"|(?<![{LATIN}])[MTSHR](?:(?:\d{{1,2}}|元)(?=年)|\d{{1,2}}[./]\d{{1,2}}[./]\d{{1,2}}(?!\d))"
)
_JAPANESE_UNITS = "KB|MB|GB|TB"  # Chinese lines spell these in English


def _run_pattern(units: str, whole: str = "(?!)") -> re.Pattern[str]:
    """Cuts a line into runs; a number takes its sign, currency and unit along; ``whole`` is a number too."""
    word_end = rf"(?![{LATIN}\d])"
    return re.compile(
        rf"(?P<latin>{_ADDRESS})|(?P<number>{whole}|(?:(?:{CURRENCY})\s?|N[oO]\.?\s?(?=\d)|(?<![{LATIN}])[AaPp][Mm]\s?(?=\d{{1,2}}[:：]\d)|[#№]|(?<![{LATIN}\d])[+\-−~～±≈])?"
        rf"(?:\d+(?:\.\d+)?[eE][-−+]\d{{1,3}}{word_end}|\d+\.\d+[eE]\d{{1,3}}{word_end}|\d+)"
        rf"(?:(?:[.,:：/⁄~～–—·x×*-]|\^[-−]?|(?<=\d\d\d)X(?=\d\d\d))\d+)*"
        rf"(?:\s?(?:{units}|{CURRENCY_CODE})(?:/(?:{units}))?{word_end}"
        rf"|(?:[{_SHORT_UNITS}](?:/(?:{units}))?|st|nd|rd|th|\s?[ap]\.?m\.?){word_end}|[½⅓⅔¼¾²³]+)?"
        rf"|(?<=[A-Za-z)）])(?:\^[-−]?\d+|[²³]+(?![{LATIN}\d]))"  # x^2, (a+b)²
        rf"|(?<=[{HAN}])(?=[IVX]{{2,}}{word_end})(?!X+{word_end})X{{0,3}}(?:IX|IV|V?I{{0,3}}){word_end})"
        rf"|(?P<han>[{HAN}]+)|(?P<kana>[{KANA}]+)|(?P<word>[{LATIN}]+(?:['’][{LATIN}]+)*)|(?P<other>.)",
        re.DOTALL,
    )


_KINDS = {"word": "latin"}
_RUN = _run_pattern(_LONG_UNITS)
_RUN_BESIDE_KANA = _run_pattern(f"{_LONG_UNITS}|{_JAPANESE_UNITS}", _WHOLE_BESIDE_KANA)


def split_languages(text: str, language: str = "auto", own: Sequence[str] = ()) -> list[Piece]:
    """Cut a line into pieces of one language each; they cover the line without gaps.

    Args:
        text: the cleaned line.
        language: ``auto``, or the language of what the script does not tell: Han characters and numbers.
        own: languages of the voice, the first one first; they say what ``auto`` is where the words do not.
    """
    is_japanese = language == "ja" or (
        language != "zh" and (list(own[:1]) == ["ja"] or _KANA.search(text) is not None)
    )
    pattern = _RUN_BESIDE_KANA if is_japanese else _RUN
    runs = [
        _Run(_KINDS.get(match.lastgroup or "", match.lastgroup or "other"), *match.span())
        for match in pattern.finditer(text)
    ]
    _name_scripts(text, runs, language, own)
    _name_letters(text, runs)
    fallback = _fallback(language, own)
    _name_numbers(text, runs, fallback)
    _name_rest(text, runs, fallback)
    return _merge(runs)


def _fallback(language: str, own: Sequence[str]) -> str:
    """The language of a line that has no letter: the first one of the voice."""
    if language != "auto":
        return language
    return own[0] if own else "zh"


def _name_scripts(text: str, runs: list[_Run], language: str, own: Sequence[str]) -> None:
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
    elif han:
        of_line = han_language("".join(text[run.start : run.end] for run in han), own)
        for run in han:
            run.language = of_line


def _name_han_beside_kana(text: str, runs: list[_Run], han: list[_Run]) -> None:
    """Each run by its own words, then by kana in its clause, then by its sentence, then as the run before."""
    clauses = _clause_numbers(text, runs)
    kana_clauses = {clause for run, clause in zip(runs, clauses, strict=True) if run.kind == "kana"}
    clause_of = {run.start: clause for run, clause in zip(runs, clauses, strict=True)}
    line_is_chinese = is_chinese(text)
    for run in han:
        piece = text[run.start : run.end]
        if is_chinese(piece) or (line_is_chinese and is_link(piece)):
            run.language = "zh"  # 我喜欢すし和さしみ
        elif clause_of[run.start] in kana_clauses or has_japanese_characters(piece):
            run.language = "ja"
        elif has_chinese_only_words(_sentence(text, run)) or has_chinese_only_words(piece):
            run.language = "zh"  # そうか。知道了。 And 好的，了解です。
        elif not _sentence(text, run):
            run.language = "ja"  # 先生、こんにちは。
    known = next((run.language for run in han if run.language), "ja")
    for run in han:
        run.language = known = run.language or known


def _sentence(text: str, run: _Run) -> str:
    """The sentence around a run, or nothing if there is kana in it."""
    start = max(text.rfind(mark, 0, run.start) for mark in _SENTENCE_ENDS) + 1
    found = (text.find(mark, run.end) for mark in _SENTENCE_ENDS)
    end = min((place for place in found if place >= 0), default=len(text))
    sentence = text[start:end]
    return "" if _KANA.search(sentence) else sentence


_ENGLISH_SUFFIX = re.compile(
    rf"\d\s?(?:st|nd|rd|th|'?s|[ap]\.?m\.?|{CURRENCY_CODE})(?![A-Za-z])|No\.?\s?\d"
)  # 5th, 1990s, 3 pm
_SIGNS = frozenset("+-−<>≤≥=≈≠±")
_OPERATORS = frozenset("=+−×÷≈≠≥≤<>±→")
_LONGEST_NAME = 3  # letters of a function or a quantity in a formula
_BEFORE_BRACKET = _OPERATORS | frozenset("√(")
_RAISED = frozenset("^²³")
_SENTENCE_ENDS = "。！？!?\n…"


def _clause_numbers(text: str, runs: list[_Run]) -> list[int]:
    numbers, clause = [], 0
    for run, is_inside in zip(runs, _brackets_of_sums(text, runs), strict=True):
        clause += text[run.start] in _CLAUSE_END and not is_inside
        numbers.append(clause)
    return numbers


def _brackets_of_sums(text: str, runs: list[_Run]) -> list[bool]:
    """Which runs are brackets inside a sum, as in x=(a+b)÷2: they part no clauses."""
    found = [False] * len(runs)
    opened: list[tuple[int, bool]] = []
    for index, run in enumerate(runs):
        if text[run.start] == "(":
            opened.append((index, run.start > 0 and text[run.start - 1] in _BEFORE_BRACKET))
        elif text[run.start] == ")" and opened:
            first, is_sum = opened.pop()
            is_sum = is_sum or text[run.end : run.end + 1] in _OPERATORS
            found[first] = found[index] = is_sum
    return found


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
        usual = "en" if language != "ja" and _ENGLISH_SUFFIX.search(text) else language
        usual = "en" if any(run.kind == "latin" for run in runs) else usual
    codes = _code_clauses(runs, clauses) if in_clause else frozenset()
    # Clauses whose signs are read in the language of the line: with Han in them, or of a formula alone.
    sums = dict.fromkeys(clauses, True) if in_clause else {}
    for run, clause in zip(runs, clauses, strict=True):
        if run.kind == "latin" and run.end - run.start > _LONGEST_NAME and clause not in in_clause:
            sums[clause] = False
    for index, run in enumerate(runs):
        usual = run.language if run.language in _HAN_LANGUAGES else usual
        if text[run.start] in _RAISED and in_clause:
            run.language = usual
        elif sums.get(clauses[index]) and _is_in_sum(text, runs, index):
            run.language = in_clause.get(clauses[index], usual)
        elif run.kind == "number":
            around = [name for name in (before[index], after[index]) if name]
            of_clause = usual if clauses[index] in codes else in_clause.get(clauses[index], "")
            run.language = _number_language(around, of_clause, usual)
    _join_codes(runs)


def _is_in_sum(text: str, runs: list[_Run], index: int) -> bool:
    """Whether a sign or a number is part of a sum."""
    kind = runs[index].kind
    return (kind == "other" and _is_sign_of_sum(text, runs, index)) or (
        kind == "number" and _is_term_of_sum(text, runs, index)
    )


def _is_sign_of_sum(text: str, runs: list[_Run], index: int) -> bool:
    """Whether a sign stands between letters or numbers: E=mc^2, x + 2; or is a root or a large one."""
    if text[runs[index].start] in "√∑∫∏":
        return True
    if text[runs[index].start] not in _OPERATORS:
        return False
    beside = [
        next((run for run in side if not text[run.start].isspace()), None)
        for side in (reversed(runs[:index]), runs[index + 1 :])
    ]
    return all(run is not None and _is_term(text, run) for run in beside)


def _is_term_of_sum(text: str, runs: list[_Run], index: int) -> bool:
    """Whether a sign of a sum stands right beside a number: the 4 of b−4ac."""
    start, end = runs[index].start, runs[index].end
    return text[start] == "−" or bool(
        _OPERATORS.union("√").intersection((text[start - 1 : start], text[end : end + 1]))
    )


def _is_term(text: str, run: _Run) -> bool:
    is_name = run.kind == "latin" and run.end - run.start <= 2
    return run.kind == "number" or is_name or text[run.start] in "()（）√∑∫∏"


def _join_codes(runs: list[_Run]) -> None:
    """The numbers of one code are in one language, that of the last one: H7N9."""
    for run, letters, following in zip(runs[-3::-1], runs[-2::-1], runs[::-1], strict=False):
        if run.kind == following.kind == "number" and letters.kind == "latin":
            run.language = following.language


def _code_clauses(runs: list[_Run], clauses: list[int]) -> frozenset[int]:
    """Clauses that are one code and nothing else, as in T-72、T-90坦克: no English around their numbers."""
    letters: dict[int, list[_Run]] = {}
    for run, clause in zip(runs, clauses, strict=True):
        if run.language:
            letters.setdefault(clause, []).append(run)
    codes = set()
    for index, run in enumerate(runs):
        found = letters.get(clauses[index], [])
        if run.kind == "number" and len(found) == 1 and found[0].kind == "latin":
            codes |= {clauses[index]} if 0 <= run.start - found[0].end <= 1 else set()
    return frozenset(codes)


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
    """Marks go with what precedes them; spaces, and the signs of F-16 and p<0.05, with what follows."""
    named = next((run.language for run in runs if run.language), language)
    for index, run in enumerate(runs):
        following = runs[index + 1] if index + 1 < len(runs) else None
        if run.language:
            named = run.language
        elif not text[run.start].isspace() and not (
            text[run.start] in _SIGNS and following is not None and following.kind == "number"
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
