"""Titles, dotted abbreviations and Roman numerals in English words."""

from __future__ import annotations

import re

from .context import LETTERED, STARTERS, Rule, ends_sentence, next_word, previous_word
from .numbers import cardinal, ordinal, pairs, roman_value

# Never end a sentence: what follows belongs to them.
TITLES = {
    "Mr": "Mister", "Mrs": "Missus", "Ms": "Miz", "Messrs": "Messieurs", "Prof": "Professor",
    "Rev": "Reverend", "Gen": "General", "Col": "Colonel", "Capt": "Captain", "Lt": "Lieutenant",
    "Sgt": "Sergeant", "Cpl": "Corporal", "Maj": "Major", "Cmdr": "Commander", "Adm": "Admiral",
    "Sen": "Senator", "Rep": "Representative", "Gov": "Governor", "Hon": "Honorable", "Pres": "President",
    "Supt": "Superintendent", "Fr": "Father", "Mt": "Mount", "Ft": "Fort", "vs": "versus",
    "e.g": "for example", "i.e": "that is", "cf": "compare", "viz": "namely", "approx": "approximately",
    "ca": "circa", "Mme": "Madame", "Mlle": "Mademoiselle",
}  # fmt: skip
# Said in full without a full stop as well.
BARE = frozenset(
    {"Mr", "Mrs", "Ms", "vs", "Prof", "approx", "etc", "Blvd", "Sgt", "Capt", "Lt", "Ctrl", "Cmd", "Esc"}
)
# May end a sentence: a full stop before a capital letter or the end is kept.
WORDS = {
    "etc": "et cetera", "Jr": "Junior", "Sr": "Senior", "Inc": "Incorporated", "Corp": "Corporation",
    "Co": "Company", "Ltd": "Limited", "Bros": "Brothers", "Ave": "Avenue", "Blvd": "Boulevard", "Rd": "Road",
    "Ln": "Lane", "Hwy": "Highway", "Pkwy": "Parkway", "Sq": "Square", "Apt": "Apartment",
    "Dept": "Department", "dept": "department", "Univ": "University", "Assn": "Association",
    "Govt": "Government", "govt": "government", "est": "established", "tel": "telephone", "Tel": "Telephone",
    "ext": "extension", "Ext": "Extension", "max": "maximum", "min": "minimum", "avg": "average",
    "misc": "miscellaneous", "Ctrl": "Control", "Cmd": "Command", "Esc": "Escape",
    "temp": "temperature", "incl": "including", "al": "al", "Bldg": "Building",
    "Mfg": "Manufacturing", "Intl": "International", "Natl": "National", "a.k.a": "A K A",
}  # fmt: skip
# Only before a number.
NUMBERED = {
    "c": "circa",
    "No": "number", "Nos": "numbers", "no": "number", "p": "page", "pp": "pages", "vol": "volume",
    "Vol": "Volume", "ch": "chapter", "Ch": "Chapter", "fig": "figure", "Fig": "Figure", "Figs": "Figures",
    "sc": "scene", "Sc": "Scene", "sec": "section", "Sec": "Section",
    "art": "article", "Art": "Article", "ed": "edition", "ver": "version",
    "Ver": "Version", "eq": "equation", "Eq": "Equation", "Rte": "Route", "Ref": "Reference",
    "ref": "reference", "v": "version",
}  # fmt: skip
ROMAN_SECTIONS = frozenset(
    "chapter part act scene volume book phase type class title article section war bowl level mark stage "
    "grade appendix season episode version figure table group division tier unit category round vol channel "
    "schedule amendment page pages".split()
)
# Rulers and popes, who are "the eighth" rather than "eight".
REGNAL = frozenset(
    "henry louis elizabeth charles george william edward james richard john paul pius benedict francis "
    "philip philippe ferdinand catherine peter nicholas alexander napoleon frederick leo gregory clement "
    "innocent ramesses ramses ptolemy cleopatra otto mary margaret christian gustav haakon felipe wilhelm "
    "friedrich urban sixtus julius alfonso ivan stephen harald olaf mehmed selim murad robert david xerxes "
    "darius artaxerxes thutmose amenhotep seti carlos victor emmanuel franz joseph isabella joan sigismund "
    "casimir vladislaus baldwin theodosius constantine justinian umberto leopold albert rainier michael pope "
    "king queen emperor tsar prince boniface adrian celestine eugene honorius martin marcus hassan mohammed "
    "abdullah hussein rama naruhito".split()
)


def _title(match: re.Match[str]) -> str | None:
    """``Mr. Smith``; some are read in full even without the full stop."""
    short = match["w"]
    if not match["dot"] and short not in BARE:
        return None
    if (
        short in {"Rep", "Gen", "Sen", "Fr", "Hon", "Rev", "Col", "Gov", "Pres", "Ft", "Mt"}
        and not next_word(match)[:1].isupper()
    ):
        return None
    return TITLES[short]


def _word(match: re.Match[str]) -> str | None:
    short = match["w"]
    if not match["dot"] and short not in BARE:
        return None
    if (
        short in {"max", "min", "temp", "al", "est", "Co"}
        and ends_sentence(match)
        and short != "Co"
        and short != "al"
    ):
        return None
    return WORDS[short] + ("." if match["dot"] and ends_sentence(match, short in {"etc"}) else "")


def _numbered(match: re.Match[str]) -> str | None:
    short = match["w"]
    if short == "v" and match["dot"]:
        return None
    return NUMBERED[short] if match["dot"] or short == "v" else None


def _doctor(match: re.Match[str]) -> str | None:
    """``Dr. Lee`` against ``5 Mulholland Dr.``."""
    after = next_word(match)
    if after[:1].isupper() and after not in STARTERS:
        return "Doctor"
    if previous_word(match)[:1].isupper():
        return "Drive" + ("." if match["dot"] and ends_sentence(match) else "")
    return "Doctor" if match["dot"] else None


def _saint(match: re.Match[str]) -> str | None:
    """``St. Paul`` against ``Main St.``."""
    before, after = previous_word(match), next_word(match)
    street = bool(
        re.search(
            r"(?:[A-Za-z]|\d(?:st|nd|rd|th)) $", match.string[max(0, match.start() - 5) : match.start()]
        )
    )
    named = street and (
        before[:1].isupper()
        or re.search(r"\d\w\w $", match.string[max(0, match.start() - 5) : match.start()])
    )
    if (
        named
        and before not in STARTERS
        and (not after[:1].isupper() or after in STARTERS or before.endswith(("n", "r", "h", "l")))
    ):
        return "Street" + ("." if match["dot"] and ends_sentence(match) else "")
    return "Saint" if after[:1].isupper() else None


_CHOICES = frozenset("or is was are got an choose chose press letter key answer".split())


def _initial(match: re.Match[str]) -> str | None:
    """``George W. Bush``, ``T. rex``: no sentence ends there, unless a usual beginning follows."""
    if next_word(match) in STARTERS or previous_word(match).lower() in LETTERED | _CHOICES:
        return None
    return match.group()[0]


def _dotted_letters(match: re.Match[str]) -> str:
    """``U.S.`` -> ``US``, ``a.m.`` -> ``AM``, ``Ph.D.`` -> ``PhD``."""
    letters = match.group().replace(".", "").replace(" ", "")
    ends = match.group().endswith(".") and ends_sentence(
        match, any_capital=letters.lower() in {"am", "pm", "phd"}
    )
    return (letters if letters == "PhD" else letters.upper()) + ("." if ends else "")


def _ends_name(match: re.Match[str]) -> bool:
    """Whether a lone I cannot be the pronoun: ``Elizabeth I.``, ``Charles I of Spain``."""
    return (
        bool(match["s"])
        or re.match(r"[,.;:!?)]|$| of ", match.string[match.end() : match.end() + 4]) is not None
    )


def _stands_alone(match: re.Match[str]) -> bool:
    """Whether nothing but marks is around a numeral: it counts, as in a list. XXX stands for a name."""
    text = match.string
    before, behind = text[: match.start()].rstrip()[-1:], text[match.end() :].lstrip()[:1]
    return match.group() != "XXX" and not before.isalnum() and not behind.isalnum()


def _roman(match: re.Match[str]) -> str | None:
    """``Henry VIII`` -> ``the eighth``, ``Chapter IV`` -> ``four``, ``World War II`` -> ``two``."""
    numeral, before, ending = (
        match.group().removesuffix("'s"),
        previous_word(match).rstrip("."),
        match["s"] or "",
    )
    if numeral.islower() and (before.lower() not in ROMAN_SECTIONS or len(numeral) > 4):
        return None
    value = roman_value(numeral.upper())
    if value and len(numeral) > 2 and set(numeral) <= set("IVX") and _stands_alone(match):
        return cardinal(str(value))
    if value is None or match.string[max(0, match.start() - 1) : match.start()] not in {" ", "\n"}:
        return None
    if before.lower() in ROMAN_SECTIONS:
        return cardinal(str(value)) + ending if value < 200 else None
    if len(numeral) < 2 and not (before.lower() in REGNAL and (numeral in {"V", "X"} or _ends_name(match))):
        return None
    if not before[:1].isupper() or before.isupper() or set(numeral) - set("IVX") or before in STARTERS:
        return None
    return ("the " + ordinal(str(value)) if before.lower() in REGNAL else cardinal(str(value))) + ending


def _roman_year(match: re.Match[str]) -> str | None:
    """``MMXXVI`` -> ``twenty twenty-six``."""
    value = roman_value(match["rest"])
    return None if value is None else pairs(str(2000 + value))


def _place_of_scene(match: re.Match[str]) -> str:
    """``INT. LIBRARY - NIGHT`` as scripts head their scenes."""
    return " or ".join(
        {"INT": "Interior", "EXT": "Exterior"}[part] for part in re.findall("INT|EXT", match[0])
    )


def _alternatives(words: dict[str, str]) -> str:
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


LETTER_RULES = (
    Rule(re.compile(r"(?:INT|EXT)\.(?:/(?:INT|EXT)\.?)?(?=\s+[A-Z]{2})"), _place_of_scene),
    Rule(re.compile(rf"(?P<w>{_alternatives(TITLES)})(?![A-Za-z])(?P<dot>\.?)"), _title),
    Rule(re.compile(r"Drs?(?![A-Za-z'])(?P<dot>\.?)"), _doctor),
    Rule(re.compile(r"St(?![A-Za-z'])(?P<dot>\.?)"), _saint),
    Rule(
        re.compile(
            rf"(?P<w>{_alternatives(NUMBERED)})(?P<dot>\.?)\s?(?=\d|(?<=[.\s])(?:[IVXL]{{2,}}|[VX])\b)"
        ),
        _numbered,
    ),
    Rule(re.compile(rf"(?P<w>{_alternatives(WORDS)})(?![A-Za-z])(?P<dot>\.?)"), _word),
    Rule(
        re.compile(
            r"Ph\.\s?D\.?(?![A-Za-z])|(?:[A-Za-z]\.){2,6}(?![A-Za-z])|(?:[A-Z]\.){1,5}[A-Z](?![A-Za-z.])"
        ),
        _dotted_letters,
    ),
    Rule(re.compile(r"[A-HJ-Z]\.(?=\s+[A-Za-z])"), _initial),
    Rule(re.compile(r"(?:[IVXLC]+|[ivxl]+)(?P<s>'s)?(?![A-Za-z0-9])(?!'[a-z])"), _roman),
    Rule(re.compile(r"MM(?P<rest>[XVI]{1,6})(?![A-Za-z0-9])"), _roman_year),
)
BARE_WORDS = BARE | {"Dr", "St", "Drs"}
