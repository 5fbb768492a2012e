"""A word among its neighbours, and small closed sets of English words that tell what follows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

REACH = 4  # words that a rule looks back
SENTENCE_ENDS = frozenset(("", ".", "!", "?", "…"))


def words(text: str) -> frozenset[str]:
    """The words of a blank-separated list."""
    return frozenset(text.split())


DETERMINERS = words(
    "a an the this that these those my your his her its our their some any no every each another one "
    "which what whose whatever several many few both all more most much little other first second third "
    "last next new old two three four five six seven eight nine ten such"
)
# Also used as subjects: "those record", "that present".
CLAUSE_SUBJECTS = words("that these those which what both all many few some most")
MODALS = words(
    "will would can could shall should may might must do does did don't doesn't didn't won't wouldn't "
    "can't cannot couldn't shouldn't mustn't mightn't shan't let's please gonna wanna gotta i'll you'll "
    "he'll she'll it'll we'll they'll that'll i'd you'd he'd she'd we'd they'd who'll help let needn't "
    "daren't"
)
TO_OR_MODAL = MODALS | {"to"}
BE = words(
    "is are was were be been being am isn't aren't wasn't weren't i'm you're he's she's it's we're "
    "they're that's there's what's who's ain't get gets got getting become becomes became"
)
HAVE = words(
    "have has had having haven't hasn't hadn't i've you've we've they've who've could've should've "
    "would've might've must've"
)
AUXILIARIES = TO_OR_MODAL | BE | HAVE | {"not"}
SUBJECTS = words("i you we they who he she it that which people")
PERSONS = SUBJECTS - DETERMINERS
SINGULAR_SUBJECTS = words("he she it who that which everyone everybody nobody someone somebody")
OBJECTS = words(
    "the a an it him them me us my your his her our their this that these those you everything something "
    "anything nothing every all any some its himself herself myself yourself themselves aloud"
)
PLAIN_OBJECTS = words("the a an it him them me us my your his her our their its")
PREPOSITIONS = words(
    "of in on at for with by from without about into under over per as than between during through "
    "against onto within behind beyond after before since until near like off across along among around "
    "despite"
)
ADVERBS = words(
    "not never always also just still even ever often sometimes now soon then really actually already "
    "usually again today quite rather almost rarely seldom"
)
# "to" before a noun although it could begin an infinitive.
TO_TAKES_NOUN = words(
    "according due prior access addicted related exposed thanks opposed led leads leading subject "
    "contribute contributed return returned exposure response reaction attention resistance similar equal "
    "damage addition damages"
)
# Words in -s that are no plurals, so that a verb form behind them would be strange.
NOT_PLURAL = words(
    "always perhaps this his its was is has does as yes us plus thus less across news sometimes"
)
PEOPLE = words("people men women children")
CAUSING = words("make makes made watch watched hear heard see saw let lets help helped helps")
PAST_CUES = words("yesterday ago last once earlier previously was were had did already then recently finally")
PRESENT_CUES = words(
    "every always usually often sometimes daily each never rarely regularly nowadays typically generally "
    "when whenever weekly"
)


def is_plural(word: str) -> bool:
    """Whether a word looks like a noun in the plural."""
    if word in PEOPLE:
        return True
    return word.endswith("s") and not word.endswith(("ss", "us", "is", "'s")) and word not in NOT_PLURAL


@dataclass(frozen=True)
class Site:
    """One word among its neighbours.

    Attributes:
        words: the text in lower case, punctuation marks included.
        index: which word is asked for.
        capital: whether it is written with a capital.
    """

    words: Sequence[str]
    index: int
    capital: bool = False

    def at(self, offset: int) -> str:
        """A neighbour, or an empty string beyond the text."""
        place = self.index + offset
        return self.words[place] if 0 <= place < len(self.words) else ""

    @property
    def word(self) -> str:
        """The word itself."""
        return self.words[self.index]

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

    @property
    def ends_clause(self) -> bool:
        """Whether the text or a punctuation mark is behind the word."""
        return not self.after[:1].isalpha()

    @property
    def could_begin_verb(self) -> bool:
        """Whether a verb may stand here: at the start of a clause, after "and", or after a plural."""
        return self.begins_clause or self.at(-1) in _JOINING or is_plural(self.at(-1))

    def near(self, cues: frozenset[str], reach: int = REACH) -> bool:
        """Whether one of the cues stands within so many words on either side, in the same sentence."""
        return any(not cues.isdisjoint(self._side(step, reach)) for step in (-1, 1))

    def preceded(self, cues: frozenset[str], reach: int = REACH) -> bool:
        """Whether one of the cues stands within so many words before, in the same sentence."""
        return not cues.isdisjoint(self._side(-1, reach))

    def _side(self, step: int, reach: int) -> list[str]:
        """Up to ``reach`` words on one side, as far as the sentence goes."""
        side: list[str] = []
        for distance in range(1, reach + 1):
            word = self.at(step * distance)
            if word in SENTENCE_ENDS:
                break
            side.append(word)
        return side


_JOINING = words("and or then please but so")


def noun_or_verb(site: Site) -> str | None:
    """``v`` or ``n`` (also for adjectives); None where nothing tells."""
    before, third_person = site.before, site.word.endswith("s") and not site.word.endswith("ss")
    if before == "to":
        earlier = site.at(-2) if site.at(-1) == "to" else ""
        return "n" if earlier in TO_TAKES_NOUN or third_person else "v"
    if before in MODALS:
        return None if third_person else "v"
    if before in DETERMINERS or before in PREPOSITIONS or before.endswith("'s"):
        return "v" if before in CLAUSE_SUBJECTS and site.after in OBJECTS else "n"
    if before in BE or before in HAVE:
        return "n"
    if before in (SINGULAR_SUBJECTS if third_person else SUBJECTS):
        return "v"
    if third_person and site.after in PLAIN_OBJECTS:
        return "v"
    if not third_person and site.after in OBJECTS and site.could_begin_verb:
        return "v"
    return _by_phrase(site, third_person)


def _by_phrase(site: Site, third_person: bool) -> str | None:
    """``a new world record`` is a noun, ``the artists record`` a verb: looks for the article further back."""
    if before_is_object(site) and not third_person:
        return "v"
    if is_plural(site.at(-1)) and not third_person and not site.ends_clause:
        return "v" if site.after in OBJECTS | PREPOSITIONS or is_plural(site.after) else None
    for offset in range(-1, -REACH - 1, -1):
        word = site.at(offset)
        if not word[:1].isalpha() or word in PREPOSITIONS | AUXILIARIES | SUBJECTS:
            return None
        if word in DETERMINERS:
            return "n"
    return None


def before_is_object(site: Site) -> bool:
    """``let me``, ``watched him`` before the word, which is an infinitive then."""
    return site.at(-1) in OBJECTS and site.at(-2) in CAUSING
