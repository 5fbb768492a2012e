"""Markup as a language model writes it: what is not to be heard is left out, and said so in a warning."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from . import directions
from .forms import hint, read_tag
from .latex import COMMAND, FORMULA, plain_formula
from .spoken import SPOKEN, read_spoken
from .structured import spoken_of_object
from .tags import Markup, Tag
from .xml import ELEMENT, ENTITY, HIDDEN, decode_entity, read_element

MAX_WARNINGS = 6  # of one line; what is left out beyond is counted
_EMOTICON = (
    r"(?<![A-Za-z0-9:]):[a-z][a-z0-9_+-]{1,30}:(?![A-Za-z0-9:])|"
    r"(?<![A-Za-z0-9])(?:T_+T|[xX]D+|[QqO][AwW_][Qq]|[:;=]['’]?-?[)(DPp|3]+(?=\s|$|[^\w\s])|<3+(?=\s*$|\s*[^\w\s=])|\^[_.]?\^;*|>[_.]+<|"
    r"[oO]_[oO]|-_+-|¯\\_\(ツ\)_/¯|[oO]rz|m\(_\ _\)m)(?![A-Za-z0-9])"
    r"|[（(](?=[^（()）]{0,14}[∀ωдД≧≦´`﹏︶ꈍ･°□╯〃￣▽＾;；*＿])[^（()）\u3400-\u9fffA-Za-z0-9ぁ-ん]{2,14}[)）][ノﾉ/︵┻━┳ﾟ彡☆♪]*"
    r"|(?<=[ぁ-ヿ\u3400-\u9fff。、！？])[wｗ]{2,}(?![A-Za-z0-9.])"
)
_LINE_START = r"(?:(?<=\n)|\A)[ \t]{0,8}"
_SCANNER = re.compile(
    rf"""(?P<formula>{FORMULA}|{COMMAND})
    |(?P<escape>\\[][\\［］*_`<>~#|(){{}}-])
    |(?P<fence>(?:```|~~~).*?(?:```|~~~|\Z))
    |(?P<hidden_part>{HIDDEN})
    |(?P<image>!\[[^\[\]\n]*\]\([^()\n]*\))
    |(?P<link>\[(?P<label>[^\[\]\n]+)\]\([^()\n]*\))
    |(?P<spoken>{SPOKEN})
    |(?P<valued><(?P<kind>emotion|mood|style|pause|mark)>(?P<value>\s*[\w.-]{{1,20}}(?:\s[\w-]{{1,12}})?\s*)</(?P=kind)>)
    |(?P<loose><(?P<loose_tag>(?:pause|break|emotion|mark)\s*[:=]\s*[\w.-]{{1,40}})\s*/?>)
    |(?P<element>{ELEMENT})
    |(?P<entity>{ENTITY})
    |(?P<tag>[\[［](?P<body>[^\[\]［］\n]*)[\]］]|【(?P<lens>[^【】\n]{{1,40}})】)
    |(?P<open>[\[［]\s*(?P<broken>[^\W\d_]+\s*[:：=]\s*(?:[A-Za-z0-9_.-]+(?=[\s,，、。:：;；!！?？\u3040-\u9fff]|\Z)
      |[\w.-]+(?=[\s,，、。:：;；!！?？]|\Z))))
    |(?P<bracket>[\[\]［］])
    |(?P<rule>{_LINE_START}(?:(?:[-*_=][ \t]*){{3,}}|\|?[ \t]*:?-{{2,}}[-:| \t]*)(?=\n|\Z))
    |(?P<row>{_LINE_START}\|[^\n]*\|[ \t]*(?=\n|\Z))
    |(?P<token><\|[^|<>\n]{{1,40}}\|>)
    |(?P<brace>(?:[{{｛]|\|(?=[^\W\d_]+\|))(?P<braced>[^{{}}｛｝|\n]{{1,40}})(?:[}}｝]|\|))
    |(?P<angle>[<＜〈](?P<angled>[^<>＜＞〈〉\n]{{1,12}})[>＞〉])
    |(?P<ruby>(?:[｜|](?P<based>[^｜|《》\n]{{1,20}})|[\u3400-\u9fff々]{{1,12}})《(?P<above>[\u3040-\u30ffー]{{1,24}})》)
    |(?P<item>{_LINE_START}(?:\#{{1,6}}[ \t]+|>+[ \t]?|[-*+•·‣▪][ \t]+(?=\S)(?:\[[ xX]\][ \t]+)?))
    |(?P<emoticon>{_EMOTICON})
    |(?P<note>[（(](?P<noted>[^（）()\n]{{1,60}})[）)])
    |(?P<strong>\*\*\*|\*\*|__(?=\S)|(?<=\S)__|~~)
    |(?P<star>(?<![\w*])\*(?P<acted>[^*\s\n](?:[^*\n]{{0,58}}[^*\s\n])?)\*(?!\*)
      |(?<=[\u3000-\uffef])\*(?P<acted2>[^*\s\n](?:[^*\n]{{0,58}}[^*\s\n])?)\*(?!\*))
    |(?P<under>(?<![\w_])_(?P<stressed>[^_\s\n](?:[^_\n]{{0,78}}[^_\s\n])?)_(?![\w_]))
    |(?P<code>`+(?P<coded>[^`\n]{{0,200}})`+|`)
    """,
    re.VERBOSE | re.DOTALL,
)
_ENDS_SENTENCE = re.compile(r"(?:\A|[。！？.!?…：:,，、—\n」』”\"])\s*\Z")
_BEGINS_SENTENCE = re.compile(r"\s*(?:\Z|[A-Z0-9\"'“「『。！？…,.!?\n—*(（\[［【]|[^\x00-\x7f])")
_PICTURES = re.compile("[\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff]")


def parse_lenient(text: str) -> Markup:
    """Take tags, directions, Markdown, SSML and HTML out of a line; nothing is refused.

    A line in which only bracketed words are left is what its writer wants said: these are read then.
    """
    words = spoken_of_object(text)
    if words:
        found = _Parser(words).parse()
        return replace(found, warnings=("of the JSON object its words are read", *found.warnings))
    found = _Parser(text).parse()
    if not _has_speech(found.plain) and not found.tags:
        unbracketed = _BRACKETED.sub(_words_of_bracket, text)
        if unbracketed != text:
            again = _Parser(unbracketed).parse()
            warning = "the line is all in brackets, so the words in them are read"
            return replace(again, warnings=(warning, *again.warnings)) if _has_speech(again.plain) else found
    return found


_BRACKETED = re.compile(r"[\[［]([^\[\]［］\n]*)[\]］]")


def _words_of_bracket(match: re.Match[str]) -> str:
    """The words between brackets where they are more than a number, a direction or a tag that failed."""
    body = match[1]
    is_label = re.search("[:：=]", body) is not None or not _has_speech(body)
    return match[0] if is_label or body.strip().isdigit() or directions.is_known(body) else body


def _has_speech(text: str) -> bool:
    return any(character.isalnum() for character in text)


class _Parser:
    """One walk over a line."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._plain: list[str] = []
        self._length = 0
        self._tags: list[Tag] = []
        self._warnings: list[str] = []
        self._more = 0

    def parse(self) -> Markup:
        end = 0
        for match in _SCANNER.finditer(self._text):
            if match.start() >= end:
                self._write(self._text[end : match.start()])
                self._take(match)
                end = match.end()
        self._write(self._text[end:])
        if _PICTURES.search(self._text):
            self._warn("emoji and pictures are not spoken")
        if self._more:
            self._warnings.append(f"and {self._more} more parts of the line that are not spoken")
        return Markup("".join(self._plain), tuple(self._tags), tuple(self._warnings))

    def _take(self, match: re.Match[str]) -> None:
        _HANDLERS[match.lastgroup or ""](self, match)

    def _write(self, text: str) -> None:
        self._plain.append(text)
        self._length += len(text)

    def _warn(self, warning: str) -> None:
        if warning in self._warnings:
            return
        if len(self._warnings) < MAX_WARNINGS:
            self._warnings.append(warning)
        else:
            self._more += 1

    def _leave_out(self, match: re.Match[str], what: str) -> None:
        shown = match[0].strip()
        shown = shown if len(shown) <= 24 else shown[:23] + "…"
        self._warn(f"{what} {shown} at character {match.start() + 1} is not spoken")

    def escape(self, match: re.Match[str]) -> None:
        self._write(match[0][1] if match[0][1] in "[]［］\\*_`" else match[0])

    def formula(self, match: re.Match[str]) -> None:
        written = match["display"] or match["inline"] or match["round"] or match["square"] or match[0]
        self._write(plain_formula(written))

    def hidden(self, match: re.Match[str]) -> None:
        self._leave_out(match, "code" if match[0][0] in "`~" else "hidden text")

    def image(self, match: re.Match[str]) -> None:
        self._leave_out(match, "image")

    def link(self, match: re.Match[str]) -> None:
        self._write(match["label"])
        self._leave_out(match, "the address in")

    def element(self, match: re.Match[str]) -> None:
        text, tag = read_element(match[0], self._length)
        self._add(tag)
        self._write(text)
        if tag is None:
            self._leave_out(match, "element")

    def spoken(self, match: re.Match[str]) -> None:
        self._write(read_spoken(match, self._text))

    def loose(self, match: re.Match[str]) -> None:
        """<pause=1>: a tag in the brackets of another language."""
        self._add(read_tag(match["loose_tag"], self._length))

    def valued(self, match: re.Match[str]) -> None:
        """<emotion>sad</emotion> says its value between the tags."""
        tag = read_tag(f"{match['kind']}:{match['value'].strip()}", self._length)
        self._add(tag)
        if tag is None:
            self._write(match["value"])

    def entity(self, match: re.Match[str]) -> None:
        self._write(decode_entity(match[0]))

    def tag(self, match: re.Match[str]) -> None:
        body = match["body"]
        if body is None:
            self._lens(match)
            return
        tag = read_tag(body, self._length) or hint(body, self._length)
        self._add(tag)
        if tag is None or tag.is_hint:
            self._leave_out(match, "unknown tag")

    def _lens(self, match: re.Match[str]) -> None:
        """【旁白】 is a direction, 【重要】 a heading."""
        body = match["lens"]
        tag = read_tag(body, self._length)
        if tag is not None:
            self._add(tag)
        elif directions.is_note(body, apart=self._is_apart(match)):
            self._add(hint(body, self._length))
            self._leave_out(match, "stage direction")
        else:
            self._write(match[0])

    def broken(self, match: re.Match[str]) -> None:
        tag = read_tag(match["broken"], self._length)
        self._add(tag)
        self._leave_out(match, "the tag that is not closed," if tag else "broken tag")

    def bracket(self, match: re.Match[str]) -> None:
        self._leave_out(match, "the bracket without a partner")

    def token(self, match: re.Match[str]) -> None:
        self._leave_out(match, "the control token")

    def brace(self, match: re.Match[str]) -> None:
        """{sad} and |sad| are directions, {other words} are words."""
        body = match["braced"]
        tag = read_tag(body, self._length)
        is_direction = directions.is_known(body) or (
            match[0][0] in "{｛" and not body.isascii() and directions.is_note(body, self._is_apart(match))
        )
        if tag is not None or is_direction:
            self._add(tag or hint(body, self._length))
            self._leave_out(match, "stage direction")
        else:
            self._write(match[0])

    def angle(self, match: re.Match[str]) -> None:
        """＜笑＞ is a direction, 〈天鹅湖〉 a title."""
        if directions.is_known(match["angled"]):
            self._direct(match, match["angled"])
        else:
            self._write(match[0])

    def ruby(self, match: re.Match[str]) -> None:
        """漢字《かんじ》: the reading is what is said; a title of kana behind a verb is none: 读《あ》."""
        base = match["based"] or match[0].partition("《")[0]
        self._write(match["above"] if match["based"] or len(match["above"]) >= len(base) else match[0])

    def rule(self, match: re.Match[str]) -> None:
        self._warn("Markdown marks are not spoken")

    def row(self, match: re.Match[str]) -> None:
        cells = [cell.strip() for cell in match[0].strip().strip("|").split("|")]
        self._write(", ".join(cell for cell in cells if cell))
        self._warn("Markdown marks are not spoken")

    def emoticon(self, match: re.Match[str]) -> None:
        self._leave_out(match, "emoticon")

    def note(self, match: re.Match[str]) -> None:
        tag = read_tag(match["noted"], self._length) if re.search("[:：=]", match["noted"]) else None
        if tag is not None:
            self._add(tag)
        elif directions.is_note(match["noted"], self._is_apart(match)):
            self._direct(match, match["noted"])
        else:
            self._write(match[0])

    def star(self, match: re.Match[str]) -> None:
        body = match["acted"] or match["acted2"]
        if directions.is_action(body, self._is_apart(match)):
            self._direct(match, body)
        else:
            self._write(body)
            self._warn("Markdown marks are not spoken")

    def under(self, match: re.Match[str]) -> None:
        body = match["stressed"]
        if directions.is_known(body) and (match.start() == 0 or self._is_apart(match)):
            self._direct(match, body)
            return
        self._write(body)
        self._warn("Markdown marks are not spoken")

    def code(self, match: re.Match[str]) -> None:
        self._write(match["coded"] or "")
        self._warn("Markdown marks are not spoken")

    def _direct(self, match: re.Match[str], body: str) -> None:
        self._add(hint(body, self._length))
        self._leave_out(match, "stage direction")

    def _add(self, tag: Tag | None) -> None:
        if tag is not None:
            self._tags.append(tag)

    def _is_apart(self, match: re.Match[str]) -> bool:
        """Whether a match stands between sentences and apart from the word behind it."""
        before = self._text[max(0, match.start() - 8) : match.start()] if match.start() else ""
        behind = self._text[match.end() : match.end() + 8]
        if match["star"] and behind[:1].isalnum():
            return False
        return _ENDS_SENTENCE.search(before) is not None and _BEGINS_SENTENCE.match(behind) is not None


_Handler = Callable[[_Parser, "re.Match[str]"], None]
_HANDLERS: dict[str, _Handler] = {
    "formula": _Parser.formula, "escape": _Parser.escape, "fence": _Parser.hidden,
    "hidden_part": _Parser.hidden, "image": _Parser.image,
    "link": _Parser.link, "spoken": _Parser.spoken, "loose": _Parser.loose, "valued": _Parser.valued,
    "element": _Parser.element, "entity": _Parser.entity, "tag": _Parser.tag,
    "open": _Parser.broken, "bracket": _Parser.bracket, "token": _Parser.token,
    "brace": _Parser.brace, "angle": _Parser.angle, "ruby": _Parser.ruby,
    "rule": _Parser.rule, "row": _Parser.row,
    "item": _Parser.rule, "emoticon": _Parser.emoticon, "note": _Parser.note, "strong": _Parser.rule,
    "star": _Parser.star, "under": _Parser.under, "code": _Parser.code,
}  # fmt: skip
