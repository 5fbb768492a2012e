"""Words that are written alike and read differently: chosen by the words around them.

The rules know no grammar: they look for auxiliaries, articles, pronouns and a few telling neighbours. "I read it" alone
is ambiguous and taken for the past; "every day", "always" and the like make it present.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from .english_cues import (
    ADVERBS,
    AUXILIARIES,
    BE,
    CLAUSE_SUBJECTS,
    DETERMINERS,
    HAVE,
    MODALS,
    NOT_PLURAL,
    OBJECTS,
    PAST_CUES,
    PERCEPTION,
    PREPOSITIONS,
    PRESENT_CUES,
    SINGULAR_SUBJECTS,
    SUBJECTS,
    TO_TAKES_NOUN,
)
from .english_morphology import Phonemes, with_s

DATA_PATH = Path(__file__).parent / "data" / "en_homographs.txt"
SENTENCE_ENDS = frozenset(("", ".", "!", "?", "…"))
REACH = 4  # words that a rule looks back


@dataclass(frozen=True)
class Site:
    """One word among its neighbours.

    Attributes:
        words: the clause in lower case, punctuation marks included.
        index: which word is asked for.
        capital: whether it is written with a capital although no sentence begins with it.
    """

    words: Sequence[str]
    index: int
    capital: bool = False

    def at(self, offset: int) -> str:
        """A neighbour, or an empty string beyond the text."""
        place = self.index + offset
        return self.words[place] if 0 <= place < len(self.words) else ""

    @property
    def before(self) -> str:
        """The nearest word before that is no adverb: ``will never record`` -> ``will``."""
        offset = -1
        while self.at(offset) in ADVERBS or (self.at(offset).endswith("ly") and offset > -REACH):
            offset -= 1
        return self.at(offset)

    @property
    def after(self) -> str:
        """The next word."""
        return self.at(1)

    @property
    def begins_clause(self) -> bool:
        """Whether the text or a punctuation mark is before the word."""
        return not self.at(-1)[:1].isalpha()

    def near(self, cues: frozenset[str], reach: int = REACH) -> bool:
        """Whether one of the cues stands within so many words on either side, in the same sentence."""
        for step in (-1, 1):
            for offset in range(step, step * (reach + 1), step):
                word = self.at(offset)
                if word in SENTENCE_ENDS:
                    break
                if word in cues:
                    return True
        return False


class Homographs:
    """The table of ``data/en_homographs.txt`` and the rules that choose from it."""

    def __init__(self, path: Path = DATA_PATH) -> None:
        self._table: dict[str, dict[str, Phonemes]] = {}
        for line in path.read_text(encoding="ascii").splitlines():
            if line and not line.startswith("#"):
                self._add(line)

    def _add(self, line: str) -> None:
        word, inflects, rest = line.split(" ", 2)
        senses: dict[str, Phonemes] = {}
        name = ""
        for part in rest.split():
            if "=" in part:
                name, part = part.split("=")
                senses[name] = ()
            senses[name] = (*senses[name], part)
        self._table[word] = senses
        if inflects == "s":
            self._table[word + "s"] = {sense: with_s(phonemes) for sense, phonemes in senses.items()}

    def __contains__(self, word: str) -> bool:
        return word in self._table

    def read(self, site: Site) -> Phonemes:
        """Phonemes of the word at a site; the word must be in the table."""
        word = site.words[site.index]
        senses = self._table[word]
        if len(senses) == 1:
            return next(iter(senses.values()))
        rule = RULES.get(word)
        sense = rule(site) if rule else noun_or_verb(site)
        return senses.get(sense or "") or next(iter(senses.values()))


def noun_or_verb(site: Site) -> str | None:
    """``v`` or ``n`` (also for adjectives); None where nothing tells."""
    before, third_person = site.before, site.words[site.index].endswith("s")
    if before == "to":
        earlier = site.at(-2) if site.at(-1) == "to" else ""
        return "n" if earlier in TO_TAKES_NOUN or third_person else "v"
    if before in MODALS:
        return None if third_person else "v"
    if before in DETERMINERS or before.endswith("'s") or before in PREPOSITIONS or before in BE or before in HAVE:
        return _determined(site)
    if before in (SINGULAR_SUBJECTS if third_person else SUBJECTS):
        return "v"
    if site.after in OBJECTS and not third_person:
        return "v" if _could_begin_verb(site) else None
    return _by_phrase(site, third_person)


def _determined(site: Site) -> str | None:
    """After an article, a preposition or "be": a noun or adjective, but "that" and "who" may be subjects."""
    if site.before in CLAUSE_SUBJECTS and site.after in OBJECTS:
        return "v"
    return "n"


def _could_begin_verb(site: Site) -> bool:
    """Whether a verb may stand here: at the start of a clause, after "and", or after a plural."""
    before = site.at(-1)
    return site.begins_clause or before in {"and", "or", "then", "please", "but"} or _plural(before)


def _plural(word: str) -> bool:
    return (word.endswith("s") and not word.endswith(("ss", "us", "is")) and word not in NOT_PLURAL) or word in {
        "people", "men", "women", "children"
    }  # fmt: skip


def _by_phrase(site: Site, third_person: bool) -> str | None:
    """``a new world record`` is a noun, ``the artists record`` a verb: looks for the article further back."""
    if _plural(site.at(-1)) and not third_person and site.after and site.after[0].isalpha():
        return "v" if site.after in OBJECTS or site.after in PREPOSITIONS else None
    for offset in range(-1, -REACH - 1, -1):
        word = site.at(offset)
        if not word or not word[0].isalpha() or word in PREPOSITIONS or word in AUXILIARIES or word in SUBJECTS:
            return None
        if word in DETERMINERS:
            return "n"
    return None


def _read(site: Site) -> str:
    before = site.before
    if before in HAVE or before in BE or before in {"widely", "being"}:
        return "past"
    if before in DETERMINERS - CLAUSE_SUBJECTS or before == "good":
        return "present"
    if before == "to" or before in MODALS or before in PERCEPTION:
        return "present"
    if before in SUBJECTS or before in {"and", "or", "then"}:
        return _read_by_tense(site)
    if site.begins_clause:
        return "present" if site.after in OBJECTS or site.after in PREPOSITIONS else "past"
    if before in OBJECTS and site.at(-2) in PERCEPTION:
        return "present"
    if site.near(PRESENT_CUES, 8) or (_plural(before) and not site.near(PAST_CUES, 8)):
        return "present"
    return "past"


def _read_by_tense(site: Site) -> str:
    """After a subject: an auxiliary before it, "every day", or an infinitive it continues make it present."""
    if site.before in {"and", "or", "then"}:
        governed = [site.at(-k) for k in range(2, 7)]
        return "present" if "to" in governed or not MODALS.isdisjoint(governed) else "past"
    if site.at(-2) in MODALS:
        return "present"
    if site.at(-2) in HAVE:
        return "past"
    if site.near(PAST_CUES, 8):
        return "past"
    third_person = site.before in SINGULAR_SUBJECTS and site.before not in {"who", "that", "which"}
    return "present" if site.near(PRESENT_CUES, 8) and not third_person else "past"


def _lead(site: Site) -> str | None:
    if site.after in METAL_GOODS or (site.at(-1) == "of" and not site.after[:1].isalpha()):
        return "metal"
    return "metal" if site.near(METALS) else None


def _live(site: Site) -> str:
    if site.before == "to" or site.before in MODALS or site.before in SUBJECTS - {"that"} or _plural(site.at(-1)):
        return "adjective" if site.after in BROADCAST and site.before not in MODALS else "v"
    if site.before in DETERMINERS or site.before in BE or site.at(-1) in {"go", "goes", "going", "went", "streamed", "played"}:
        return "adjective"
    if site.after in BROADCAST or (site.after in {"on", "from"} and site.at(2) in ON_AIR):
        return "adjective"
    return "v" if site.after in LIVING or site.begins_clause else "adjective"


def _lives(site: Site) -> str:
    if site.before in SINGULAR_SUBJECTS - {"that"}:
        return "v"
    if site.before in DETERMINERS or site.before in PREPOSITIONS or site.before in {"save", "saved", "saves", "lost", "many"}:
        return "n"
    return "v" if site.after in LIVING else "n"


def _wind(site: Site) -> str:
    if site.before in {"to", *MODALS, *SUBJECTS} - DETERMINERS and not site.words[site.index].endswith("s"):
        return "v"
    if site.words[site.index].endswith("s"):
        return "v" if site.after in {"up", "down", "its", "through", "around"} and site.at(-1) not in DETERMINERS else "n"
    return "v" if site.after in {"up", "down", "the", "your", "it"} and _could_begin_verb(site) else "n"


def _wound(site: Site) -> str:
    coiling = {"up", "around", "down", "through", "tightly", "back", "its", "his", "her", "their", "the", "a"}
    if site.before in DETERMINERS:
        return "n"
    return "coiled" if site.after in coiling or site.before in SUBJECTS else "n"


def _tear(site: Site) -> str:
    following = {"apart", "up", "off", "away", "open", "out", "through", "into", "it", "them", "down", "along"}
    plural = site.words[site.index] == "tears"
    if site.at(-1) == "and" and site.at(-2) == "wear":
        return "rip"
    if plural:
        return "rip" if site.before in SINGULAR_SUBJECTS or (site.after in following - {"down"} and site.at(-1) != "in") else "drop"
    if site.before in {"to", *MODALS} or site.before in SUBJECTS or site.after in following - {"down"}:
        return "rip"
    if site.after in {"a", "the", "your", "down"} and _could_begin_verb(site):
        return "rip"
    return "rip" if site.near(CLOTH) else "drop"


def _bow(site: Site) -> str:
    if site.before in {"to", *MODALS, *SUBJECTS} - DETERMINERS or site.near(BOWING, 3):
        return "bend"
    if site.begins_clause and site.after in {"to", "before", "down", "your"}:
        return "bend"
    return "weapon"


def _close(site: Site) -> str | None:
    if site.before == "to" and site.at(-2) in {"come", "came", "comes", "drew", "draws", "get", "got"}:
        return "adjective"
    if site.after in {"to", "by", "together", "enough", "friend", "friends", "range", "up"} and site.before not in {"to", *MODALS}:
        return "adjective"
    if site.before in DETERMINERS:
        return "v" if site.after == "of" or not site.after[:1].isalpha() else "adjective"
    if _plural(site.at(-1)) and (site.after in PREPOSITIONS - {"by"} or not site.after[:1].isalpha()):
        return "v"
    if site.before in {"to", *MODALS} or site.before in SUBJECTS - {"that"}:
        return "v"
    return "v" if site.after in OBJECTS and _could_begin_verb(site) else "adjective"


def _use(site: Site) -> str:
    sense = noun_or_verb(site)
    if sense is None and site.after in {"of", "for", "case", "cases"}:
        return "n"
    if site.before in {"no", "of", "any", "much", "good", "in", "for", "easy"} and site.at(-1) == site.before:
        return "n" if site.after not in OBJECTS or site.before in {"no", "any", "of"} else "v"
    return sense or "v"


def _used(site: Site) -> str:
    """``I used to sing`` and ``she is used to it`` against ``it is used to cut``."""
    if site.after != "to":
        return "v"
    if site.before not in BE:
        return "habit"
    person = site.at(-2) in {"i", "you", "we", "they", "he", "she", "not"} or site.before in {"i'm", "he's", "she's", "get", "got"}
    return "habit" if person or site.at(2) in OBJECTS or site.at(2).endswith("ing") else "v"


def _minute(site: Site) -> str:
    small = {"details", "detail", "amounts", "amount", "particles", "differences", "traces", "quantities", "changes", "fraction"}
    return "small" if site.after in small or site.before in BE or site.at(-1) in {"so", "very", "extremely", "tiny"} else "time"


def _content(site: Site) -> str:
    if site.before in OBJECTS and site.at(-2) in {"made", "make", "makes", "making", "keep", "kept", "keeps"}:
        return "satisfied"
    feeling = BE | frozenset("feel feels felt feeling seem seems seemed look looks looked quite very perfectly not remain".split())
    if site.before in {"to", *MODALS} - BE:
        return "satisfied" if site.after in OBJECTS else "n"
    if site.at(-1) in feeling and site.at(-1) != "not" or site.before in feeling:
        return "satisfied"
    return "satisfied" if site.after in {"with", "to"} and site.before not in DETERMINERS else "n"


def _invalid(site: Site) -> str:
    person = site.at(-1) in {"an", "the"} and not (site.after[:1].isalpha() and site.after not in PREPOSITIONS | AUXILIARIES)
    return "person" if person else "adjective"


def _polish(site: Site) -> str:
    if site.capital:
        return "proper"
    return "proper" if site.after in {"people", "man", "woman", "language", "food", "king", "border", "city"} else "v"


def _place_name(site: Site) -> str:
    there = site.capital and site.at(-1) in {"in", "to", "from", "near", "at", "of", "for"}
    return "place" if there and not (site.after[:1].isalpha() and site.after not in PREPOSITIONS | AUXILIARIES | {"and"}) else ""


def _august(site: Site) -> str:
    return "n" if site.at(-1) in {"an", "this", "most", "these"} and not site.capital else "proper"


def _dove(site: Site) -> str:
    past = site.before in SUBJECTS - DETERMINERS or site.after in {"into", "in", "under", "off", "headfirst", "down"}
    return "past" if past and site.at(-1) not in DETERMINERS else "bird"


def _sow(site: Site) -> str:
    return "animal" if site.at(-1) in DETERMINERS else "v"


def _bass(site: Site) -> str:
    return "fish" if site.near(FISHING, 5) else "music"


def _two_syllables(site: Site) -> str:
    """``a learned man``, ``the aged woman``, ``this blessed day``."""
    word, people = site.words[site.index], {"man", "men", "woman", "women", "scholar", "judge", "professor", "friend"}
    if word == "blessed":
        return "adjective" if site.at(-1) in DETERMINERS | {"and"} and site.after not in {"with", "by", "to"} else "v"
    described = site.after in people | {"colleague", "society", "parents", "mother", "father", "people"}
    return "adjective" if described and site.at(-1) in DETERMINERS or site.at(-1) == "the" and word == "aged" else "v"


def _axes(site: Site) -> str:
    return "mathematics" if site.near(frozenset("x y z plot coordinate axis graph horizontal vertical".split())) else "n"


METAL_GOODS = frozenset(
    "pipe pipes paint poisoning bullet bullets weight weights acid ore battery batteries glass shot crystal solder foil "
    "mine mines atom atoms oxide exposure contamination free".split()
)
METALS = frozenset("copper zinc tin mercury iron metal metals arsenic cadmium toxic heavy nickel".split())
BROADCAST = frozenset(
    "music show shows audience audiences concert concerts performance performances stream streams streaming broadcast "
    "broadcasts coverage tv television album recording band event events action wire wires ammunition ammo animals bait "
    "chat demo feed updates data video version sound voice speech tour report reports streamed".split()
)
ON_AIR = frozenset("tv air stage television radio youtube twitch stream camera screen screens the".split())
LIVING = frozenset(
    "in with at near there here together forever on by without happily alone longer under through for like where among "
    "above below next inside outside up off and".split()
)
CLOTH = frozenset("shirt fabric cloth paper jacket dress ligament muscle page curtain sail pants jeans trousers rip".split())
BOWING = frozenset(
    "took take takes taking final deep polite stern ship curtain audience head heads respectfully politely ship's".split()
)
FISHING = frozenset("fish fishing fisherman caught catch lake sea river striped largemouth smallmouth trout pond bait".split())
RULES: dict[str, Callable[[Site], str | None]] = {
    "aged": _two_syllables, "august": _august, "axes": _axes, "bass": _bass, "blessed": _two_syllables, "bow": _bow,
    "bows": _bow, "close": _close, "content": _content, "dove": _dove, "invalid": _invalid, "lead": _lead,
    "learned": _two_syllables, "live": _live, "lives": _lives, "minute": _minute, "nice": _place_name, "polish": _polish,
    "read": _read, "reading": _place_name, "sow": _sow, "tear": _tear, "tears": _tear, "use": _use, "uses": _use,
    "used": _used, "wind": _wind, "winds": _wind, "wound": _wound,
}  # fmt: skip
