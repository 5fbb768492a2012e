"""Rules for single words that are written alike and read differently; see ``english_homographs``."""

from __future__ import annotations

from collections.abc import Callable

from .cues import (
    AUXILIARIES,
    BE,
    CLAUSE_SUBJECTS,
    DETERMINERS,
    HAVE,
    MODALS,
    OBJECTS,
    PAST_CUES,
    PERSONS,
    PREPOSITIONS,
    PRESENT_CUES,
    SINGULAR_SUBJECTS,
    SUBJECTS,
    TO_OR_MODAL,
    Site,
    before_is_object,
    is_plural,
    noun_or_verb,
    words,
)

TENSE_REACH = 8  # words in which "yesterday" or "every day" tells the tense

_METAL_GOODS = words(
    "pipe pipes paint poisoning bullet bullets weight weights acid ore battery batteries glass shot crystal "
    "solder foil mine mines atom atoms oxide exposure contamination free"
)
_METALS = words("copper zinc tin mercury iron metal metals arsenic cadmium toxic heavy nickel")
_BROADCAST = words(
    "music show shows audience audiences concert concerts performance performances stream streams streaming "
    "broadcast broadcasts coverage tv television album recording band event events action wire wires "
    "ammunition ammo animals bait chat demo feed updates data video version sound voice speech tour report "
    "reports streamed"
)
_ON_AIR = words("tv air stage television radio youtube twitch stream camera screen screens")
_GOING_LIVE = words("go goes going went gone streamed played performed")
_LIVING = words(
    "in with at near there here together forever on by without happily alone longer under through for like "
    "where among above below next inside outside up off and"
)
_SAVED = words("save saved saves lost many risk risked")
_CLOTH = words(
    "shirt fabric cloth paper jacket dress ligament muscle page curtain sail painting canvas pants jeans"
)
_TORN = words("apart up off away open out through into it them along")
_BOWING = words("took take takes taking final deep polite stern ship curtain audience head heads ship's")
_FISHING = words(
    "fish fishing fisherman caught catch lake sea river striped largemouth smallmouth trout pond bait"
)
_COILING = words("up around down through tightly back its his her their the a")
_NEARBY = words("to by together enough friend friends range up")
_COMING = words("come came comes drew draws get got")
_TINY = words("details detail amounts amount particles differences traces quantities changes fraction")
_FEELING = BE | words(
    "feel feels felt feeling seem seems seemed look looks looked quite very perfectly remain"
)
_KEEPING = words("made make makes making keep kept keeps")
_LEARNED = words(
    "man men woman women scholar judge professor friend colleague society parents mother father people"
)
_POLES = words("people man woman language food king border city")
_DIVING = words("into in under off headfirst down")
_GRAPHS = words("x y z plot coordinate axis graph horizontal vertical")
_DRINKING = words("drink drank drinking rice wine cup bottle bar hot japanese warm sip poured sushi")
_BARE_USE = words("no of any much good in for easy")
_FRESH = words("fresh organic local farm seasonal")


def _read(site: Site) -> str:
    """After a bare subject the past, unless "every day" or the like says otherwise."""
    before = site.before
    if before in HAVE or before in BE or before == "widely":
        return "past"
    if before.endswith("'d") and site.near(PAST_CUES | {"before"}, TENSE_REACH):
        return "past"
    if before in DETERMINERS - CLAUSE_SUBJECTS or before == "good" or before in TO_OR_MODAL:
        return "present"
    if site.begins_clause and site.at(-1) != ",":
        return "past" if site.after == "by" else "present"
    if before_is_object(site):
        return "present"
    if before in ("and", "or", "then"):
        return "present" if site.preceded(TO_OR_MODAL, 6) else "past"
    return _read_by_tense(site)


def _read_by_tense(site: Site) -> str:
    if site.preceded(HAVE, 2):
        return "past"
    if site.preceded(MODALS, 3) or site.at(-1) in PRESENT_CUES:
        return "present"
    if site.near(PAST_CUES, TENSE_REACH):
        return "past"
    one_reader = site.before in SINGULAR_SUBJECTS - {"who", "that", "which"}
    habit = site.near(PRESENT_CUES, TENSE_REACH) and not one_reader
    return "present" if habit or is_plural(site.before) else "past"


def _lead(site: Site) -> str:
    made_of = site.at(-1) == "of" and site.ends_clause
    return "metal" if site.after in _METAL_GOODS or made_of or site.near(_METALS) else "v"


def _live(site: Site) -> str:
    if site.after in ("on", "from") and (site.at(2) in _ON_AIR or site.at(3) in _ON_AIR):
        return "adjective"
    if site.before in TO_OR_MODAL:
        return "adjective" if site.after in _BROADCAST and site.before == "to" else "v"
    if site.before in PERSONS or is_plural(site.at(-1)):
        return "adjective" if site.after in _BROADCAST else "v"
    if site.before in DETERMINERS | BE or site.at(-1) in _GOING_LIVE or site.after in _BROADCAST:
        return "adjective"
    return "v" if site.after in _LIVING or site.begins_clause else "adjective"


def _lives(site: Site) -> str:
    if site.before in SINGULAR_SUBJECTS - {"that"}:
        return "v"
    if site.before in DETERMINERS | PREPOSITIONS | _SAVED:
        return "n"
    return "v" if site.after in _LIVING else "n"


def _wind(site: Site) -> str:
    if site.word.endswith("s"):
        turning = site.after in ("up", "down", "its", "through", "around") and site.at(-1) not in DETERMINERS
        return "v" if turning else "n"
    if site.before in TO_OR_MODAL | PERSONS:
        return "v"
    return "v" if site.after in ("up", "down", "the", "your", "it") and site.could_begin_verb else "n"


def _wound(site: Site) -> str:
    if site.before in DETERMINERS:
        return "n"
    return "coiled" if site.after in _COILING or site.before in SUBJECTS | BE else "n"


def _tear(site: Site) -> str:
    if site.at(-1) == "and" and site.at(-2) == "wear":
        return "rip"
    if site.word == "tears":
        torn = site.after in _TORN and site.at(-1) != "in"
        return "rip" if torn or site.before in SINGULAR_SUBJECTS else "drop"
    if site.before in TO_OR_MODAL | SUBJECTS or site.after in _TORN:
        return "rip"
    if site.after in ("a", "the", "your", "down") and site.could_begin_verb:
        return "rip"
    return "rip" if site.near(_CLOTH) else "drop"


def _bow(site: Site) -> str:
    if site.before in TO_OR_MODAL | PERSONS or site.near(_BOWING, 3):
        return "bend"
    bending = site.begins_clause and site.after in ("to", "before", "down", "your")
    return "bend" if bending else "weapon"


def _close(site: Site) -> str:
    if site.before == "to" and site.at(-2) in _COMING:
        return "adjective"
    if site.after in _NEARBY and site.before not in TO_OR_MODAL:
        return "adjective"
    if site.before in DETERMINERS:
        return "v" if site.after == "of" or site.ends_clause else "adjective"
    if is_plural(site.at(-1)) and (site.after in PREPOSITIONS - {"by"} or site.ends_clause):
        return "v"
    if site.before in TO_OR_MODAL | PERSONS:
        return "v"
    return "v" if site.after in OBJECTS and site.could_begin_verb else "adjective"


def _use(site: Site) -> str:
    if site.at(-1) in _BARE_USE:
        return "n" if site.after not in OBJECTS or site.at(-1) in ("no", "any", "of") else "v"
    sense = noun_or_verb(site)
    if sense is None and site.after in ("of", "for", "case", "cases"):
        return "n"
    return sense or "v"


def _used(site: Site) -> str:
    """``I used to sing`` and ``she is used to it`` against ``it is used to cut``."""
    if site.after != "to":
        return "v"
    if site.before not in BE:
        return "habit"
    person = site.at(-2) in PERSONS - {"it"} or site.before in ("i'm", "he's", "she's", "get", "got")
    return "habit" if person or site.at(2) in OBJECTS or site.at(2).endswith("ing") else "v"


def _minute(site: Site) -> str:
    tiny = site.after in _TINY or site.at(-1) in ("so", "very", "extremely", "tiny")
    return "small" if tiny or site.before in BE else "time"


def _content(site: Site) -> str:
    if site.before in OBJECTS and site.at(-2) in _KEEPING:
        return "satisfied"
    if site.before in TO_OR_MODAL:
        return "satisfied" if site.after in OBJECTS else "n"
    if site.at(-1) in _FEELING or site.before in _FEELING:
        return "satisfied"
    return "satisfied" if site.after in ("with", "to") and site.before not in DETERMINERS else "n"


def _stands_alone(site: Site) -> bool:
    """Whether no noun follows that the word could describe."""
    return site.ends_clause or site.after in PREPOSITIONS | AUXILIARIES | {"and"}


def _invalid(site: Site) -> str:
    return "person" if site.at(-1) in ("an", "the") and _stands_alone(site) else "adjective"


def _polish(site: Site) -> str:
    if site.capital:
        return "v" if site.begins_clause and site.after in OBJECTS else "proper"
    return "proper" if site.after in _POLES else "v"


def _place_name(site: Site) -> str:
    return "place" if site.capital and site.at(-1) in ("in", "to", "from", "near", "at") else ""


def _august(site: Site) -> str:
    return "n" if site.at(-1) in ("an", "this", "most", "these") and not site.capital else "proper"


def _dove(site: Site) -> str:
    past = site.before in PERSONS or site.after in _DIVING
    return "past" if past and site.at(-1) not in DETERMINERS else "bird"


def _sow(site: Site) -> str:
    return "animal" if site.at(-1) in DETERMINERS else "v"


def _bass(site: Site) -> str:
    return "fish" if site.near(_FISHING, 5) else "music"


def _learned(site: Site) -> str:
    """``a learned man``, ``the aged``."""
    described = site.after in _LEARNED and site.at(-1) in DETERMINERS
    return "adjective" if described or (site.at(-1) == "the" and site.word == "aged") else "v"


def _blessed(site: Site) -> str:
    if site.begins_clause:
        return "adjective" if site.after in BE or site.after == "virgin" else "v"
    return "adjective" if site.at(-1) in DETERMINERS and site.after not in ("with", "by", "to") else "v"


def _axes(site: Site) -> str:
    return "mathematics" if site.near(_GRAPHS) else "n"


def _sake(site: Site) -> str:
    return "drink" if site.near(_DRINKING) and site.at(-1) not in ("the", "whose") else "reason"


def _upset(site: Site) -> str:
    return "n" if site.at(-1) in DETERMINERS and _stands_alone(site) else "v"


def _produce(site: Site) -> str | None:
    return "n" if site.at(-1) in _FRESH or site.at(-1) == "produce" else noun_or_verb(site)


def _proceeds(site: Site) -> str | None:
    return "v" if site.after == "to" and site.at(-1) not in DETERMINERS else noun_or_verb(site)


RULES: dict[str, Callable[[Site], str | None]] = {
    "aged": _learned, "august": _august, "axes": _axes, "bass": _bass, "blessed": _blessed, "bow": _bow,
    "bows": _bow, "close": _close, "content": _content, "dove": _dove, "invalid": _invalid, "lead": _lead,
    "learned": _learned, "live": _live, "lives": _lives, "minute": _minute, "nice": _place_name,
    "polish": _polish, "proceeds": _proceeds, "produce": _produce, "read": _read, "reading": _place_name,
    "sake": _sake, "sow": _sow, "tear": _tear, "tears": _tear, "upset": _upset, "use": _use, "uses": _use,
    "used": _used, "wind": _wind, "winds": _wind, "wound": _wound,
}  # fmt: skip
