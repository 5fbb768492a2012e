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
MODALS = words(
    "will would can could shall should may might must do does did don't doesn't didn't won't wouldn't "
    "can't cannot couldn't shouldn't mustn't mightn't shan't let's please gonna wanna gotta i'll you'll "
    "he'll she'll it'll we'll they'll that'll i'd you'd he'd she'd we'd they'd who'll help let needn't "
    "daren't"
)
BE = words(
    "is are was were be been being am isn't aren't wasn't weren't i'm you're he's she's it's we're "
    "they're that's there's what's who's ain't get gets got getting become becomes became"
)
HAVE = words(
    "have has had having haven't hasn't hadn't i've you've we've they've who've could've should've "
    "would've might've must've"
)
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
# Words in -s that are no plurals, so that a verb form behind them would be strange.
NOT_PLURAL = words(
    "always perhaps this his its was is has does as yes us plus thus less across news sometimes"
)
PEOPLE = words("people men women children")


def is_plural(word: str) -> bool:
    """Whether a word looks like a noun in the plural."""
    if word in PEOPLE:
        return True
    return word.endswith("s") and not word.endswith(("ss", "us", "is", "'s")) and word not in NOT_PLURAL


@dataclass(frozen=True)
class Site:
    """One word among its neighbours."""

    words: Sequence[str]
    """The text in lower case, punctuation marks included."""
    index: int
    """Which word is asked for."""
    capital: bool = False
    """Whether it is written with a capital."""

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
        while offset > -REACH and (self.at(offset) in ADVERBS or self.at(offset).endswith("ly")):
            offset -= 1
        return self.at(offset)

    @property
    def after(self) -> str:
        """The next word."""
        return self.at(1)
