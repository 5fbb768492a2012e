"""Numbers that name something in Chinese: telephones, codes, rooms, number plates, models, events."""

from __future__ import annotations

import re

from .context import Match, before, compiled, follows
from .numbers import cardinal, digits
from .units import MEASURE

_PHONE_BEFORE = re.compile(r"(?:拨打|致电|电话|热线|呼叫|报警|火警|匪警|急救|打|拨|客服)[^\d，。]{0,4}$")
_PHONE_AFTER = re.compile(r"\s?(?:急救|报警|热线|客服|电话|火警)")
_CODE_BEFORE = re.compile(
    r"(?:号码|(?:账|帐|卡|编|订单|房间|门牌|航班|工|学|身份证|单|尾|代|型|番|批|警|床|桌|座位|序列|手机|档案|囚|证件)号|"
    r"(?<![起尺筹砝数])码|车次|订单|邮编|身份证|车牌|口令|暗号|频道|座机|Q群|QQ群|群号|分机|\d\s?转|传真|手机|微信|QQ|ID)"
    r"(?:号?(?:[前后末][一两二三四五六七八]位(?:数字?)?)?(?:是|为|叫)|号)?[:：]?\s?[“「『【《\[（(\"']?$"
    r"|(?:回复|输入|发送|扣|按下?)[:：]?\s?[“「『【\[（(\"']$"
)
_ROOM_BEFORE = re.compile(
    r"(?:病房|房间|教室|包厢|包间|寝室|宿舍|会议室|办公室|客房|牢房|囚室|机舱|手术室|展厅|单元|[A-Za-z一二三四五六七八九十\d东西南北][座栋幢]|\d号?楼|[一二三四五六七八九十]号?楼)"
    r"(?:是|为|在|号)?\s?$"
)
_JOURNEY = re.compile(r"\s?(?:次|航班|号?列车|班机)")
_PROVINCES = "京津沪渝冀豫云辽黑湘皖鲁新苏浙赣鄂桂甘晋蒙陕吉闽贵粤青藏川宁琼港澳"
_PLATE_BEFORE = re.compile(rf"[{_PROVINCES}][A-Z]\s?[·•.]?\s?[A-Z\d]{{0,5}}$")
# Said digit by digit wherever nothing is counted.
_KNOWN_STRINGS = {
    "996": "九九六",
    "985": "九八五",
    "211": "二幺幺",
    "618": "六幺八",
    "007": "零零七",
    "520": "五二零",
}
_CHAT_NUMBER = re.compile(r"6{3,}|23{2,}|8{2}6?|9494|1551|7456|0748|1314(?:520)?|520(?:1314)?|748|555+")
_ALONE = re.compile(r"(?:$|[，。！？、,!?…~～\s了啊呀吧哈哇])")
_AFTER_MARK = re.compile(r"(?:^|[，。！？、,!?…；;：:\s“「])$")
_HAN = re.compile("[一-龥]")
_APART = " "  # 一 that ends a name leans on nothing: T1航站楼
_HOTLINES = frozenset(("10086", "10010", "12306", "12315", "95588"))  # never a quantity
# What is named by three or four digits and never counted without a measure word.
_NAMED = (
    "部队|事变|事件|惨案|晚会|大?地震|空难|海难|政变|恐袭|起义|专案|大案|国道|省道|县道|高速|高地|基地|浏览器|"
    "杀毒|安全卫士|工程|错误|报错|大厦|大楼|页面|界面|号段|公交|型|系列|特工|特攻|小队|车厢"
)


def _telephone(match: Match) -> str:
    return digits(match[0].removeprefix("+86"), one="幺")


def _book_number(match: Match) -> str:
    """ISBN, with a short pause between its parts."""
    return "，".join(digits(part, one="幺") for part in match[0].split("-"))


def _hotline(match: Match) -> str | None:
    is_called = _PHONE_BEFORE.search(before(match)) or follows(match, _PHONE_AFTER)
    if follows(match, MEASURE) or not (is_called or match[0] in _HOTLINES):
        return None
    return digits(match[0], one="幺")


def _code(match: Match) -> str | None:
    return digits(match[0], one="幺") if _CODE_BEFORE.search(before(match)) else None


def _plate(match: Match) -> str | None:
    """Digits of 沪A·12X88; the letters are a run of their own."""
    return digits(match[0], one="幺") if _PLATE_BEFORE.search(before(match)) else None


def _room(match: Match) -> str:
    return digits(match[0], one="幺")


def _room_behind(match: Match) -> str | None:
    """病房507; not 教室300人."""
    if not _ROOM_BEFORE.search(before(match)) or follows(match, MEASURE):
        return None
    return digits(match[0], one="幺")


def _room_of_building(match: Match) -> str:
    """6-302房间 -> 六杠三零二."""
    building, *rooms = match[0].split("-")
    return "杠".join([cardinal(building), *(digits(room, one="幺") for room in rooms)])


def _model(match: Match) -> str:
    """Digits behind letters or a maker's name: A4, F-16, MH370, 波音747."""
    value = match["number"]
    one = "幺" if follows(match, _JOURNEY) else "一"
    words = digits(value, one) if len(value) > 2 else cardinal(value)
    return words + _APART if words.endswith("一") and follows(match, _HAN) else words


def _variant(match: Match) -> str:
    """737-800 -> 七三七杠八百."""
    variant = match["variant"]
    return f"{digits(match['number'])}杠{cardinal(variant) if variant.endswith('00') else digits(variant)}"


def _lettered(match: Match) -> str | None:
    """705A; round numbers are amounts: 100A."""
    is_picture = match.string[match.end()] in "Pp"
    return digits(match[0]) if is_picture or not match[0].endswith("00") else None


def known_string(match: Match) -> str:
    """How everybody says a number that names something, or nothing: 996, 211."""
    return "" if follows(match, MEASURE) else _KNOWN_STRINGS.get(match[0], "")


def chat_number(match: Match) -> str:
    """Digits of a number that is a word in chats, where it stands alone: 666, 23333."""
    is_alone = _AFTER_MARK.search(before(match)) and follows(match, _ALONE)
    return digits(match[0]) if is_alone and _CHAT_NUMBER.fullmatch(match[0]) else ""


_ROOMS = (
    "室|房(?![价产东租子款贷源屋客顶门型])|房间|号房|病房|教室|包厢|包间|路公交|路车|次列车|次航班|航班|医院|高地|"
    "寝室|宿舍"
)
CODE_RULES = compiled(
    (r"(?:\+86[\s-]?)?1[3-9]\d[\s-]?\d{4}[\s-]?\d{4}(?!\d)", _telephone),
    (r"0\d{2,3}[-\s]\d{3,4}[-\s]\d{4}(?!\d)|0\d{2,3}(?:-|[)）]\s?)\d{3,4}[\s-]?\d{4}(?!\d)", _telephone),
    (r"[48]00[-\s]?\d{3}[-\s]?\d{4}(?!\d)", _telephone),
    (r"97[89](?:-\d{1,7}){3}-\d(?!\d)|97[89]\d{10}(?!\d)", _book_number),
    (
        r"\d{1,3}(?:\.\d{1,3}){3}(?![\d.])",
        lambda match: "点".join(digits(part, one="幺") for part in match[0].split(".")),
    ),
    (r"\d{3,12}(?![\d.,:：])", _hotline),
    (r"\d{3,30}(?![\d.])", _code),
    (r"\d{1,5}(?!\d)", _plate),
    (rf"\d{{1,3}}(?:-\d{{1,2}})?-\d{{3,4}}(?=号?(?:{_ROOMS}|户))", _room_of_building),
    (r"\d{3,4}(?![\d.])", _room_behind),
    (r"(?P<number>7[0-9]7|3[0-9]{2})-(?P<variant>\d{2,4})(?![\d-])(?!\s?[个万元年])", _variant),
)
MODEL_RULES = compiled(
    (
        r"[-\s]?(?P<number>(?<=[A-Za-z])(?<!\d[xX])\d+|(?<=[A-Za-z][-\s])\d{1,3}(?!\d))(?!\.\d|,\d{3}|\s?[个块元万亿年月日])",
        _model,
    ),
    (r"(?:(?<=波音)|(?<=空客)|(?<=道奇)|(?<=保时捷)|(?<=标致))(?P<number>\d+)", _model),
    (rf"\d{{3,4}}(?=\s?(?:{_ROOMS}))", _room),
    (rf"(?!\d*00(?!\d))\d{{3,4}}(?=\s?(?:{_NAMED}))", lambda match: digits(match[0])),
    (r"\d{3,}(?=(?:[A-FHIOPQRSUXYZp]|Ti|XT|GT)(?![A-Za-z]))", _lettered),
    (
        r"\d+(?:-\d+){2,}(?!\d)",
        lambda match: "，".join(digits(part, one="幺") for part in match[0].split("-")),
    ),
)
