from __future__ import annotations

import itertools
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.text.en.normalize import normalize


def written(text: str) -> str:
    return "".join(span.text for span in normalize(text))


# Source and what is read, written by hand.
CASES = """
It cost $1,299.00. | It cost one thousand two hundred ninety-nine dollars.
$3.50 and $0.99 and $1.01 | three dollars and fifty cents and ninety-nine cents and one dollar and one cent
$2.5 million, $5M, $1.2bn | two point five million dollars, five million dollars, one point two billion dollars
£5, €3.50, ¥500, ₹20 | five pounds, three euros and fifty cents, five hundred yen, twenty rupees
a $5 bill, a $20-a-day pass | a five dollar bill, a twenty dollar a-day pass
US$20, 500 USD, EUR 5 | twenty US dollars, five hundred US dollars, five euros
-$5 or $5-10 or $5–$10 | minus five dollars or five to ten dollars or five dollars to ten dollars
$20/hour, 3 times/week | twenty dollars per hour, three times per week
5¢ | five cents
£0.01 | one penny
1,234 items | one thousand two hundred thirty-four items
1234 items, 1500 people | one thousand two hundred thirty-four items, one thousand five hundred people
100, 1000000, 0, 007 | one hundred, one million, zero, zero zero seven
3.14, 0.5, .5 | three point one four, zero point five, point five
1st, 2nd, 3rd, 12th, 21st, 101st | first, second, third, twelfth, twenty-first, one hundred first
3.5%, 10-15%, 50 % | three point five percent, ten to fifteen percent, fifty percent
1/2, 3/4, 2 1/2, 5/8, 1/3 | one half, three quarters, two and a half, five eighths, one third
½, 2½, ¾ cup | one half, two and a half, three quarters cup
24/7, 8/10, 50/50 | twenty-four seven, eight out of ten, fifty fifty
in 1984, in 2005, by 2026 | in nineteen eighty-four, in two thousand five, by twenty twenty-six
the 1990s, the '90s, mid-1980s | the nineteen nineties, the nineties, mid nineteen eighties
the 1800s and the 2000s | the eighteen hundreds and the two thousands
1990-1995, 2019-20 | nineteen ninety to nineteen ninety-five, twenty nineteen to twenty
44 BC, 1066 AD, in 1066 | forty-four BC, ten sixty-six AD, in ten sixty-six
Nov 22, 2026 | November twenty-second, twenty twenty-six
November 3rd and Dec. 25 | November third and December twenty-fifth
22 November 2026 | the twenty-second of November twenty twenty-six
the 4th of July | the fourth of July
11/22/2026 | November twenty-second, twenty twenty-six
22.11.2026 | November twenty-second, twenty twenty-six
2026-11-22 | November twenty-second, twenty twenty-six
on 11/22, since 9/11 | on November twenty-second, since nine eleven
May 5 to May 2026; I may 5 | May fifth to May twenty twenty-six; I may five
Mon, Nov 3; Mon-Fri; Sat & Sun | Monday, November third; Monday to Friday; Saturday and Sunday
3:05 pm, 3 p.m., 3pm, 11 AM | three oh five PM, three PM, three PM, eleven AM
14:30, 9:00, 14:00, 0:15 | fourteen thirty, nine o'clock, fourteen hundred, zero fifteen
12:30:45 | twelve thirty and forty-five seconds
9am-5pm, 9:00–17:30 | nine AM to five PM, nine o'clock to seventeen thirty
We left at 3 p.m. The end. | We left at three PM. The end.
a 2:1 lead | a two to one lead
60 km/h, 9.8 m/s² | sixty kilometers per hour, nine point eight meters per second squared
5 kg, 1 kg, 180 lbs, 6 ft, 3 oz | five kilograms, one kilogram, one hundred eighty pounds, six feet, three ounces
25°C, -5 °F, 90° | twenty-five degrees Celsius, minus five degrees Fahrenheit, ninety degrees
16 GB, 3.2 GHz, 100 Mbps | sixteen gigabytes, three point two gigahertz, one hundred megabits per second
a 5-kg bag, 10km, 5 in total | a five kilogram bag, ten kilometers, five in total
5'10" tall | five foot ten tall
1920x1080, 4x4, 3x faster | nineteen twenty by ten eighty, four by four, three times faster
45 min, 3 hrs, 20 s, 20s | forty-five minutes, three hours, twenty s, twenties
Call 555-1234. | Call five five five, one two three four.
+1 (555) 123-4567 | plus one, five five five, one two three, four five six seven
1-800-555-0199 | one, eight hundred, five five five, zero one nine nine
Dial 911! | Dial nine one one!
pages 3-5, won 3-2, 1-0 | pages three to five, won three to two, one to zero
5 - 3 = 2, 2+2=4, 2 * 3, 6 ÷ 2 | five minus three equals two, two plus two equals four, two times three, six divided by two
-5, (-5), 10 > 5, 10^6 | minus five, (minus five), ten greater than five, ten to the power of six
~5, 5+, ±2 | about five, five plus, plus or minus two
Chapter IV, Act I, Part III | Chapter four, Act one, Part three
Henry VIII, Louis XIV, Elizabeth II | Henry the eighth, Louis the fourteenth, Elizabeth the second
World War II, Rocky IV, Final Fantasy VII | World War two, Rocky four, Final Fantasy seven
Charles I of Spain, Elizabeth I, Henry I am | Charles the first of Spain, Elizabeth the first, Henry I am
I am, MIX, CIVIL, LCD, A I robot | I am, MIX, CIVIL, LCD, A I robot
No. 5, Nos. 3, No. I won't. | number five, numbers three, No. I won't.
p. 5, pp. 3-5, vol. 2, Fig. 3, v2.1 | page five, pages three to five, volume two, Figure three, V two point one
Mr. Smith, Mrs. Jones, Ms. Day, Mr Bean | Mister Smith, Missus Jones, Miz Day, Mister Bean
Dr. Lee, Mulholland Dr., Prof. Ng | Doctor Lee, Mulholland Drive, Professor Ng
St. Paul, Main St. is long, 5th St. | Saint Paul, Main Street is long, fifth Street.
Lives on Elm St. | Lives on Elm Street.
Gen. Grant, gen. grant, Rev. Green | General Grant, gen. grant, Reverend Green
cats vs. dogs, vs dogs | cats versus dogs, versus dogs
e.g. this, i.e. that, etc. | for example this, that is that, et cetera.
tea, etc. and more | tea, et cetera and more
the U.S. army, in the U.S. He left. | the US army, in the US. He left.
Ph.D. and a.m. | PhD and AM.
Acme Inc. said so. Acme Corp. | Acme Incorporated said so. Acme Corporation.
#3, #1, #OpenAI, #game_7, C# | number three, number one, hashtag OpenAI, hashtag game seven, C sharp
R&D, AT&T, salt & pepper | R and D, A T and T, salt and pepper
a@b.com | A at B dot com
noah.w@example.com | noah dot W at example dot com
https://www.example.com/a-b?x=1 | W W W dot example dot com slash A dash B question mark X equals one
example.co.uk, notes.txt, Node.js | example dot co dot UK, notes dot TXT, Node dot JS
See example.com. Next. | See example dot com. Next.
the end.Next one, end.next | the end.Next one, end.next
Room 401, room 415, Room 1204, flight 370 | Room four oh one, room four fifteen, Room twelve oh four, flight three seventy
Boeing 747, Route 66, RTX 4090 | Boeing seven forty-seven, Route sixty-six, RTX forty ninety
PIN 4821, my code is 12 | PIN four eight two one, my code is one two
B2, MP3, A320, H2O, PS5, x86 | B two, MP three, A three twenty, H two O, PS five, X eighty-six
COVID-19, F-16s, GPT-4, R2-D2, C-3PO | COVID nineteen, F sixteens, GPT four, R two D two, C three PO
4K, 5G, 3D, 1080p, 221B, 10K | four K, five G, three D, ten eighty P, two twenty-one B, ten K
version 2.0.1, 192.168.1.1, Python 3.11 | version two point zero point one, one nine two dot one six eight dot one dot one, Python three point eleven
C++, A+, O+ | C plus plus, A plus, O plus
and/or, w/o, w/ milk | and or, without, with milk
well-known, 5-year-old, state-of-the-art | well-known, five year-old, state-of-the-art
hello — world… no (yes) | hello — world… no (yes)
‘single’ “double” don’t | 'single' "double" don't
50% off & more™ © | fifty percent off and more
12345678901234567890 | one two three four five six seven eight nine zero one two three four five six seven eight nine zero
8,045,311,447 | eight billion forty-five million three hundred eleven thousand four hundred forty-seven
Vol. III, c. 1503, LVL 12 | Volume three, circa fifteen oh three, level twelve
platform 9 3/4, HP 50/200 | platform nine and three quarters, HP fifty out of two hundred
2h 1m, 90-minute, 50-50 | two hours one minute, ninety minute, fifty fifty
1/4 lb. butter, 190 lb., 1 in. = 2 | one quarter pound butter, one hundred ninety pounds, one inch equals two
(212) 555-0187 ext. 9 | two one two, five five five, zero one eight seven extension nine
Player2: 21-19, 16:9 | Player two: twenty-one to nineteen, sixteen to nine
T. rex, George W. Bush | T rex, George W Bush
Plan B. It works. So do I. We go. | Plan B. It works. So do I. We go.
WWII, WW1, error 404, <15 ms | World War two, World War one, error four oh four, less than fifteen milliseconds
jane_doe@mail.co.uk | jane underscore doe at mail dot co dot UK
snake_case, *bold* | snake case, bold
Seattle, WA 98101, in 98101 tries | Seattle, Washington nine eight one zero one, in ninety-eight thousand one hundred one tries
If a != b, x <= 3, y >= 4, a == b | If a is not equal to b, x less than or equal to three, y greater than or equal to four, a equals b
E=mc², x³ | E equals M C squared, X cubed
Rs. 500 only, Rs 2,50,000 | five hundred rupees only, two hundred fifty thousand rupees
The year is 2187. In the year 3024 | The year is twenty-one eighty-seven. In the year thirty twenty-four
The year was 1066, 4567 steps | The year was ten sixty-six, four thousand five hundred sixty-seven steps
Act III, scene ii, I am ill | Act three, scene two, I am ill
Too much CO2 | Too much C O two
vitamin C. Nothing helped | vitamin C. Nothing helped
.NET and .gitignore | dot NET and dot gitignore
"""  # noqa: E501


@pytest.mark.parametrize(
    ("source", "expected"),
    [tuple(part.strip() for part in line.split(" | ")) for line in CASES.strip().splitlines()],
)
def test_written_out(source: str, expected: str) -> None:
    assert " ".join(written(source).split()) == expected


def test_spans_cover_the_source_in_order_and_keep_positions() -> None:
    text = "On Nov 22 he paid $5 to Mr. Lee."
    spans = normalize(text)
    assert [spans[0].start, spans[-1].end] == [0, len(text)]
    assert all(before.end == after.start for before, after in itertools.pairwise(spans))
    money = next(span for span in spans if "dollars" in span.text)
    assert text[money.start : money.end] == "$5"
    day = next(span for span in spans if "twenty-second" in span.text)
    assert text[day.start : day.end] == "22"


HOSTILE = st.text(
    st.sampled_from("0123456789.,:;-–—/$£€%°'\"()+=<>#@&*^~_ \naAbBvVxXiImMpPsStTkKIVX½²é漢あ😀\u2044٣")
    | st.characters(),
    max_size=60,
)


@given(HOSTILE)
@settings(max_examples=400, deadline=None)
def test_any_text_is_covered(text: str) -> None:
    spans = normalize(text)
    assert "".join(text[span.start : span.end] for span in spans) == text
    assert not any(character.isdigit() and character.isascii() for span in spans for character in span.text)


@pytest.mark.parametrize(
    "piece",
    [
        "1",
        "1,",
        "1.",
        "1-",
        "$",
        "1/",
        "A-1",
        "a.",
        "http://a",
        "a@",
        "1:1 ",
        "IV",
        "-",
        "-1",
        "#",
        "½",
        "'9",
        "1 1/",
    ],
)
def test_long_lines_take_linear_time(piece: str) -> None:
    begin = time.process_time()
    normalize(piece * (2000 // len(piece)))
    assert time.process_time() - begin < 1.0
