"""Small closed sets of English words by what they say about the word that follows."""

from __future__ import annotations

DETERMINERS = frozenset(
    "a an the this that these those my your his her its our their some any no every each another one which what whose "
    "whatever several many few both all more most much little other first second third last next new old two three four "
    "five six seven eight nine ten such".split()
)
# Also used as subjects: "those record", "that present".
CLAUSE_SUBJECTS = frozenset("that these those which what both all many few some most".split())
MODALS = frozenset(
    "will would can could shall should may might must do does did don't doesn't didn't won't wouldn't can't cannot "
    "couldn't shouldn't mustn't mightn't shan't let's please gonna wanna gotta i'll you'll he'll she'll it'll we'll they'll "
    "that'll i'd you'd he'd she'd we'd they'd who'll help let needn't daren't".split()
)
BE = frozenset(
    "is are was were be been being am isn't aren't wasn't weren't i'm you're he's she's it's we're they're that's there's "
    "what's who's ain't get gets got getting become becomes became".split()
)
HAVE = frozenset(
    "have has had having haven't hasn't hadn't i've you've we've they've who've could've should've would've might've "
    "must've".split()
)
AUXILIARIES = MODALS | BE | HAVE | frozenset({"to", "not"})
SUBJECTS = frozenset("i you we they who he she it that which people".split())
SINGULAR_SUBJECTS = frozenset("he she it who that which everyone everybody nobody someone somebody".split())
OBJECTS = frozenset(
    "the a an it him them me us my your his her our their this that these those you everything something anything nothing "
    "every all any some its himself herself myself yourself themselves aloud".split()
)
PREPOSITIONS = frozenset(
    "of in on at for with by from without about into under over per as than between during through against onto within "
    "behind beyond after before since until near like off across along among around despite".split()
)
ADVERBS = frozenset(
    "not never always also just still even ever often sometimes now soon then really actually already usually again "
    "today quite rather almost rarely seldom".split()
)
# "to" before a noun although it could begin an infinitive.
TO_TAKES_NOUN = frozenset(
    "according due prior access addicted related exposed thanks opposed led leads leading subject contribute contributed "
    "return returned exposure response reaction attention resistance similar equal damage addition damages".split()
)
# Words in -s that are no plurals, so that a verb form behind them would be strange.
NOT_PLURAL = frozenset("always perhaps this his its was is has does as yes us plus thus less across news 's sometimes".split())
PERCEPTION = frozenset("make makes made watch watched hear heard see saw let lets help helped helps have had having".split())
PAST_CUES = frozenset(
    "yesterday ago last once earlier previously before when was were had did already then recently finally".split()
)
PRESENT_CUES = frozenset(
    "every always usually often sometimes daily each never rarely regularly nowadays typically generally when whenever "
    "weekly".split()
)
