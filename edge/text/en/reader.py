"""English reader: written-out spans in, words with ARPAbet phonemes and punctuation out."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, lru_cache

from ..scripts import LATIN as _LETTER
from ..token import Span, Token
from .context import LETTERED
from .cues import Site
from .dictionary import PronunciationDictionary
from .homographs import Homographs
from .lengthened import first_sound, is_stutter
from .letters import LetterModel
from .morphology import Phonemes, with_s
from .normalize import normalize
from .words import WordReader, fold, spell

Lexicon = Mapping[str, Phonemes]

_PIECE = re.compile(
    rf"'(?:em|til|cause|tis|twas|bout|round|n)(?![{_LETTER}])|[{_LETTER}]+(?:'[{_LETTER}]+)*(?:(?<=in)'(?![{_LETTER}]))?"
    rf"|\.{{2,}}|…|\n+|[,.!?;:()—–]|-(?!(?<=[{_LETTER}]-)[{_LETTER}])",
    re.IGNORECASE,
)
_MARKS = {";": ",", ":": ",", "(": ",", ")": ",", "—": "-", "–": "-"}
_STRENGTH = ",-.…!?"  # of several marks in a row the last of these is spoken
_MOST_REPEATS = 8  # words and marks of one stutter
LEAST_SHOUTED = (
    3  # words in capitals in a row that are emphasis rather than abbreviations; two if nothing else is there
)
# Before a hyphen: "re-do" is not the "re" of "re your letter".
HYPHENATED: dict[str, Phonemes] = {
    "re": ("R", "IY0"), "co": ("K", "OW1"), "pre": ("P", "R", "IY1"), "de": ("D", "IY1"), "un": ("AH0", "N"),
    "anti": ("AE2", "N", "T", "IY0"), "semi": ("S", "EH2", "M", "IY0"), "bi": ("B", "AY1"),
    "tri": ("T", "R", "AY1"), "wi": ("W", "AY1"),
}  # fmt: skip


@dataclass(frozen=True)
class _Piece:
    """A word or mark of the written-out text and where it came from."""

    text: str
    start: int
    end: int
    is_word: bool
    is_letter: bool = False
    is_prefix: bool = False
    is_written_out: bool = False


class EnglishReader:
    """The LanguageReader for English; phonemes are ARPAbet with stress."""

    language = "en"

    def __init__(self) -> None:
        self._letters = cache(LetterModel)

    @cached_property
    def _words(self) -> WordReader:
        """Reads single words; nothing in it leads back here, so that a dropped reader is freed."""
        letters = self._letters
        return WordReader(PronunciationDictionary().get, lambda word: letters().read(word))

    @cached_property
    def _pronounce(self) -> Callable[..., Phonemes]:
        """Reads a word as written, and remembers it."""
        return lru_cache(maxsize=4096)(self._words.pronounce)

    @cached_property
    def _homographs(self) -> Homographs:
        return Homographs()

    def warm_up(self) -> None:
        """Load the dictionary, the letter-to-sound network and the homographs."""
        self._letters().read("warm")
        self.read(self.normalize("The 1st of 2 winds read $3."), {})

    def normalize(self, text: str, before: str = "", after: str = "") -> list[Span]:
        """Write out numbers, dates, money, units, abbreviations and symbols."""
        return normalize(text, after)

    def read(self, spans: Sequence[Span], lexicon: Lexicon) -> list[Token]:
        """Look every word up and choose among readings by its neighbours.

        Args:
            spans: as ``normalize`` gives them.
            lexicon: phonemes by lower-case word; wins over every other rule.
        """
        pieces = _merge_marks([piece for span in spans for piece in _cut(span)])
        shouted = _shouted(pieces, self._words.is_plain)
        lowers = [fold(piece.text).lower() for piece in pieces]
        tokens = [
            Token(
                piece.text,
                self._phonemes(pieces, lowers, index, index in shouted, lexicon),
                piece.start,
                piece.end,
                piece.is_word,
            )
            for index, piece in enumerate(pieces)
        ]
        tokens = [_before_vowel(token, lowers, tokens, index, lexicon) for index, token in enumerate(tokens)]
        return [token for token in tokens if token.phonemes]

    def _phonemes(
        self, pieces: Sequence[_Piece], lowers: Sequence[str], index: int, shouted: bool, lexicon: Lexicon
    ) -> Phonemes:
        piece, lower = pieces[index], lowers[index]
        if not piece.is_word:
            return (piece.text,)
        own = _from_lexicon(piece.text.lower(), lexicon) or _from_lexicon(lower, lexicon)
        if own:
            return own
        stuttered = _stuttered(pieces, lowers, index)
        if stuttered:
            return first_sound(lower, self._phonemes(pieces, lowers, stuttered, shouted, lexicon))
        if piece.is_prefix and lower in HYPHENATED:
            return HYPHENATED[lower]
        if piece.is_letter or (lower == "a" and _is_letter_a(pieces, index)):
            return spell(lower)
        if lower in self._homographs and piece.text.isascii():
            return self._homographs.read(Site(lowers, index, piece.text[0].isupper() and not shouted))
        return self._pronounce(piece.text, shouted)


def _stuttered(pieces: Sequence[_Piece], lowers: Sequence[str], index: int) -> int:
    """Where the word stands that a fragment stutters, behind W-, W-w- or W...; 0 if it is none."""
    word = index
    last = min(len(pieces), index + _MOST_REPEATS)
    while word + 1 < last and lowers[word][:1] == lowers[index][:1]:
        if pieces[word].is_prefix:
            word += 1
        elif len(lowers[word]) == 1 and pieces[word + 1].text in ("…", "-") and word + 2 < len(pieces):
            word += 2  # W... what
        else:
            break
    return word if word > index and is_stutter(lowers[index], lowers[word]) else 0


def site_at(text: str, start: int) -> Site | None:
    """The site of the word that begins at a place of a text, or None where none does."""
    pieces = _merge_marks([piece for span in normalize(text) for piece in _cut(span)])
    index = next(
        (index for index, piece in enumerate(pieces) if piece.start == start and piece.is_word), None
    )
    if index is None:
        return None
    return Site([fold(piece.text).lower() for piece in pieces], index, pieces[index].text[0].isupper())


def _cut(span: Span) -> list[_Piece]:
    """Words and marks of a span; a span that was not rewritten gives each its own position."""
    literal = len(span.text) == span.end - span.start
    letter = len(span.text.lstrip()) == 1 and span.text[-1].isupper()
    pieces = []
    for match in _PIECE.finditer(span.text):
        text = match.group()
        start = span.start + match.start() if literal else span.start
        end = span.start + match.end() if literal else span.end
        is_word = text[-1].isalpha() or (len(text) > 1 and text[0].isalpha())
        prefix = (
            span.text[match.end() : match.end() + 1] == "-" and span.text[match.end() + 1 :][:1].isalpha()
        )
        pieces.append(
            _Piece(text if is_word else _mark(text), start, end, is_word, letter, prefix, not literal)
        )
    return pieces


def _mark(text: str) -> str:
    """The inventory's symbol for a punctuation mark; an empty line ends a sentence."""
    if text[0] == "\n":
        return "." if len(text) > 1 else ","
    if text.startswith(".."):
        return "…"
    return _MARKS.get(text, text)


def _merge_marks(pieces: Sequence[_Piece]) -> list[_Piece]:
    """Of several marks in a row keep the strongest; drop those before the first word, but for ``…``."""
    merged: list[_Piece] = []
    spoken = any(piece.is_word for piece in pieces)
    for piece in pieces:
        if piece.is_word or not merged or merged[-1].is_word:
            if piece.is_word or merged or piece.text == "…" or not spoken:
                merged.append(piece)
        elif _STRENGTH.index(piece.text) > _STRENGTH.index(merged[-1].text):
            merged[-1] = replace(merged[-1], text=piece.text, end=piece.end)
    return merged


def _shouted(pieces: Sequence[_Piece], is_plain: Callable[[str], bool]) -> set[int]:
    """Indices of words in capitals that are emphasis, if most are words: long runs, or all there is."""
    words = [
        index
        for index, piece in enumerate(pieces)
        if piece.is_word and not piece.is_letter and not piece.is_written_out
    ]
    capital = [index for index in words if pieces[index].text.isupper()]
    if len(capital) == len(words) and sum(len(pieces[index].text) > 1 for index in capital) > 1:
        plain = sum(is_plain(pieces[index].text.lower()) for index in capital)
        return set(capital) if 2 * plain > len(capital) else set()  # HDMI, USB, LED is a list
    found: set[int] = set()
    run: list[int] = []
    for index in [*words, -1]:
        if index >= 0 and pieces[index].text.isupper():
            run.append(index)
            continue
        long = [pieces[place].text.lower() for place in run if len(pieces[place].text) > 1]
        if len(long) >= LEAST_SHOUTED and 2 * sum(map(is_plain, long)) > len(long):
            found.update(run)
        run = []
    return found


def _from_lexicon(word: str, lexicon: Lexicon) -> Phonemes | None:
    """A show's own word, also as a possessive."""
    found = lexicon.get(word)
    if found is None and word.endswith("'s") and word[:-2] in lexicon:
        return with_s(lexicon[word[:-2]])
    return found


def _is_letter_a(pieces: Sequence[_Piece], index: int) -> bool:
    """Whether "A" is the letter: inside a sentence, and not before a capitalised word as in a title."""
    following = pieces[index + 1].text if index + 1 < len(pieces) else "."
    if pieces[index].text != "A":  # the a of 4 a c, but not of a t-shirt
        is_name = len(following) == 1 and following.islower() and following not in "aio"
        return is_name and not pieces[index + 1].is_prefix
    if following in ",.!?":
        return True  # B, A, D
    beside = [following, pieces[index - 1].text if index else ""]
    if any(len(text) == 1 and text.isupper() and text != "I" for text in beside):
        return True  # C A T
    if index == 0 or not pieces[index - 1].is_word:
        return False
    if pieces[index - 1].text.lower() in LETTERED:
        return True
    return index + 1 == len(pieces) or not pieces[index + 1].is_word


def _before_vowel(
    token: Token, lowers: Sequence[str], tokens: Sequence[Token], index: int, lexicon: Lexicon
) -> Token:
    """``the`` and ``to`` by the sound that follows: DH IY0 apple, DH AH0 pear; T UW1 eat, T AH0 go."""
    lower = lowers[index]
    if lower not in ("the", "to") or lower in lexicon:
        return token
    following = tokens[index + 1].phonemes[:1] if index + 1 < len(tokens) else ()
    vowel = bool(following) and following[0][-1].isdigit()
    if lower == "the":
        return replace(token, phonemes=("DH", "IY0" if vowel else "AH0"))
    word_follows = bool(following) and tokens[index + 1].is_word
    return replace(token, phonemes=("T", "AH0" if word_follows and not vowel else "UW1"))
