"""Our phonemes as the tokens of Kokoro-82M, each token with the phoneme that it sounds for.

The tables are in ``kokoro_tokens.toml``. Kokoro has no pitch accent: ``[`` and ``]`` have no tokens.

Source: what the G2P of Kokoro-82M v1.0 (misaki 0.9.4, Apache-2.0) writes for the same words.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from edge.spec import FINAL_SYMBOL, ZERO_LENGTH_SYMBOLS
from edge.text import Reading

from ..config import load_toml
from .base import LineRejectedError

MOST_TOKENS = 510  # the rows of a voice; one more and the network fails
FINAL = -1  # owner of the full stop that closes a line without one

Token = tuple[str, int]  # one character and the index of the phoneme that it sounds for
Owned = list[tuple[str, int]]  # tokens of one phoneme together, and its index

_TABLES = Path(__file__).with_suffix(".toml")
_JA_VOWELS = "aiueo"


@cache
def tables() -> Mapping[str, Any]:
    """Read the tables, once."""
    return load_toml(_TABLES)


def tokens(reading: Reading) -> list[Token]:
    """Write a line as Kokoro reads it.

    A space between words belongs to the phoneme before it.

    Raises:
        LineRejectedError: the line has no word, a symbol that Kokoro has no token for, or too many tokens.
    """
    written = _spaced(reading)
    if not any(token.isalpha() for token, _ in written):
        raise LineRejectedError("empty", "nothing but punctuation; Kokoro would hum")
    if written[-1][0] not in tables()["punctuation"].values():
        written.append((FINAL_SYMBOL, FINAL))
    unknown = [token for token, _ in written if token not in tables()["ids"]]
    if unknown:
        raise LineRejectedError("symbol", f"Kokoro has no token {unknown[0]!r}")
    if len(written) > MOST_TOKENS:
        raise LineRejectedError(
            "length", f"{len(written)} tokens, but Kokoro takes {MOST_TOKENS}; cut the line"
        )
    return written


def token_ids(written: Sequence[Token]) -> list[int]:
    """Give the numbers of tokens."""
    ids = tables()["ids"]
    return [ids[token] for token, _ in written]


def _spaced(reading: Reading) -> list[Token]:
    """Join words and punctuation: one space between words, none before a mark, none beside a glottal stop."""
    stop = tables()["ja"]["marks"]["cl"]
    out: list[Token] = []
    after_mark = False
    for piece, is_mark in _pieces(reading):
        if not piece or (is_mark and not out):
            continue
        if out and not is_mark:
            glued = not after_mark and stop in (piece[0][0], out[-1][0])
            if not glued:
                out.append((" ", out[-1][1]))
        out += piece
        after_mark = is_mark
    return out


def _pieces(reading: Reading) -> Iterator[tuple[list[Token], bool]]:
    """Yield the tokens of each word and each mark, and whether it is a mark."""
    starts = {word.start: word for word in reading.words}
    marks, index = tables()["punctuation"], 0
    while index < len(reading.phonemes):
        word = starts.get(index)
        if word is not None and word.end > index:
            owned = _word(reading, word.start, word.end, word.text)
            yield [(character, owner) for text, owner in owned for character in text], False
            index = word.end
        else:
            symbol = reading.phonemes[index]
            if symbol in marks:
                yield [(marks[symbol], index)], True
            elif symbol not in ZERO_LENGTH_SYMBOLS:
                raise LineRejectedError("symbol", f"{symbol!r} stands in no word")
            index += 1


def _word(reading: Reading, start: int, end: int, text: str) -> Owned:
    language = reading.languages[start]
    indices = [i for i in range(start, end) if reading.phonemes[i] not in ZERO_LENGTH_SYMBOLS]
    symbols = [reading.phonemes[i] for i in indices]
    if language == "zh":
        owned = _mandarin(symbols)
    elif language == "en":
        owned = _english(symbols, text)
    else:
        owned = _japanese(symbols, _goes_on(reading, end))
    return [(written, indices[place]) for written, place in owned]


def _goes_on(reading: Reading, index: int) -> bool:
    """Say whether a sound follows in the same clause."""
    symbols = (symbol for symbol in reading.phonemes[index:] if symbol not in ZERO_LENGTH_SYMBOLS)
    following = next(symbols, None)
    return following is not None and following not in tables()["punctuation"]


def _lookup(table: Mapping[str, str], symbol: str) -> str:
    try:
        return table[symbol]
    except KeyError as error:
        raise LineRejectedError("symbol", f"Kokoro has no token for {symbol!r}") from error


# --- Mandarin ---


def _mandarin(symbols: Sequence[str]) -> Owned:
    """Write pairs of onset and rime; the mark of the tone stands after the vowels of the rime."""
    table = tables()["zh"]
    owned: Owned = []
    for place in range(0, len(symbols) - 1, 2):
        onset, rime, tone = symbols[place], symbols[place + 1][:-1], symbols[place + 1][-1]
        together = table["after"].get(onset, {}).get(rime)
        if together is not None:
            first, rest = together.split(" ")
        else:
            first, rest = _lookup(table["onsets"], onset), _lookup(table["rimes"], rime)
        owned += [(first, place), (rest.replace("*", _lookup(table["tones"], tone)), place + 1)]
    if len(symbols) % 2:
        raise LineRejectedError("symbol", f"{symbols[-1]!r} has no rime")
    return owned


# --- English ---


def _english(symbols: Sequence[str], text: str) -> Owned:
    weak = tables()["en"]["weak"].get(text.lower(), "").split()
    if len(weak) == len(symbols):
        return [(written, place) for place, written in enumerate(weak)]
    return [(_english_sound(symbols, place), place) for place in range(len(symbols))]


def _english_sound(symbols: Sequence[str], place: int) -> str:
    table = tables()["en"]
    symbol = symbols[place]
    if not _is_vowel(symbol):
        flapped = symbol == "T" and _flaps(symbols, place)
        return "T" if flapped else _lookup(table["consonants"], symbol)
    reduced = _reduced(symbols, place)
    if reduced is not None:
        return reduced
    plain, stress = symbol.rstrip("012"), symbol[-1]
    vowel = table["unstressed"].get(symbol) or _lookup(table["vowels"], plain)
    return str(table["stress"].get(stress, "") + vowel)


def _is_vowel(symbol: str) -> bool:
    return symbol.rstrip("012") in tables()["en"]["vowels"]


def _at(symbols: Sequence[str], place: int) -> str:
    return symbols[place] if 0 <= place < len(symbols) else ""


def _flaps(symbols: Sequence[str], place: int) -> bool:
    """Say whether a T is only a tap: between a vowel or R and an unstressed vowel, but not in *button*."""
    before, after = _at(symbols, place - 1), _at(symbols, place + 1)
    if not before or not after.endswith("0") or not (_is_vowel(before) or before == "R"):
        return False
    return not (after == "AH0" and _at(symbols, place + 2) == "N")


def _reduced(symbols: Sequence[str], place: int) -> str | None:
    """Give the vowel of an unstressed syllable where it is not the usual one; empty where it is silent."""
    symbol, before = symbols[place], _at(symbols, place - 1)
    after, beyond = _at(symbols, place + 1), _at(symbols, place + 2)
    if symbol in ("AH0", "IH0") and after and not beyond and _ends_in_ed_or_es(before, after):
        return "ᵻ"
    if symbol != "AH0":
        return None
    if len(symbols) == 1:
        return "ɐ"
    closed = not (beyond and _is_vowel(beyond))
    if after == "N":
        if not before and beyond and closed and len(symbols) > 3:
            return "ʌ"
        if closed and before in ("D", "S", "Z", "TH", "DH"):
            return "ᵊ"
        return "" if before == "T" and not beyond else None
    syllabic = after == "L" and closed and before and not _is_vowel(before)
    return "ᵊ" if syllabic and before not in ("R", "W", "Y", "HH") else None


def _ends_in_ed_or_es(before: str, after: str) -> bool:
    return (after == "D" and before in ("T", "D")) or (
        after == "Z" and before in ("S", "Z", "SH", "ZH", "CH", "JH")
    )


# --- Japanese ---


def _japanese(symbols: Sequence[str], joined: bool) -> Owned:
    """Write morae; a glottal stop needs a sound after it, if only that of a joined word."""
    table, owned, place = tables()["ja"], Owned(), 0
    while place < len(symbols):
        symbol = symbols[place]
        coming = symbols[place + 1 : place + 3]
        if symbol == "cl":
            owned.append((table["marks"]["cl"] if coming or joined else "", place))
        elif symbol == "N":
            owned.append((_nasal(coming), place))
        elif symbol in table["vowels"]:
            owned.append((_vowel(symbols, place, owned), place))
        else:
            mora = _mora(symbols, place)
            owned += mora
            place += len(mora) - 1
        place += 1
    return owned


def _nasal(coming: Sequence[str]) -> str:
    table = tables()["ja"]
    exact = " ".join(coming).lower()
    first = coming[0] if coming else ""
    return str(table["nasals"].get(exact) or table["nasals"].get(first) or table["marks"]["N"])


def _vowel(symbols: Sequence[str], place: int, owned: Owned) -> str:
    """Write a vowel that no consonant precedes; a repeated one is long, but for i and a third one."""
    table, vowel = tables()["ja"], symbols[place].lower()
    long = table["marks"]["long"]
    repeated = place and symbols[place - 1].lower() == vowel and vowel != "i"
    if repeated and owned and not owned[-1][0].endswith(long):
        return str(long)
    return str(table["vowels"][symbols[place]])


def _mora(symbols: Sequence[str], place: int) -> Owned:
    """Write a consonant and its vowel; a glide between them counts with the consonant."""
    table = tables()["ja"]
    for length in (3, 2):
        sounds = symbols[place : place + length]
        if len(sounds) < length or sounds[-1].lower() not in _JA_VOWELS:
            continue
        written = table["morae"].get("".join(sounds[:-1]) + " " + sounds[-1].lower())
        if written is None or (length == 3 and sounds[1] not in ("y", "w")):
            continue
        onset, vowel = written.split(" ")
        parts = [onset] if length == 2 else [onset[:1], onset[1:]]
        return [(text, place + k) for k, text in enumerate((*parts, vowel))]
    return [(_lookup(table["consonants"], symbols[place]), place)]
