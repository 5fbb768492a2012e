"""Rules for numbers and signs in Chinese text, in the order in which they are tried."""

from __future__ import annotations

import re

from .codes import CODE_RULES, MODEL_RULES, chat_number, known_string
from .context import NUMBER, Match, Rule, before, compiled, follows
from .maths import MINUS_RULES, POWER_RULES, SIGN_RULES
from .numbers import amount, cardinal, digits, number
from .reigns import ERA, roman
from .units import CURRENCIES, CURRENCY, CURRENCY_CODE, GREEK, MEASURE, RATES, SIGNS, UNIT, UNITS

_N = NUMBER
_TO = r"\s?[-~～—–－至到]\s?"
_SCORE_BEFORE = re.compile(r"(?:比分|[以赢输胜负平]|击败|战胜|领先|落后|大比分|总分)[^\d，。]{0,4}$")
_SCORE_AFTER = re.compile(
    r"\s?(?:的?比分|战胜|击败|领先|落后|获胜|取胜|大胜|险胜|完胜|战平|惜败|逆转|平$|平局)"
)
_COUNTDOWN = re.compile(r"(?:倒计时|剩余?时间|还剩|只剩|剩余|计时器)(?:是|为|还有)?[:：]?\s?$")
_MINUS_BEFORE = re.compile(r"(?:^|[\s（(,，。；：:=为是到至约在得差亏跌降值分数温达从的])$")
_YEAR_LENGTH = re.compile(
    r"年(?:前|后(?!的今天)|来|间|的?历史|以上|以来|之久|之后|之前|内|时间|老店|大计|难遇|一遇)"
)
_HOLIDAY = re.compile(r"\s?(?:假期|放假|小?长假|黄金周|[一-龥]{0,3}节(?![目省奏约制])|档期?|期间)")
_DAY_AFTER = re.compile(
    r"\s?(?:之?前|起|开始|开[售播演机服业学]|上[映线午]|发[售布行]|首[播映演]|截[止至]|到期|出发|见|[晚早]上?|下午|中午|"
    r"凌晨|是.{0,4}(?:节|生日|纪念日|忌日)|当[天晚]|那[天晚]|[（(]?(?:周|星期)[一二三四五六日天]|[-~～–—到至]\s?\d{1,2}/\d)"
)
_DAY_BEFORE = re.compile(r"(?:[在于到自从]|截[止至]|日期|时间|生日)[:：是为]?\s?$")
_DAY_UNTIL = re.compile(r"\d/\d{1,2}\s?[-~～–—到至]\s?$")
_PART_AFTER = re.compile(r"\s?(?:处|的|左右|以[上下]|多|[，。！？]|$)")
_EARNED_BEFORE = re.compile(
    r"(?:薪|工资|[收月年日]入|入账|赚|挣|花|卖|价|存|欠|借|贷|奖金?|彩礼|房租|预算|打赏|粉丝?|播放|阅读|点赞|"
    r"成本|营收|流水|票房|赔|亏|捐|转账?|突?破|销量|人数|观众|在线)[^\d，。]{0,4}$"
)
_EARNED_AFTER = re.compile(
    r"[+＋]?\s?(?:块|元|人|粉|多|美[元金]|日元|字|次|条|份|个|辆|台|套|步|[的]?(?:播放|点赞|赞|收藏|阅读|存款|年薪|用户|观众|血|伤害|战力|经验|金币))"
)
_PRESSURE_BEFORE = re.compile(r"(?:血压|高压|低压)(?:是|为|到|升到|降到)?[:：]?\s?$")
_VALUE_BEFORE = re.compile(
    r"(?:(?<![A-Za-z])(?:HP|MP|SP|TP|AP|XP|EXP|SAN|ATK|DEF|STR|AGI|INT|LUK|VIT|DEX|CP|PP)|[血命力蓝量防攻速币]条?|(?<!温)度)$"
)


_PART_OF_WHOLE = "[关章节集页题轮局回步层级幕场季期组波册卷次天]"  # 第3/5关: the third of five


def _date(match: Match) -> str | None:
    year, month, day = match["year"], int(match["month"]), int(match["day"] or 1)
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    return digits(year) + f"年{cardinal(str(month))}月" + (f"{cardinal(str(day))}日" if match["day"] else "")


def _year(match: Match) -> str | None:
    year = match["year"]
    if (year.endswith("00") and follows(match, _YEAR_LENGTH)) or int(year) > 2999:
        return None
    if year == "1000" and not before(match).endswith("公元"):
        return None
    until = match["until"]
    return digits(year) + ("到" + digits(until) if until else "")


def _years(match: Match) -> str | None:
    """1840-1949, where the second one is the later."""
    year, until = match["year"], match["until"]
    return f"{digits(year)}到{digits(until)}" if year < until else None


def _short_year(match: Match) -> str | None:
    year = match["year"]
    is_year = year[0] == "0" or year >= "85" or match.string[match.end() + 1 : match.end() + 2].isdigit()
    return digits(year) if is_year and not follows(match, _YEAR_LENGTH) else None


def _decade(match: Match) -> str:
    decade = match["decade"]
    return (digits(decade) if len(decade) == 4 or match["after"] else cardinal(decade)) + (
        "年代" if match["s"] else ""
    )


def _time(match: Match) -> str | None:
    if _SCORE_BEFORE.search(before(match)) or follows(match, _SCORE_AFTER):
        return None
    if _COUNTDOWN.search(before(match)) and not (match["s"] or match["half"] or match["h2"]):
        return _seconds_left(match)
    words = _clock(match["h"], match["m"], match["s"])
    if words is None:
        return None
    half = _half(match)
    until = _clock(match["h2"], match["m2"], None) if match["h2"] else ""
    return None if until is None else half + words + ("到" + until if until else "")


def _seconds_left(match: Match) -> str:
    """倒计时05:00 -> 五分钟."""
    minutes, seconds = int(match["h"]), int(match["m"])
    if not seconds:
        return f"{_counted(str(minutes))}分钟"
    return (f"{cardinal(str(minutes))}分" if minutes else "") + f"{cardinal(str(seconds))}秒"


def _half_day(match: Match) -> str | None:
    """3pm -> 下午三点."""
    if not 1 <= int(match["h"]) <= 12:
        return None
    hour = "两" if int(match["h"]) == 2 else cardinal(str(int(match["h"])))
    until = "到" if not match[0][0].isdecimal() and before(match)[-1:].isalpha() else ""
    return until + _half(match) + hour + "点"


def _half(match: Match) -> str:
    mark = match["half"] or match.groupdict().get("front") or ""
    return {"a": "上午", "p": "下午"}.get(mark.lstrip()[:1].lower(), "")


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
    if _SCORE_BEFORE.search(before(match)) or follows(match, _SCORE_AFTER):
        return f"{cardinal(match['a'])}比{cardinal(match['b'])}"
    return None


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


def _ten_thousand(match: Match) -> str | None:
    """2W as chats write 万; 60W are watts where nothing speaks of money or of a crowd."""
    is_watt = match[0].endswith("W") and not (
        _EARNED_BEFORE.search(before(match)) or follows(match, _EARNED_AFTER)
    )
    return None if is_watt else _counted(match["a"]) + "万"


def _pressure(match: Match) -> str | None:
    """Blood pressure, 120/80mmHg."""
    if not match["unit"] and not _PRESSURE_BEFORE.search(before(match)):
        return None
    return f"{cardinal(match['a'])}，{cardinal(match['b'])}{UNITS['mmHg'] if match['unit'] else ''}"


def _rate(match: Match) -> str | None:
    """6L/100km -> 六升每百公里; 120km/h has a word order of its own."""
    unit, per, count = match["unit"], match["per"], match["count"]
    if f"{unit}/{count}{per}" in RATES or not (unit in UNITS and per in UNITS):
        return None
    counted = cardinal(count).removeprefix("一") if count else ""
    return f"{_counted(match['a'])}{UNITS[unit]}每{counted}{UNITS[per]}"


def _counted(value: str) -> str:
    return "两" if value == "2" else number(value)


def _fraction(match: Match) -> str | None:
    top, bottom = match["top"], match["bottom"]
    if bottom == "0" or len(top + bottom) > 8:
        return None
    day = "" if match["whole"] else _day(match, int(top), int(bottom))
    if day:
        return day
    if (top, bottom) == ("24", "7"):
        return "二十四小时"
    whole = cardinal(match["whole"]) + "又" if match["whole"] else ""
    return f"{whole}{cardinal(bottom)}分之{cardinal(top)}"


def _day(match: Match, month: int, day: int) -> str:
    """12/15 and 5/1 as days, where they can be none but days or the words beside say so."""
    if not (1 <= month <= 12 and 1 <= day <= 31):
        return ""
    if follows(match, _HOLIDAY):
        return cardinal(str(month)) + cardinal(str(day))  # 五一, 十一
    is_day = day == 1 or 10 <= month <= 12 < day or follows(match, _DAY_AFTER)
    is_day = is_day or _DAY_UNTIL.search(before(match)) is not None
    is_part = follows(match, _PART_AFTER)
    if not is_day and (is_part or not _DAY_BEFORE.search(before(match))):
        return ""
    return f"{cardinal(str(month))}月{cardinal(str(day))}日"


def _festival(match: Match) -> str:
    """5.1劳动节 -> 五一, 10.1国庆节 -> 十一."""
    return "".join(cardinal(part) for part in match[0].split("."))


def _vulgar_fraction(match: Match) -> str:
    parts = {"½": "二分之一", "⅓": "三分之一", "⅔": "三分之二", "¼": "四分之一", "¾": "四分之三"}
    return (cardinal(match["whole"]) + "又" if match["whole"] else "") + parts[match["part"]]


def _points(match: Match) -> str:
    return "点".join(digits(part) if len(part) > 2 else cardinal(part) for part in match[0].split("."))


def _integer(match: Match) -> str:
    value = match[0]
    if (
        value == "2"
        and not match.string.endswith("第", 0, match.start())
        and (follows(match, MEASURE) or follows(match, _RANGE_OF_MEASURE))
    ):
        return "两"
    return chat_number(match) or known_string(match) or cardinal(value)


def _loss(match: Match) -> str | None:
    """The sign of a value in a game: HP-20, 生命-20."""
    return "减" if _VALUE_BEFORE.search(before(match)) else None


def _signed(match: Match) -> str | None:
    if match["sign"] == "+":
        return "加"
    return "负" if _MINUS_BEFORE.search(before(match)) else ""


_RANGE_OF_MEASURE = re.compile(
    rf"{_TO}\d+\s?(?:个|位|名|人|次|天|年|小时|分钟|秒|米|公里|公斤|块|元|岁|倍|种|遍)"
)


def _between(match: Match) -> str:
    """The sign between two numbers: to, or minus in a sum; 3-1 without more is a score."""
    behind = match.string[match.end() : match.end() + 12]
    if re.match(r"\d+\s?(?:=|等于|就?是)", behind):
        return "减"
    first, second = (
        re.search(r"\d+$", match.string[: match.start()]),
        re.match(r"\d+(?![\d月点时号日])", behind),
    )
    return "比" if first and second and int(first[0]) >= int(second[0]) else "到"


RULES: tuple[Rule, ...] = (
    *CODE_RULES,
    *compiled(
        # Dates and times
        (r"(?P<year>[12]\d{3})(?P<s>[-/.])(?P<month>\d{1,2})(?P=s)(?P<day>\d{1,2})(?!\d)", _date),
        (
            r"(?P<year>(?:19|20)\d\d)[/-](?P<month>\d{1,2})(?P<day>)(?![\d/])(?=[，。、；\s）)]|$)",
            _date,
        ),
        (
            rf"(?P<year>[12]\d{{3}})(?:年?{_TO}(?P<until>[12]\d{{3}}))?(?=\s?(?:年(?!代)|届|赛季|款|版|财年|奥运|世界杯|春晚))",
            _year,
        ),
        (
            r"(?P<year>1[0-9]\d\d|20\d\d)[-–—~～](?P<until>1[0-9]\d\d|20\d\d)(?![\d-]|\s?(?:[个位名人块元米]|公里|平))",
            _years,
        ),
        (rf"(?<={ERA})(?P<n>\d{{1,3}})(?=年)", lambda m: cardinal(m["n"])),
        (r"(?P<year>\d{2})(?=年(?!代|级|内))", _short_year),
        (r"(?P<decade>(?:1[89]|20)\d0)(?P<s>'?s)(?P<after>)(?![A-Za-z])", _decade),
        (r"(?P<decade>\d{2}|\d{4})(?P<s>)(?:(?=年代)|(?=(?P<after>后)))", _decade),
        (
            rf"(?P<front>[AaPp][Mm]\s?)?(?P<h>\d{{1,2}})[:：](?P<m>[0-5]\d)(?:[:：](?P<s>[0-5]\d))?(?P<half>\s?[ap]\.?m\.?(?![A-Za-z]))?"
            rf"(?:{_TO}(?P<h2>\d{{1,2}})[:：](?P<m2>[0-5]\d))?(?![\d:：])",
            _time,
        ),
        (rf"(?:{_TO})?(?P<h>\d{{1,2}})(?P<half>\s?[ap]\.?m\.?)(?![A-Za-z])", _half_day),
        (
            r"(?P<m>\d{1,3})['′’](?P<s>[0-5]\d)[\"″”]",
            lambda m: f"{cardinal(m['m'])}分{cardinal(str(int(m['s'])))}秒",
        ),
        # Scores and ratios
        (r"\d+\s?[:：]\s?\d+(?:\s?[:：]\s?\d+)*(?!\d)", _ratio),
        (r"(?P<a>\d{1,3})\s?[-–—]\s?(?P<b>\d{1,3})(?![\d-])", _score),
        # Money, per cent, units
        (
            rf"(?P<minus>-)?(?P<currency>{CURRENCY})\s?(?P<a>{_N})(?:{_TO}(?:{CURRENCY})?(?P<b>{_N}))?(?P<big>[百千万亿]{{1,2}})?"
            rf"(?:元|美元|\s?(?:{CURRENCY_CODE})(?![A-Za-z]))?",
            _money,
        ),
        (
            rf"(?P<minus>-)?(?P<a>{_N})(?P<b>)(?P<big>)\s?(?P<currency>{CURRENCY_CODE})(?![A-Za-z])",
            _money,
        ),
        (rf"(?P<a>{_N})(?=(?:元|美元|欧元|英镑|港元|日元|块)(?!/))(?<=\d)", _money_behind),
        (
            rf"(?P<minus>(?<![\d%])[-−+])?(?P<a>{_N})(?:[%‰]?{_TO}(?P<b>{_N}))?(?P<sign>[%‰])",
            _percent,
        ),
        (rf"(?P<a>{_N})\s?[wW](?![A-Za-z\d])", _ten_thousand),
        (r"(?P<a>\d{2,3})/(?P<b>\d{2,3})(?:\s?(?P<unit>mmHg)(?![A-Za-z]))?(?![\d/])", _pressure),
        (rf"(?P<a>{_N})\s?(?P<unit>{UNIT})/(?P<count>\d*)\s?(?P<per>{UNIT})(?![A-Za-z\d])", _rate),
        (
            rf"(?P<minus>(?<![\dA-Za-z])[-−])?(?P<a>{_N})(?:\s?(?P<unit1>{UNIT})?{_TO}(?P<minus2>-)?(?P<b>{_N}))?\s?(?P<unit>{UNIT})"
            r"(?![A-Za-z\d])",
            _quantity,
        ),
        # Fractions, versions, powers, model numbers
        (r"(?P<whole>\d+)?(?P<part>[½⅓⅔¼¾])", _vulgar_fraction),
        (r"(?P<top>\d)/(?P<bottom>[248]|16)(?=拍)", lambda m: cardinal(m["bottom"]) + cardinal(m["top"])),
        (
            rf"(?<=第)(?P<n>\d+)\s?/\s?(?P<all>\d+)\s?(?P<part>{_PART_OF_WHOLE})",
            lambda m: f"{cardinal(m['n'])}{m['part']}，共{cardinal(m['all'])}{m['part']}",
        ),
        (r"(?:(?P<whole>\d+) )?(?P<top>\d+)[/⁄](?P<bottom>\d+)(?![\d/])", _fraction),
        (r"\d+(?:\.\d+){2,}", _points),
    ),
    *POWER_RULES,
    *MINUS_RULES,
    *compiled(
        (r"\d{1,2}·\d{1,2}(?!\d)", lambda m: digits(m[0])),
        (r"\d{1,2}\.(?:1|[1-3]\d|[2-9])(?=(?:国际)?(?:劳动|国庆|儿童|建军|青年|妇女|植树)节)", _festival),
        (r"(?<=\d)\s?[*×xX]\s?(?=\d)", lambda m: "乘"),
        (r"(?<=\d)\s?·\s?(?=10\^)", lambda m: "乘"),
        (r"[-−](?=\d)", _loss),
    ),
    *MODEL_RULES,
    *compiled(
        (r"(?<=[一-龥])(?P<roman>[IVX]{2,})(?![A-Za-z])", roman),
        (r"(?:N[oO]\.?|№|#)\s?(?P<n>\d+)(?:号)?", lambda m: cardinal(m["n"]) + "号"),
        (r"(?P<n>\d+)(?:st|nd|rd|th)(?![A-Za-z])", lambda m: "第" + cardinal(m["n"])),
        # Plain numbers and signs
        (r"\d{1,3}(?:[, ]\d{3})+(?!\d)(?:\.\d+)?|\d+\.\d+", lambda m: number(m[0].replace(" ", ""))),
        (r"\d+", _integer),
        (r"(?<!\d)\.\d+", lambda m: number(m[0])),
        (
            r"(?<=[\d%℃°日号月年时分秒个天元点岁米克斤升次楼h百千万亿倍页])\s?[-~～–−—]\s?(?=[¥$]?\d)",
            _between,
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
        (r"[~～]", lambda m: "…" if not follows(m, re.compile(r"[。！？!?,，…~～]")) else ""),
        (f"[{''.join(map(re.escape, GREEK))}]", lambda m: GREEK[m[0]]),
        (r"[@±√∞℃№%∑∫∏]", lambda m: SIGNS[m[0]]),
    ),
    *SIGN_RULES,
)
