"""One word to phonemes: dictionary first, then what the word is made of, then its letters."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable

from ..symbols import DATA
from .lengthened import shortened
from .morphology import CONTRACTIONS, Phonemes, from_ending, from_prefix, joined, with_d, with_s
from .pinyin import from_pinyin
from .romaji import from_romaji

LETTER_NAMES: dict[str, Phonemes] = {
    letter: tuple(name.split())
    for letter, name in zip(
        "abcdefghijklmnopqrstuvwxyz",
        "EY1,B IY1,S IY1,D IY1,IY1,EH1 F,JH IY1,EY1 CH,AY1,JH EY1,K EY1,EH1 L,EH1 M,EH1 N,OW1,P IY1,K Y UW1,"
        "AA1 R,EH1 S,T IY1,Y UW1,V IY1,D AH1 B AH0 L Y UW0,EH1 K S,W AY1,Z IY1".split(","),
        strict=True,
    )
}
# Letters that NFKD leaves whole.
_WHOLE_LETTERS = str.maketrans({
    "ø": "o", "Ø": "O", "ß": "ss", "æ": "ae", "Æ": "Ae", "œ": "oe", "Œ": "Oe", "ł": "l", "Ł": "L", "đ": "d",
    "Đ": "D", "ð": "th", "Ð": "Th", "þ": "th", "Þ": "Th", "ı": "i", "ħ": "h",
})  # fmt: skip
ACCENTED: dict[str, Phonemes] = {
    "résumé": ("R", "EH1", "Z", "AH0", "M", "EY2"), "résumés": ("R", "EH1", "Z", "AH0", "M", "EY2", "Z"),
    "exposé": ("EH2", "K", "S", "P", "OW0", "Z", "EY1"), "rosé": ("R", "OW0", "Z", "EY1"),
    "pâté": ("P", "AA0", "T", "EY1"), "piñata": ("P", "IH0", "N", "Y", "AA1", "T", "AH0"),
    "jalapeño": ("HH", "AA2", "L", "AH0", "P", "EY1", "N", "Y", "OW0"), "touché": ("T", "UW0", "SH", "EY1"),
    "crème": ("K", "R", "EH1", "M"), "brûlée": ("B", "R", "UW0", "L", "EY1"), "à": ("AA1",),
    "blasé": ("B", "L", "AA0", "Z", "EY1"), "fiancée": ("F", "IY2", "AA0", "N", "S", "EY1"),
    "mâché": ("M", "AH0", "SH", "EY1"), "passé": ("P", "AE0", "S", "EY1"), "état": ("EY0", "T", "AA1"),
    "señor": ("S", "EY0", "N", "Y", "AO1", "R"), "niño": ("N", "IY1", "N", "Y", "OW0"),
    "señora": ("S", "EY0", "N", "Y", "AO1", "R", "AH0"), "über": ("UW1", "B", "ER0"), "são": ("S", "AW1"),
    "señorita": ("S", "EY2", "N", "Y", "ER0", "IY1", "T", "AH0"), "maître": ("M", "EY1", "T", "R", "AH0"),
}  # fmt: skip
# Capitals that are spelled although a word is written the same.
SPELLED = frozenset(
    "us it un eu uk ai id ip io os pc tv hr pr pa la ac dc ms ma mit usc sat ids led rip who sos ir em es ti "
    "am pm ed ie er ira sap al ups psi ct ad ar dj ko op ot po ta vp cd uv xl md va ca ga nj ny pb ph de pos "
    "crt fed hp et ado aka coo mad ram's mac's cs lit ok bs ba ra rv sd dea ucla usda aclu oecd "
    "ioc uae ussr aoc usaf ucsd eta".split()
) - {"mad", "fed", "lit", "ado", "ids", "pos", "sap"}
COMPOUNDS_PATH = DATA / "en_compounds.txt"  # first parts, then second parts
LONGEST_WORD = 60  # letters; beyond, no rule but the letters themselves is tried
SHORTEST_COMPOUND = 6
LONG_PART = 4  # a part this long is trusted beside any word; shorter ones only beside a known partner
_DRAWN_OUT = re.compile(r"([A-Za-z])\1{3,}")
_CAMEL = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z']+|[a-z']+")
# Capitals that make syllables of English: NASA and SWAT, but not AIGC, TTYL or HDMI.
_ONSET = "(?:[BCDFGHJKLMNPRSTVWZ]|[BCFGPS]L|[BCDFGPT]R|S[CKMNPTW]|[CKT]W|[CST]H|PH|QU)"
_CODA = "(?:[BCDFGKLMNPRSTXZ]|[LNR][DKTS]|[LNRKPT]S|[SFPCLRMN]T|CK|SH|CH|TH|MP|NG|SK|SP|ST|FT)"
_SAYABLE = re.compile(f"{_ONSET}?(?:[AEIOU]{_CODA}?{_ONSET}?)*[AEIOU]{_CODA}?")
# Two capitals are spelled but for words that people shout: CO, RA, but NO, GO.
_SHORT_WORDS = frozenset(
    "ad ah am an as at aw be by do eh go ha he hi if in is it me my no of oh on or ox so to up us we".split()
)
# Spelled even where everything is in capitals: in small letters they are no words.
_NEVER_WORDS = frozenset(
    "ai uk un eu tv pc dj hr dc cd id ip ui ux uv ac ps vr ar vp fbi cia usa usb dna gps atm ceo npc".split()
)
_PLURAL_CAPITALS = re.compile(r"[A-Z]{2,}s$")


def fold(word: str) -> str:
    """Latin letters without accents; other characters but the apostrophe are dropped."""
    if word.isascii():
        return word
    plain = unicodedata.normalize("NFKD", word.translate(_WHOLE_LETTERS))
    return "".join(letter for letter in plain if letter.isascii() and (letter.isalpha() or letter == "'"))


def spell(letters: str) -> Phonemes:
    """The names of the letters one after another."""
    return tuple(phoneme for letter in letters.lower() for phoneme in LETTER_NAMES.get(letter, ()))


class WordReader:
    """Pronounces single words, seen without their neighbours.

    Args:
        lookup: gives the phonemes of a lower-case word or None.
        letters_to_sound: reads any lower-case word by its letters.
    """

    def __init__(
        self, lookup: Callable[[str], Phonemes | None], letters_to_sound: Callable[[str], Phonemes]
    ) -> None:
        self._lookup = lookup
        self._letters_to_sound = letters_to_sound
        firsts, seconds = COMPOUNDS_PATH.read_text(encoding="ascii").splitlines()
        self._first_parts, self._second_parts = frozenset(firsts.split()), frozenset(seconds.split())

    def pronounce(self, word: str, shouted: bool = False) -> Phonemes:
        """Phonemes of a word as written; ``shouted`` takes capitals for emphasis."""
        accented = ACCENTED.get(word.lower())
        if accented:
            return accented
        word = fold(word)
        if len(word) > LONGEST_WORD:
            return self._letters_to_sound(word.lower())
        bare = word.strip("'")
        if len(bare) > 1 and not shouted and not _DRAWN_OUT.search(bare) and sum(map(str.isupper, bare)) > 1:
            found = self._capitals(bare)
            if found:
                return found
        if shouted and self._is_spelled_shout(bare):
            return spell(bare)
        known = self._known(word.lower()) or self._clipped(word.lower())
        if known:
            return known
        short = shortened(bare.lower(), self._lookup)
        if short != bare.lower():
            return self.pronounce(short)
        return self._derived(bare if not shouted else bare.lower())

    def _clipped(self, word: str) -> Phonemes | None:
        """``chokin'`` from choking."""
        found = self._lookup(word[:-1] + "g") if word.endswith("in'") else None
        return (*found[:-1], "N") if found else None

    def _is_spelled_shout(self, word: str) -> bool:
        """Whether an abbreviation stands in a line of capitals: AI, or AIGC, which makes no syllables."""
        if word.lower() in _NEVER_WORDS:
            return True
        short = len(word) < 6 and word.isupper() and not _DRAWN_OUT.search(word)
        return short and self._lookup(word.lower()) is None and not _SAYABLE.fullmatch(word)

    def is_plain(self, word: str) -> bool:
        """Whether a lower-case word is one of the language, not an abbreviation that is spelled."""
        found = self._lookup(word)
        names = [phoneme.rstrip("012") for phoneme in spell(word)]
        return found is not None and word not in SPELLED and [p.rstrip("012") for p in found] != names

    def _known(self, word: str) -> Phonemes | None:
        """Dictionary, with and without the apostrophes around the word."""
        bare = word.strip("'")
        if word != bare:
            for variant in (word, word.lstrip("'"), word.rstrip("'")):
                found = self._lookup(variant) if len(variant) > 1 else None
                if found:
                    return found
        return self._lookup(bare) if bare else None

    def _capitals(self, word: str) -> Phonemes | None:
        """``FBI``, ``CDs``, ``OpenAI``, ``NASA's``; None where capitals tell nothing."""
        if word.endswith("'s"):
            return with_s(self.pronounce(word[:-2]))
        if word.endswith("Ds") and self._lookup(word[:-1].lower()):  # PhDs
            return with_s(self.pronounce(word[:-1]))
        if _PLURAL_CAPITALS.match(word) and not self._lookup(word.lower()):
            return with_s(self.pronounce(word[:-1]))
        if not word.isupper():
            return self._lookup(word.lower()) or self._camel(word)
        lower = word.lower()
        if lower in SPELLED or (len(word) == 2 and lower not in _SHORT_WORDS):
            return spell(word)
        if "'" in word or self._lookup(lower):
            return None
        return (
            self._letters_to_sound(lower)
            if len(word) > 3 and _SAYABLE.fullmatch(word)
            else self._long_capitals(word)
        )

    def _long_capitals(self, word: str) -> Phonemes | None:
        """Spell what is short or has no vowels."""
        return spell(word) if len(word) < 6 or not set(word) & set("AEIOUY") else None

    def _camel(self, word: str) -> Phonemes | None:
        """``GitHub``: the parts in turn."""
        parts = _CAMEL.findall(word)
        if len(parts) < 2 or len(parts) > 8:
            return None
        return tuple(phoneme for part in parts for phoneme in self.pronounce(part))

    def _derived(self, word: str) -> Phonemes:
        """Words that no dictionary lists: by their parts, else by their letters."""
        lower = word.lower()
        if len(lower) == 1:
            return spell(lower)
        return (
            self._contracted(lower)
            or from_pinyin(lower)
            or self._by_parts(lower)
            or from_romaji(word)
            or self._by_letters(lower)
        )

    def _contracted(self, word: str) -> Phonemes | None:
        """Possessives and contractions of words the dictionary has without them."""
        if "'" not in word:
            return None
        base, _, tail = word.rpartition("'")
        if not base:
            return self.pronounce(tail) if tail else ()
        if tail == "s":
            return with_s(self.pronounce(base))
        if tail == "d":
            return with_d(self.pronounce(base))
        if tail == "t" and base.endswith("n") and len(base) > 2:
            return self.pronounce(base[:-1]) + CONTRACTIONS["n't"]
        if "'" + tail in CONTRACTIONS:
            return self.pronounce(base) + CONTRACTIONS["'" + tail]
        return self.pronounce(base) + self.pronounce(tail) if tail else self.pronounce(base)

    def _by_parts(self, word: str) -> Phonemes | None:
        """Endings, prefixes and compounds, one of each at most twice over."""
        ending = from_ending(word, self._lookup)
        if ending:
            return ending
        prefix = from_prefix(word, self._lookup) or self._compound(word)
        return prefix or from_ending(word, lambda stem: self._lookup(stem) or self._prefixed(stem))

    def _prefixed(self, stem: str) -> Phonemes | None:
        return (
            (from_prefix(stem, self._lookup) or self._compound(stem))
            if len(stem) >= SHORTEST_COMPOUND
            else None
        )

    def _compound(self, word: str) -> Phonemes | None:
        """Two words written as one, e.g. ``starship``; the most even split wins."""
        if len(word) < SHORTEST_COMPOUND:
            return None
        splits = [
            (abs(len(word) - 2 * place), first, second)
            for place in range(3, len(word) - 2)
            if self._is_compound(word[:place], word[place:])
            if (first := self._lookup(word[:place])) and (second := self._lookup(word[place:]))
        ]
        if not splits:
            return None
        _, first, second = min(splits)
        return joined(first, second)

    def _is_compound(self, first: str, second: str) -> bool:
        """Whether such compounds are common: 99 % of CMUdict's (85 % by one part) sound like their parts."""
        begins, ends = first in self._first_parts, second in self._second_parts
        long = min(len(first), len(second)) >= LONG_PART
        return (begins and ends) or ((begins or ends) and long)

    def _by_letters(self, word: str) -> Phonemes:
        """Letters to sound; what has no vowel is spelled."""
        word = word.replace("'", "")
        if len(word) <= 8 and not set(word.lstrip("y")) & set("aeiouy"):
            return spell(word)  # yyds too
        return self._letters_to_sound(word) or spell(word)
