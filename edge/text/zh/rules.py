"""Rules for numbers and signs in Chinese text, in the order in which they are tried."""

from __future__ import annotations

import re
from collections.abc import Callable

from .numbers import amount, cardinal, digits, number
from .units import CURRENCIES, CURRENCY, GREEK, MEASURE, RATES, SIGNS, UNIT, UNITS

Match = re.Match[str]
Rule = tuple[re.Pattern[str], Callable[[Match], str | None]]  # None: the rule does not hold here

_N = r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?"
_TO = r"\s?[-~～—–－至到]\s?"
LOOK_BACK = 10  # characters of context before a number
_SCORE_BEFORE = re.compile(r"(?:比分|[以赢输胜负平]|击败|战胜|领先|落后|大比分|总分)[^\d，。]{0,4}$")
_SCORE_AFTER = re.compile(
    r"\s?(?:的?比分|战胜|击败|领先|落后|获胜|取胜|大胜|险胜|完胜|战平|惜败|逆转|平$|平局)"
)
_PHONE_BEFORE = re.compile(r"(?:拨打|致电|电话|热线|呼叫|报警|打|拨|客服)[^\d，。]{0,4}$")
_PHONE_AFTER = re.compile(r"\s?(?:急救|报警|热线|客服|电话|火警)")
_CODE_BEFORE = re.compile(
    r"(?:号码|账号|帐号|卡号|编号|密码|验证码|订单|订单号|房间号|门牌号|航班号|车次|工号|学号|邮编|身份证|尾号|车牌|代码|单号|口令|暗号|频道|QQ|ID)"
    r"(?:是|为|号)?[:：]?\s?$"
)
_MINUS_BEFORE = re.compile(r"(?:^|[\s（(,，。；：:=为是到至约在得差亏跌降值分数温达从的])$")
_YEAR_LENGTH = re.compile(
    r"年(?:前|后(?!的今天)|来|间|的?历史|以上|以来|之久|之后|之前|内|时间|老店|大计|难遇|一遇)"
)
_KNOWN_STRINGS = {
    "996": "九九六",
    "985": "九八五",
    "211": "二幺幺",
    "618": "六幺八",
    "007": "零零七",
    "520": "五二零",
}
_JOURNEY = re.compile(r"\s?(?:次|航班|号?列车|班机)")
_ALONE = re.compile(r"(?:$|[，。！？、,!?…\s了啊呀吧哈])")
# Said so only where nothing is counted.
_CHAT_NUMBERS = {"666": "六六六", "233": "二三三", "2333": "二三三三", "886": "八八六", "1314": "一三一四"}
_HOTLINES = frozenset(("10086", "10010", "12306", "12315", "95588"))  # never a quantity


def _before(match: Match) -> str:
    return match.string[max(0, match.start() - LOOK_BACK) : match.start()]


def _follows(match: Match, pattern: re.Pattern[str]) -> bool:
    return pattern.match(match.string, match.end()) is not None


def _date(match: Match) -> str | None:
    year, month, day = match["year"], int(match["month"]), int(match["day"] or 1)
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    return digits(year) + f"年{cardinal(str(month))}月" + (f"{cardinal(str(day))}日" if match["day"] else "")


def _year(match: Match) -> str | None:
    year = match["year"]
    if (year.endswith("00") and _follows(match, _YEAR_LENGTH)) or int(year) > 2999:
        return None
    until = match["until"]
    return digits(year) + ("到" + digits(until) if until else "")


def _short_year(match: Match) -> str | None:
    year = match["year"]
    is_year = year[0] == "0" or year >= "85" or match.string[match.end() + 1 : match.end() + 2].isdigit()
    return digits(year) if is_year and not _follows(match, _YEAR_LENGTH) else None


def _decade(match: Match) -> str:
    decade = match["decade"]
    return (digits(decade) if len(decade) == 4 or match["after"] else cardinal(decade)) + (
        "年代" if match["s"] else ""
    )


def _time(match: Match) -> str | None:
    if _SCORE_BEFORE.search(_before(match)) or _follows(match, _SCORE_AFTER):
        return None
    words = _clock(match["h"], match["m"], match["s"])
    if words is None:
        return None
    half = {"a": "上午", "p": "下午"}.get((match["half"] or "").lstrip()[:1].lower(), "")
    until = _clock(match["h2"], match["m2"], None) if match["h2"] else ""
    return None if until is None else half + words + ("到" + until if until else "")


def _clock(hour: str, minute: str, second: str | None) -> str | None:
    if int(hour) > 24 or int(minute) > 59 or int(second or 0) > 59:
        return None
    words = ("两" if int(hour) == 2 else cardinal(str(int(hour)))) + "点"
    if int(minute) or int(second or 0):
        words += (
            ("零" if int(minute) < 10 and minute[0] == "0" and int(minute) else "")
            + cardinal(str(int(minute)))
            + "分"
        )
    return words + (
        ("零" if 0 < int(second) < 10 else "") + cardinal(str(int(second))) + "秒" if second else ""
    )


def _ratio(match: Match) -> str:
    return "比".join(cardinal(part.strip()) for part in re.split("[:：]", match[0]))


def _score(match: Match) -> str | None:
    if _SCORE_BEFORE.search(_before(match)) or _follows(match, _SCORE_AFTER):
        return f"{cardinal(match['a'])}比{cardinal(match['b'])}"
    return None


def _telephone(match: Match) -> str:
    return digits(match[0].removeprefix("+86"), one="幺")


def _hotline(match: Match) -> str | None:
    is_called = _PHONE_BEFORE.search(_before(match)) or _follows(match, _PHONE_AFTER)
    if _follows(match, MEASURE) or not (is_called or match[0] in _HOTLINES):
        return None
    return digits(match[0], one="幺")


def _code(match: Match) -> str | None:
    return digits(match[0], one="幺") if _CODE_BEFORE.search(_before(match)) else None


def _money(match: Match) -> str:
    words = amount(match["a"].replace(",", ""))
    if match["b"]:
        words += "到" + amount(match["b"].replace(",", ""))
    return ("负" if match["minus"] else "") + words + (match["big"] or "") + CURRENCIES[match["currency"]]


def _money_behind(match: Match) -> str:
    value = match["a"].replace(",", "")
    return "两" if value == "2" else amount(value)


def _percent(match: Match) -> str:
    base = "千分之" if match["sign"] == "‰" else "百分之"
    signs = {"-": "负", "−": "负", "+": "正"}

    def one(value: str) -> str:
        return base + ("百" if value == "100" else number(value))

    words = signs.get(match["minus"] or "", "") + one(match["a"])
    return words + ("到" + one(match["b"]) if match["b"] else "")


def _quantity(match: Match) -> str | None:
    """A number, or a range of two, with a unit in Latin letters or signs."""
    unit = match["unit"]
    per, noun = RATES.get(unit, ("", UNITS.get(unit, "")))
    is_temperature = noun.endswith("氏度")
    words = _counted(match["a"])
    if match["minus"]:
        words = ("零下" if is_temperature else "负") + words
    if match["b"]:
        words += noun if match["unit1"] and is_temperature else ""
        words += "到" + ("零下" if match["minus2"] else "") + _counted(match["b"])
    return per + words + noun


def _counted(value: str) -> str:
    return "两" if value == "2" else number(value)


def _fraction(match: Match) -> str | None:
    top, bottom = match["top"], match["bottom"]
    if bottom == "0" or len(top + bottom) > 8:
        return None
    if 10 <= int(top) <= 12 < int(bottom) <= 31:
        return f"{cardinal(top)}月{cardinal(bottom)}日"
    if (top, bottom) == ("24", "7"):
        return "二十四小时"
    whole = cardinal(match["whole"]) + "又" if match["whole"] else ""
    return f"{whole}{cardinal(bottom)}分之{cardinal(top)}"


def _vulgar_fraction(match: Match) -> str:
    parts = {"½": "二分之一", "⅓": "三分之一", "⅔": "三分之二", "¼": "四分之一", "¾": "四分之三"}
    return (cardinal(match["whole"]) + "又" if match["whole"] else "") + parts[match["part"]]


def _points(match: Match) -> str:
    return "点".join(digits(part) if len(part) > 2 else cardinal(part) for part in match[0].split("."))


def _room(match: Match) -> str:
    return digits(match[0], one="幺")


def _model(match: Match) -> str:
    """Digits behind letters or a maker's name: A4, F-16, MH370, 波音747."""
    value = match["number"]
    one = "幺" if _follows(match, _JOURNEY) else "一"
    return digits(value, one) if len(value) > 2 else cardinal(value)


def _power(match: Match) -> str:
    exponent = match["exponent"] or {"²": "2", "³": "3"}[match["raised"]]
    return f"{number(match['base'])}的{'负' if match['minus'] else ''}{cardinal(exponent)}次方"


def _integer(match: Match) -> str:
    value = match[0]
    if (
        value == "2"
        and not match.string.endswith("第", 0, match.start())
        and (_follows(match, MEASURE) or _follows(match, _RANGE_OF_MEASURE))
    ):
        return "两"
    known = _KNOWN_STRINGS.get(value)
    if value in _CHAT_NUMBERS and match.start() == 0 and _follows(match, _ALONE):
        return _CHAT_NUMBERS[value]
    return known if known and not _follows(match, MEASURE) else cardinal(value)


def _signed(match: Match) -> str | None:
    if match["sign"] == "+":
        return "加"
    return "负" if _MINUS_BEFORE.search(_before(match)) else ""


_RANGE_OF_MEASURE = re.compile(
    rf"{_TO}\d+\s?(?:个|位|名|人|次|天|年|小时|分钟|秒|米|公里|公斤|块|元|岁|倍|种|遍)"
)
RULES: tuple[Rule, ...] = tuple(
    (re.compile(pattern), answer)
    for pattern, answer in (
        # Telephone and hotline numbers, addresses on the net
        (r"(?:\+86[\s-]?)?1[3-9]\d[\s-]?\d{4}[\s-]?\d{4}(?!\d)", _telephone),
        (r"0\d{2,3}-\d{7,8}(?!\d)", _telephone),
        (r"[48]00-?\d{3}-?\d{4}(?!\d)", _telephone),
        (
            r"\d{1,3}(?:\.\d{1,3}){3}(?![\d.])",
            lambda m: "点".join(digits(part, one="幺") for part in m[0].split(".")),
        ),
        (r"\d{3,12}(?![\d.,:：])", _hotline),
        (r"\d{3,30}(?![\d.])", _code),
        # Dates and times
        (r"(?P<year>[12]\d{3})(?P<s>[-/.])(?P<month>\d{1,2})(?P=s)(?P<day>\d{1,2})(?!\d)", _date),
        (r"(?P<year>(?:19|20)\d\d)[/-](?P<month>\d{1,2})(?P<day>)(?![\d/])(?=[，。、；\s）)]|$)", _date),
        (
            rf"(?P<year>[12]\d{{3}})(?:年?{_TO}(?P<until>[12]\d{{3}}))?(?=\s?(?:年(?!代)|届|赛季|款|版|财年|奥运|世界杯|春晚))",
            _year,
        ),
        (r"(?P<year>\d{2})(?=年(?!代|级|内))", _short_year),
        (r"(?P<decade>(?:1[89]|20)\d0)(?P<s>'?s)(?P<after>)(?![A-Za-z])", _decade),
        (r"(?P<decade>\d{2}|\d{4})(?P<s>)(?:(?=年代)|(?=(?P<after>后)))", _decade),
        (
            rf"(?P<h>\d{{1,2}})[:：](?P<m>[0-5]\d)(?:[:：](?P<s>[0-5]\d))?(?P<half>\s?[ap]\.?m\.?(?![A-Za-z]))?"
            rf"(?:{_TO}(?P<h2>\d{{1,2}})[:：](?P<m2>[0-5]\d))?(?![\d:：])",
            _time,
        ),
        # Scores and ratios
        (r"\d+\s?[:：]\s?\d+(?:\s?[:：]\s?\d+)*(?!\d)", _ratio),
        (r"(?P<a>\d{1,3})\s?[-–—]\s?(?P<b>\d{1,3})(?![\d-])", _score),
        # Money, per cent, units
        (
            rf"(?P<minus>-)?(?P<currency>{CURRENCY})\s?(?P<a>{_N})(?:{_TO}(?:{CURRENCY})?(?P<b>{_N}))?(?P<big>[百千万亿]{{1,2}})?(?:元|美元)?",
            _money,
        ),
        (rf"(?P<a>{_N})(?=(?:元|美元|欧元|英镑|港元|日元|块)(?!/))(?<=\d)", _money_behind),
        (
            rf"(?P<minus>(?<![\d%])[-−+])?(?P<a>{_N})(?:[%‰]?{_TO}(?P<b>{_N}))?(?P<sign>[%‰])",
            _percent,
        ),
        (
            rf"(?P<minus>(?<![\dA-Za-z])[-−])?(?P<a>{_N})(?:\s?(?P<unit1>{UNIT})?{_TO}(?P<minus2>-)?(?P<b>{_N}))?\s?(?P<unit>{UNIT})"
            r"(?![A-Za-z\d])",
            _quantity,
        ),
        # Fractions, versions, powers, model numbers
        (r"(?P<whole>\d+)?(?P<part>[½⅓⅔¼¾])", _vulgar_fraction),
        (r"(?:(?P<whole>\d+) )?(?P<top>\d+)[/⁄](?P<bottom>\d+)(?![\d/])", _fraction),
        (r"\d+(?:\.\d+){2,}", _points),
        (rf"(?P<base>{_N})(?:\^(?P<minus>-)?(?P<exponent>\d+)|(?P<raised>[²³]))", _power),
        (r"\d{1,2}·\d{1,2}(?!\d)", lambda m: digits(m[0])),
        (r"(?<=[A-Za-z])[²³]", lambda m: "平方" if m[0] == "²" else "立方"),
        (r"(?<=\d)\s?[*×xX]\s?(?=\d)", lambda m: "乘"),
        (
            r"[-\s]?(?P<number>(?<=[A-Za-z])(?<!\d[xX])\d+|(?<=[A-Za-z][-\s])\d{1,3}(?!\d))(?!\.\d|,\d{3}|\s?[个块元万亿年月日])",
            _model,
        ),
        (r"(?:(?<=波音)|(?<=空客)|(?<=道奇)|(?<=保时捷)|(?<=标致))(?P<number>\d+)", _model),
        (
            r"\d{3,4}(?=\s?(?:室|房间|号房|病房|教室|包厢|路公交|路车|次列车|次航班|航班|医院|高地|寝室|宿舍))",
            _room,
        ),
        (r"\d+(?:-\d+){2,}(?!\d)", lambda m: "，".join(digits(part, one="幺") for part in m[0].split("-"))),
        (r"(?:N[oO]\.?|№|#)\s?(?P<n>\d+)(?:号)?", lambda m: cardinal(m["n"]) + "号"),
        (r"(?P<n>\d+)(?:st|nd|rd|th)(?![A-Za-z])", lambda m: "第" + cardinal(m["n"])),
        # Plain numbers and signs
        (r"\d{1,3}(?:[, ]\d{3})+(?!\d)(?:\.\d+)?|\d+\.\d+", lambda m: number(m[0].replace(" ", ""))),
        (r"\d+", _integer),
        (r"(?<!\d)\.\d+", lambda m: number(m[0])),
        (
            r"(?<=[\d%℃°日号月年时分秒个天元点岁米克斤升次楼h])\s?[-~～–−—]\s?(?=[¥$]?\d)",
            lambda m: _between(m),
        ),
        (
            r"/(?=(?:斤|天|人|次|小时|分钟|秒|年|月|个|公里|平方米|平米|件|张|位|晚|千克|公斤|瓶|杯|台|套|吨|升))",
            lambda m: "每",
        ),
        (
            r"(?<=\d)\+(?=\s?(?:个|位|名|人|岁|次|天|年|种|家|款|页|米|公里|元|块|万|亿|$|[，。、！？）]))",
            lambda m: "多",
        ),
        (r"(?P<sign>[-−+])(?=\d|[¥$])", _signed),
        (r"[-−/^*](?=[A-Za-z])|(?<=[A-Za-z])[-−/]", lambda m: " "),
        (r"[~～](?=\d)", lambda m: "约"),
        (r"[~～]", lambda m: "…" if not _follows(m, re.compile(r"[。！？!?,，…~～]")) else ""),
        (f"[{''.join(map(re.escape, GREEK))}]", lambda m: GREEK[m[0]]),
        (r"[@±√∞℃№%]", lambda m: SIGNS[m[0]]),
        # Between two words or numbers only: elsewhere they draw faces, >_<
        (r"(?<=[\w)%）])\s?(?P<sign>[=≈≠≥≤<>×÷+&→])\s?(?=[\w(（√-])", lambda m: SIGNS[m["sign"]]),
        (r"(?P<sign>[≥≤<>≈])\s?(?=\d)", lambda m: SIGNS[m["sign"]]),
    )
)


def _between(match: Match) -> str:
    """The sign between two numbers: to, or minus in a sum; 3-1 without more is a score."""
    behind = match.string[match.end() : match.end() + 12]
    if re.match(r"\d+\s?=", behind):
        return "减"
    first, second = (
        re.search(r"\d+$", match.string[: match.start()]),
        re.match(r"\d+(?![\d月点时号日])", behind),
    )
    return "比" if first and second and int(first[0]) >= int(second[0]) else "到"
