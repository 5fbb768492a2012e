from __future__ import annotations

import pytest

from edge.text.en.homographs import Homographs
from edge.text.en.reader import EnglishReader
from edge.text.symbols import SYMBOL_TO_ID

READER = EnglishReader()
TABLE = Homographs()._table

# sense: sentences with the word in braces. Written from the meaning, not from what the rules do.
CASES = """
past: I {read} it.
past: Yesterday I {read} the book.
past: Have you {read} the sign?
past: She {read} the letter twice.
past: The poem was {read} by Noah.
past: He sat down and {read} the paper.
past: We {read} that book last year.
past: John {read} the menu.
past: I'd {read} it before.
present: I'd {read} it if I could.
present: I will {read} it.
present: I {read} every day.
present: They always {read} before bed.
present: Do you {read}?
present: Can John {read} this?
present: He wants to {read} it.
present: {read} the sign.
present: Please {read} carefully.
present: It is a good {read}.
present: Let me {read} it to you.
present: I heard him {read} aloud.
present: Kids {read} comics.
present: I would never {read} that.
v: The {lead} singer smiled.
v: They {lead} the parade.
v: Who is in the {lead}?
metal: The {lead} pipes leak.
metal: It is made of {lead}.
metal: Mercury and {lead} are toxic.
v: They {live} in Tokyo.
v: I want to {live} forever.
v: People {live} here.
v: You only {live} once.
adjective: She has a {live} show tonight.
adjective: We are {live} on television.
adjective: We go {live} at nine.
adjective: Watch it {live} on YouTube.
v: He {lives} alone.
n: Cats have nine {lives}.
n: They saved our {lives}.
n: The {wind} was strong.
v: Please {wind} the clock.
v: We {wind} up in jail.
v: The road began to {wind} uphill.
n: Gone with the {wind}.
drop: A {tear} ran down her cheek.
rip: Don't {tear} it.
rip: We {tear} it apart.
rip: Wear and {tear}.
rip: There is a {tear} in the fabric.
drop: She was in {tears}.
rip: He {tears} the page out.
bend: He took a {bow}.
bend: They {bow} to the king.
weapon: He drew his {bow} and arrow.
weapon: She tied a red {bow}.
bend: The {bow} of the ship sank.
music: She plays the {bass} guitar.
fish: He caught a {bass} in the lake.
bird: A white {dove} landed.
past: He {dove} into the pool.
n: The bullet {wound} healed.
coiled: She {wound} the rope around the post.
coiled: We {wound} up in Paris.
adjective: Stay {close} to me.
adjective: It was a {close} call.
adjective: They are {close} friends.
v: {close} the door!
v: Doors {close} at nine.
v: I will {close} it.
v: The day drew to a {close}.
v: At the {close} of the day.
n: The {use} of force.
n: It is no {use}.
n: It is in {use}.
v: {use} the stairs.
v: You can {use} mine.
v: They {use} it daily.
n: This has many {uses}.
v: She {uses} a cane.
habit: I {used} to sing.
habit: She is {used} to it.
habit: He is {used} to waiting.
v: It is {used} to cut wood.
v: We {used} all of it.
time: Wait a {minute}.
small: The details are {minute}.
small: There are {minute} differences.
n: The {content} is new.
satisfied: I am {content}.
satisfied: It made her {content}.
satisfied: He was {content} with it.
n: The {desert} is dry.
v: Do not {desert} me.
n: What is that {object}?
v: I {object} to it.
n: It set a new world {record}.
v: We {record} every show.
v: Robots {record} the sound.
n: A {present} for you.
v: May I {present} the king?
v: She {presents} the prize.
n: The {presents} are here.
n: The {project} failed.
v: They {project} images on the wall.
v: We {refuse} to go.
n: Take out the {refuse}.
n: I need a {permit}.
v: We do not {permit} it.
n: Sign the {contract}.
v: Metals {contract} in the cold.
n: Two {separate} rooms.
v: Please {separate} them.
n: A rough {estimate}.
v: We {estimate} the cost.
n: He is a recent {graduate}.
v: They {graduate} in May.
n: Nobody is {perfect}.
v: He wants to {perfect} his art.
n: That is no {excuse}.
v: {excuse} me!
n: The {protest} grew.
adjective: We came {close}.
n: Fresh {produce} is cheap.
v: They {produce} milk.
n: The {suspect} fled.
v: I {suspect} him.
v: I am so {upset}.
n: The team pulled off an {upset}.
n: The price {increase} hurt.
v: Prices {increase} in May.
n: What is your {address}?
v: Please {address} the issue.
adjective: The password is {invalid}.
adjective: This is an {invalid} code.
person: He cared for an {invalid}.
v: {polish} the table.
proper: The {Polish} team won.
v: You must {polish} it.
place: She lives in {Nice}.
adjective: That is a {nice} hat.
place: The train to {Reading} left.
v: I am {reading} now.
adjective: He is a {learned} man.
v: I {learned} it.
adjective: Help the {aged}.
v: A man {aged} ten.
adjective: {blessed} are the meek.
v: We are {blessed}.
reason: For goodness {sake}!
drink: We drink warm {sake}.
n: The {proceeds} are large.
v: He {proceeds} to sing.
proper: We met in {August}.
v: Farmers {sow} seeds.
animal: The {sow} had piglets.
n: My {house} is small.
v: They will {house} the poor.
n: The {conflict} ended.
n: Traffic is in {progress}.
v: We {progress} slowly.
v: I can't {recall} it.
v: The workers {protest} against it.
n: Make a {replay}.
"""


def cases() -> list[tuple[str, str]]:
    return [tuple(line.split(": ", 1)) for line in CASES.strip().splitlines()]  # type: ignore[misc]


@pytest.mark.parametrize(("sense", "sentence"), cases(), ids=lambda part: part)
def test_sense(sense: str, sentence: str) -> None:
    start = sentence.index("{")
    word = sentence[start + 1 : sentence.index("}")].lower()
    tokens = READER.read(READER.normalize(sentence.replace("{", "").replace("}", "")), {})
    found = next(token for token in tokens if token.start == start)
    assert found.phonemes == TABLE[word][sense]


def test_every_sense_is_in_the_inventory_and_differs_from_the_others() -> None:
    for word, senses in TABLE.items():
        assert len(set(senses.values())) == len(senses) > 1, word
        assert all(phoneme in SYMBOL_TO_ID for phonemes in senses.values() for phoneme in phonemes), word
