"""Lines as language models write them, made by chance: nothing of them may stop, silence or distort a line.

FUZZ_LINES=10000 tries so many (``make fuzz-text``).
"""

from __future__ import annotations

import os
import random
import re
import unicodedata

import pytest

from edge.errors import TextError
from edge.markup import parse
from edge.text import FrontEnd, Reading
from edge.text.symbols import PUNCTUATION, SYMBOL_TO_ID

COUNT = int(os.environ.get("FUZZ_LINES", "300"))
FRONT_END = FrontEnd()
WORDS = {
    "zh": "我你他们今天明天看见国王城堡森林宝剑龙飞快地跑得很远说话了吗"
    "重要长大银行行长的一只猫下雨知道怎么办啊嗯哦",
    "en": "the a king record lives close to read dragon sword forest run quickly WHY nooo w-what GPS AI OK "
    "don't it's café iPhone level HP Mr. Dr. e.g. U.S. I we must wind tear bow".split(),
    "ja": "今日は明日も王様が城を森で剣と竜だよですます見る走れ"
    "何ですかえっうわーっちょっと待って3人本当危険！",
}
NUMBERS = (
    "3 15 007 2026 1,299.50 ¥99 $5 3.5% 12/15 10:30 2-3 1V1 2W 6-302 +86 -5℃ 120km/h 1/2 666 5th №4 x² 3>2 #7"
).split()
MARKS = "，。！？、；：…—～,.!?;:-~\"'“”「」（）()"
EMOJI = "😀🎉❤️👨‍👩‍👧🔥✨→★♪☆（*）㊗️🇯🇵👍🏽"
PIECES = (
    "**{}**", "*{}*", "_{}_", "`{}`", "# {}", "- {}", "1. {}", "> {}", "[{}](https://example.com/a?b=c)",
    "[{}]", "（{}）", "({})", "【{}】", "<b>{}</b>", "<speak>{}</speak>",
    '<break time="300ms"/>{}', "[pause:200]{}",
    "[emotion:happy]{}", "[笑]{}", "*sighs* {}", "&lt;{}&gt;", "~~{}~~", "“{}”", "「{}」",
    "{}\n", "\u200b{}", "{}…",
    "||{}||", "{{{}}}", "<{}", "[{}", "```\n{}\n```", "{}！！！", "{}？？", "{}\u3000",
)  # fmt: skip
# Names of signs that only a screen reader would say.
SYMBOL_NAMES = re.compile(
    r"\b(?:asterisk|underscore|backtick|hashtag|bracket|backslash|emoji|star sign)\b"
    "|星号|井号|下划线|括号|アスタリスク"
)
MOST_PER_CHARACTER = 14  # phonemes: W alone has seven, a digit has its unit


def word(draw: random.Random, language: str) -> str:
    if language == "en":
        return draw.choice(WORDS["en"])
    start = draw.randrange(len(WORDS[language]) - 4)
    return str(WORDS[language][start : start + draw.randint(1, 5)])


def machine_line(draw: random.Random) -> str:
    """A few phrases in one or several languages, with numbers, marks, emoji and markup around them."""
    usual = draw.choice(("zh", "en", "ja"))
    parts = []
    for _ in range(draw.randint(1, 6)):
        language = usual if draw.random() < 0.8 else draw.choice(("zh", "en", "ja"))
        gap = " " if language == "en" else ""
        phrase = gap.join(word(draw, language) for _ in range(draw.randint(1, 5)))
        if draw.random() < 0.3:
            phrase += gap + draw.choice(NUMBERS)
        if draw.random() < 0.3:
            phrase = draw.choice(PIECES).format(phrase)
        if draw.random() < 0.15:
            phrase += draw.choice(EMOJI)
        parts.append(phrase + draw.choice(MARKS) * draw.choice((0, 1, 1, 1, 3)) + gap)
    return "".join(parts)


def read(line: str) -> tuple[str, Reading | None]:
    """What is left of the line without its markup, and its reading; None where nothing of it is speakable."""
    plain = parse(line).plain
    try:
        return plain, FRONT_END.read(plain)
    except TextError as error:
        assert error.code in ("text_empty", "text_unspeakable"), line
        return plain, None


def has_words(plain: str) -> bool:
    return any(unicodedata.category(character) in ("Lo", "Ll", "Lu", "Nd") for character in plain)


@pytest.mark.parametrize("seed", range(0, COUNT, 100))
def test_a_line_is_read_whole_and_without_names_of_signs(seed: int) -> None:
    for number in range(seed, min(seed + 100, COUNT)):
        line = machine_line(random.Random(number))
        plain, reading = read(line)
        if reading is None:
            assert not has_words(plain), (number, line)
            continue
        sounds = [phoneme for phoneme in reading.phonemes if phoneme not in PUNCTUATION]
        assert all(phoneme in SYMBOL_TO_ID for phoneme in reading.phonemes), (number, line)
        assert not SYMBOL_NAMES.search(reading.normalized), (number, line, reading.normalized)
        assert len(sounds) <= MOST_PER_CHARACTER * len(plain), (number, line)
        assert len(sounds) >= len(re.findall(r"\w", plain)) // 6, (number, line)
        assert list(reading.offsets) == sorted(reading.offsets), (number, line)
        assert len(reading.shape.stretch) in (0, len(reading.phonemes)), (number, line)


def test_the_words_of_a_line_outlive_its_markup() -> None:
    """Hardly any line with words in it may lose all of them to markup."""
    lost = [number for number in range(COUNT) if read(machine_line(random.Random(number)))[1] is None]
    assert len(lost) <= COUNT // 20
