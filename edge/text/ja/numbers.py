"""Rules for numbers and signs in Japanese text: each gives what Open JTalk is to read instead.

Open JTalk reads plain numbers with counters, dates and decimals right (3人, 300匹, 1月1日); these rules turn
everything else into such text. They expect half-width digits and letters, as the front end's cleaning gives.
"""

from __future__ import annotations

import re
from collections.abc import Callable

Match = re.Match[str]
Rule = tuple[re.Pattern[str], Callable[[Match], str | None]]  # None: leave the text as it is

POINT = "．"  # Open JTalk reads it as テン; a half-width one would end the sentence

_GROUPED = r"\d{1,3}(?:,\d{3})+(?!\d)"
_NUMBER = rf"(?:{_GROUPED}|\d+)(?:[.．]\d+)?"
_KANJI_DIGITS = str.maketrans("0123456789", "〇一二三四五六七八九")
_CURRENCIES = {"¥": "円", "$": "ドル", "€": "ユーロ", "£": "ポンド", "₩": "ウォン"}
_CODES = {
    "USD": "ドル", "EUR": "ユーロ", "GBP": "ポンド", "JPY": "円", "CNY": "人民元", "RMB": "人民元",
    "KRW": "ウォン", "AUD": "豪ドル", "CAD": "カナダドル", "HKD": "香港ドル",
    "TWD": "台湾ドル", "CHF": "スイスフラン", "THB": "バーツ",
}  # fmt: skip
_WEEKDAYS = dict(zip("月火水木金土日", "ゲツ カ スイ モク キン ド ニチ".split(), strict=True))
_CODE = "|".join(_CODES)
_COMPARED = {
    ">": "大なり", "<": "小なり", "≥": "大なりイコール", "≧": "大なりイコール", "≤": "小なりイコール",
    "≦": "小なりイコール", "≠": "ノットイコール", "≈": "ニアリーイコール", "≒": "ニアリーイコール",
}  # fmt: skip
_FRACTIONS = {"½": "2分の1", "⅓": "3分の1", "⅔": "3分の2", "¼": "4分の1", "¾": "4分の3"}
_UNITS = {
    "km²": "平方キロメートル", "m²": "平方メートル", "cm²": "平方センチメートル", "m³": "立方メートル",
    "km/h": "キロメートル毎時", "m/s": "メートル毎秒", "kWh": "キロワット時", "km": "キロメートル",
    "cm": "センチメートル", "mm": "ミリメートル", "m": "メートル", "kg": "キログラム", "mg": "ミリグラム",
    "g": "グラム", "ml": "ミリリットル", "mL": "ミリリットル", "L": "リットル", "kHz": "キロヘルツ",
    "MHz": "メガヘルツ", "GHz": "ギガヘルツ", "Hz": "ヘルツ", "KB": "キロバイト", "MB": "メガバイト",
    "GB": "ギガバイト", "TB": "テラバイト", "kW": "キロワット", "W": "ワット", "V": "ボルト",
    "dB": "デシベル", "ms": "ミリ秒", "fps": "エフピーエス", "°C": "度", "℃": "度", "°": "度",
}  # fmt: skip
_UNIT = "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))
_RESULT = (
    "(?!\\d)(?:[でにとの](?:[^、。！？]{0,4})(?:勝|負|敗|引き?分|リード|逆転|快|圧|辛|惜|大勝|先制|完封|"
    "追いつ|破|下し|制し|試合|スコア)"
    "|から逆転|で終)"
)
MEASURED = re.compile(rf"\d\s?(?:{_UNIT})$")  # text that ends in a number with its unit
_COUNTER = "[人名個本枚回日月年時分秒歳才円度%倍階週台冊匹番点歩話章]|か月|ヶ月|キロ|メートル|センチ|ページ"


def _date(match: Match) -> str | None:
    year, month, day = int(match["year"]), int(match["month"]), int(match["day"])
    return f"{year}年{month}月{day}日" if 1 <= month <= 12 and 1 <= day <= 31 else None


_ERAS = {"M": ("明治", 45), "T": ("大正", 15), "S": ("昭和", 64), "H": ("平成", 31), "R": ("令和", 99)}


def _era_date(match: Match) -> str | None:
    """R5.4.1 -> 令和5年4月1日, S63年 -> 昭和63年."""
    name, last = _ERAS[match["era"]]
    year, month, day = match["year"], int(match["month"] or 1), int(match["day"] or 1)
    if (year != "元" and not 1 <= int(year) <= last) or not (1 <= month <= 12 and 1 <= day <= 31):
        return None
    year = "元" if year in ("1", "01") else str(int(year)) if year != "元" else year
    return f"{name}{year}年" + (f"{month}月{day}日" if match["day"] else "")


def _left(match: Match) -> str | None:
    """残り00:30 -> 30秒."""
    minutes, seconds = int(match["m"]), int(match["s"])
    if seconds > 59:
        return None
    return (f"{minutes}分" if minutes else "") + (f"{seconds}秒" if seconds or not minutes else "")


def _month_day(match: Match) -> str | None:
    month, day = int(match[1]), int(match[2])
    return f"{month}月{day}日" if 1 <= month <= 12 and 1 <= day <= 31 else None


def _day_or_part(match: Match) -> str | None:
    """12/15 is a day where it can be one, unless what follows speaks of a share."""
    top, bottom = int(match[1]), int(match[2])
    is_day = 1 <= top <= 12 and 1 <= bottom <= 31
    is_part = top < bottom and bottom in _PARTS
    behind = match.string[match.end() :]
    if is_day and (_DAY_AFTER.match(behind) or not (is_part or _SHARE_AFTER.match(behind))):
        return f"{top}月{bottom}日"
    return f"{bottom}分の{top}"


_PARTS = frozenset((2, 3, 4, 5, 6, 8, 10))
_DAY_AFTER = re.compile(
    r"\s?(?:から|まで|以降|以前|以後|頃|ごろ|付|締|現在|時点|発売|開催|公開|配信|発表|開始|終了|当日|"
    r"[~〜～-]\s?\d{1,2}/|"
    r"に(?!な|減|縮|分|切|下|落|し|ま[で]?と)|[（(][月火水木金土日])"
)
_SHARE_AFTER = re.compile(
    r"\s?(?:の確率|の[量人]|以上|以下|程度|ほど|ぐらい|くらい|サイズ|を占|しか|も|倍|カップ|"
    r"が[反賛同]|に[な減縮分])"
)


def _half_day(match: Match) -> str | None:
    """10:30am, PM 3."""
    hours, minutes = int(match["h"]), int(match["m"] or 0)
    if hours > 12 or minutes > 59:
        return None
    half = "午前" if (match["half"] or match["front"]).strip().lower().startswith("a") else "午後"
    return half + f"{hours or '零'}時" + (f"{minutes}分" if minutes else "")


def _code_money(match: Match) -> str:
    return _plain(match["amount"]) + _CODES[match["code"]]


def _book_number(match: Match) -> str:
    """ISBN, figure by figure."""
    return "の".join(one_by_one(part) for part in match[0].split("-"))


def _power(match: Match) -> str:
    """x^2 -> の2乗."""
    exponent = match["exponent"] or {"²": "2", "³": "3"}[match[0]]
    return f"の{'マイナス' if match['minus'] else ''}{exponent}乗"


def _scientific(match: Match) -> str | None:
    """1.5e-3 -> 1．5かける10のマイナス3乗."""
    if "." not in match["n"] and not match["sign"]:
        return None
    minus = "マイナス" if match["sign"] in ("-", "−") else ""
    return f"{_plain(match['n'])}かける10の{minus}{match['x']}乗"


def _time(match: Match) -> str | None:
    hours, minutes, seconds = (int(part or 0) for part in match.group(1, 2, 3))
    if hours > 29 or minutes > 59 or seconds > 59:  # schedules count past midnight: 25:30
        return None
    text = f"{hours or '零'}時" + (f"{minutes}分" if minutes or match[3] else "")
    return text + (f"{seconds}秒" if match[3] else "")


def _money(match: Match) -> str:
    currency = _CURRENCIES[match["sign"]]
    whole, _, cents = match["amount"].partition(".")
    if currency == "ドル" and len(cents) == 2:
        return _plain(whole) + currency + (f"{int(cents)}セント" if int(cents) else "")
    return _plain(match["amount"]) + match["places"] + currency


def _telephone(match: Match) -> str:
    return "、".join(one_by_one(group) for group in re.findall(r"\d+", match[0]))


def _postal_code(match: Match) -> str:
    return f"{one_by_one(match[1])}の{one_by_one(match[2])}"


def _version(match: Match) -> str:
    return "テン".join(match[0].split("."))


def _plain(number: str) -> str:
    return number.replace(",", "").replace(".", POINT)


_CODE_NAMES = "番号|コード|パスワード|暗証|ID|口座|型番|合言葉"
CODE_BEFORE = re.compile(rf"(?:{_CODE_NAMES})(?:は|が|を|:|：)?\s?[「『“]?[A-Za-z]{{1,12}}[-_]?$")


def one_by_one(digits: str) -> str:
    """Open JTalk reads a row of kanji digits singly, with the long ニー and ゴー of telephone numbers."""
    return digits.translate(_KANJI_DIGITS)


def _says(pattern: str, text: str) -> Rule:
    return re.compile(pattern), lambda match: text


def _asks(pattern: str, answer: Callable[[Match], str | None]) -> Rule:
    return re.compile(pattern), answer


# In order of preference: a later rule does not touch what an earlier one has taken.
NUMBER_RULES: tuple[Rule, ...] = (
    _asks(
        r"(?<![A-Za-z])(?P<era>[MTSHR])\.?(?P<year>\d{1,2}|元)"
        r"(?:年|[./](?P<month>\d{1,2})[./](?P<day>\d{1,2})(?!\d))",
        _era_date,
    ),
    _asks(
        r"(?:残り(?:時間)?|あと|タイマー)(?:は|[:：])?\s?(?P<word>(?P<m>\d{1,2})[:：](?P<s>\d{2}))(?![\d:：])",
        _left,
    ),
    _asks(r"(?<![\d/.-])(?P<year>\d{4})([/.-])(?P<month>\d{1,2})\2(?P<day>\d{1,2})(?![\d/.-])", _date),
    _asks(r"(?<![\d/.-])(\d{1,2})[/.-](\d{1,2})(?=[(（][月火水木金土日][)）])", _month_day),
    _asks(r"(?<=[\d日])[(（]([月火水木金土日])[)）]", lambda match: f"{match[1]}曜日"),
    _asks(r"(?<![\d-])0\d{1,4}-\d{1,4}-\d{3,4}(?![\d-])|(?<!\d)0\d{1,3}\(\d{2,4}\)\d{4}(?!\d)", _telephone),
    _asks(r"\+81[-\s]?\(?0?\)?\d{1,4}-\d{1,4}-\d{3,4}(?![\d-])|(?<![\d.,])0\d{9,10}(?![\d.,])", _telephone),
    _asks(
        rf"(?:{_CODE_NAMES})(?:は|が|を|:|：)?\s?(?P<word>\d{{3,}})(?![\d.,人個円年月日回])",
        lambda match: one_by_one(match["word"]),
    ),
    _asks(r"(?<![\d-])97[89](?:-\d{1,7}){3}-\d(?![\d-])", _book_number),
    _asks(r"(?<!\d)\d{4,5}(?=号室)", lambda match: one_by_one(match[0])),
    _asks(r"〒?(?<![\d-])(\d{3})-(\d{4})(?![\d-])", _postal_code),
    _asks(
        r"(?<![\d:：A-Za-z])(?P<front>[AaPp]\.?[Mm]\.?\s?)(?P<h>\d{1,2})(?:[:：](?P<m>\d{2}))?(?P<half>)(?![\d:：])",
        _half_day,
    ),
    _asks(
        r"(?<![\d:：])(?P<front>)(?P<h>\d{1,2})(?:[:：](?P<m>\d{2}))?(?P<half>\s?[AaPp]\.?[Mm]\.?)(?![A-Za-z])",
        _half_day,
    ),
    _says(r"(?<=[:：]\d{2})\s?[-–—~〜～]\s?(?=(?:[AaPp][Mm]\s?)?\d{1,2}[:：]\d{2})", "から"),
    _asks(r"(?<![\d:：])(\d{1,2})[:：](\d{2})(?:[:：](\d{2}))?(?![\d:：])", _time),
    _asks(
        rf"(?P<sign>[¥$€£₩])\s?(?P<amount>{_NUMBER})(?P<places>[万億兆]?)(?:円|\s?(?:{_CODE})(?![A-Za-z]))?",
        _money,
    ),
    _asks(rf"(?<![A-Za-z])(?P<code>{_CODE})\s?(?P<amount>{_NUMBER})(?![A-Za-z])", _code_money),
    _asks(rf"(?P<amount>{_NUMBER})\s?(?P<code>{_CODE})(?![A-Za-z])", _code_money),
    _asks(r"(?<![\d.])\d+(?:\.\d+){2,}(?![\d.])", _version),
    _asks(r"(?<![\d/])(\d+)[/⁄](\d+)(?![\d/])", _day_or_part),
    _asks("[½⅓⅔¼¾]", lambda match: _FRACTIONS[match[0]]),
    _asks(r"時速\s?(?P<word>\d+(?:\.\d+)?\s?km/h)", lambda match: match["word"].partition("k")[0] + "キロ"),
    _asks(
        r"(?<![一-龥])([月火水木金土日])[~〜～-](?=[月火水木金土日](?!曜|(?!休|営|祝)[一-龥]))",
        lambda match: _WEEKDAYS[match[1]] + "から",
    ),
    _asks(r"(?<=[~〜～-])[月火水木金土日](?!曜|(?!休|営|祝)[一-龥])", lambda match: _WEEKDAYS[match[0]]),
    _says(r"(?<=\d[℃度])\s?[~〜～](?=\s?[-−]?\d)", "から"),
    _says(r"(?<=\d)[:：](?=\d)", "対"),
    _says(r"(?<=[\d%㐀-鿿ルロチ])[~〜～](?=\d)", "から"),
    _says(rf"(?<![-\d])\d+(?P<word>[-–])(?=\d+\s?(?:{_COUNTER}))", "から"),
    _says(rf"(?<![-\d])\d+(?P<word>[-–])(?=\d+{_RESULT})", "対"),
    _says(r"(?:スコア|得点|結果|点差|試合)(?:は|が|:|：)?\s?\d+(?P<word>[-–])(?=\d)", "対"),
    _says(r"(?<=[A-Za-z%℃円])\s?[-–](?=\d+(?:\.\d+)?\s?[A-Za-z%℃円])", "から"),
    _asks(r"\^(?P<minus>[-−])?(?P<exponent>\d+)|(?:^|(?<=[A-Za-z)）]))[²³](?![A-Za-z])", _power),
    _asks(r"(?P<n>\d+(?:\.\d+)?)[eE](?P<sign>[-−+])?(?P<x>\d{1,3})(?![A-Za-z\d])", _scientific),
    _says(r"(?<=\d)\s?-(?=\s?\d+\s?(?:=|は))|(?<=[\dA-Za-z)] )[-−](?= [\dA-Za-z(])", "引く"),
    _says(r"(?<=\d)-(?=\d)", "の"),
    _says("50音", "ゴジューオン"),
    _says(r"(?<=第[\d一二三四五六七八九十])場(?![所面合内外])", "バ"),
    _says(r"(?<![A-Za-z])(?:L[Vv]|lv)\.?\s?(?=\d)", "レベル"),
    _says(r"(?<![\dA-Za-z])[-−－](?=[\d¥$€£])", "マイナス"),
    _says(r"±(?=[\dA-Za-z(√])", "プラスマイナス"),
    _says(r"√(?=[\dA-Za-z(])", "ルート"),
    _says("∑", "シグマ"),
    _says("∫", "インテグラル"),
    _says(r"(?<=[\w)²³])\s?−\s?(?=[A-Za-z(√])", "引く"),
    _says(r"−(?=[A-Za-z(√])", "マイナス"),
    _says(r"(?<=\d)\s?[×x*](?=\s?\d)", "かける"),
    _says(r"(?<=\d)\s?÷(?=\s?\d)", "わる"),
    _says(r"(?<=\d)\s?−(?=\s?\d)", "引く"),
    _says(r"(?<=[\d²³])\s?\+(?=\s?[\dA-Za-z])|(?:(?<=\^\d)|(?<=[²³]))\s?\+", "足す"),
    _says(r"\+(?=\d)", "プラス"),
    _says(r"(?<=\d)\s?=(?=\s?[-−\d])", "は"),
    _says(r"(?:^|(?<=[\w)）]))\s?=(?=\s?(?:[\w(（-]|$))", "イコール"),
    _asks(r"(?:^|(?<=[\w%％)）]))\s?([><≥≤≧≦≠≈≒])(?=\s?[\w(（-])", lambda match: _COMPARED[match[1]]),
    _asks(rf"(?<=\d)\s?({_UNIT})(?![A-Za-z])", lambda match: _UNITS[match[1]]),
    _says(r"№(?=\d)|(?<![A-Za-z])N[oO]\.?\s?(?=\d)", "ナンバー"),
    _says(r"(?<!\d)20[歳才](?!代)", "二十歳"),
    _says(r"(?<![\d.])0時(?!間)", "レージ"),
    _says(r"(?<![\d.])0(?=時間)", "レー"),
    _says(r"(?<=時)00分", ""),
    _says(r"(?<!\d)0(?=\d(?:[月日時分秒]|か月))", ""),
    _says(r"(?<!\d)1セット", "ワンセット"),
    _says(r"(?<!\d)1試合", "ひと試合"),
    _says(r"(?<=\d)着目", "着め"),
    _says(
        r"(?<![\d月])[1一]日(?=に(?![\d一二三四五六七八九十何数])|まで|付|現在|から(?![\d一二三四五六七八九十]))",
        "ついたち",
    ),
    _asks(_NUMBER, lambda match: _plain(match[0])),
)
