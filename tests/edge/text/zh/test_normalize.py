from __future__ import annotations

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.text.cleaning import clean
from edge.text.zh.normalize import normalize
from edge.text.zh.numbers import MAX_CARDINAL, amount, cardinal, digits, number


def written(text: str, before: str = "") -> str:
    return "".join(span.text for span in normalize(clean(text).text, before))


CASES = """\
2026年11月22日 = 二零二六年十一月二十二日
2026/11/22 = 二零二六年十一月二十二日
2012-05-06 = 二零一二年五月六日
1998-2002年 = 一九九八到二零零二年
3000年前 = 三千年前
20年 = 二十年
98年 = 九八年
1990s = 一九九零年代
80年代 = 八十年代
90后 = 九零后
5月1日-5月3日 = 五月一日到五月三日
10:30 = 十点三十分
2:00 = 两点
8:05:09 = 八点零五分零九秒
3:45pm = 下午三点四十五分
9:00-17:00 = 九点到十七点
¥1,299.00 = 一千两百九十九元
￥50 = 五十元
$3.50 = 三点五美元
¥100-200 = 一百到两百元
¥5万 = 五万元
¥20元 = 二十元
-¥50 = 负五十元
US$20 = 二十美元
50元/斤 = 五十元每斤
3.5% = 百分之三点五
50%~60% = 百分之五十到百分之六十
10-15% = 百分之十到百分之十五
-3.5% = 负百分之三点五
100% = 百分之百
120km/h = 每小时一百二十公里
60-80km/h = 每小时六十到八十公里
2kg = 两公斤
3㎡ = 三平方米
5cm×3cm = 五厘米乘三厘米
气温-3℃到5℃ = 气温零下三摄氏度到五摄氏度
20~25℃ = 二十到二十五摄氏度
37.5°C = 三十七点五摄氏度
1,234,567.89 = 一百二十三万四千五百六十七点八九
1.5万 = 一点五万
5 000 = 五千
3/4 = 四分之三
2½杯 = 二又二分之一杯
2^3 = 二的三次方
10² = 十的二次方
比分3:2 = 比分三比二
以3-1获胜 = 以三比一获胜
16:9 = 十六比九
5-10个 = 五到十个
2-3个 = 两到三个
3~5天 = 三到五天
1—2个 = 一到两个
8-3=5 = 八减三等于五
5+3=8 = 五加三等于八
攻击力+5 = 攻击力加五
100+ = 一百多
约~5个 = 约约五个
电话13812345678 = 电话幺三八幺二三四五六七八
+86 138 1234 5678 = 幺三八幺二三四五六七八
010-62345678 = 零幺零六二三四五六七八
400-820-8820 = 四零零八二零八八二零
拨打110 = 拨打幺幺零
打120分 = 打一百二十分
验证码是123456 = 验证码是幺二三四五六
192.168.1.1 = 幺九二点幺六八点幺点幺
版本1.2.3 = 版本一点二点三
2.0版本 = 二点零版本
第401房间 = 第四零幺房间
第2名 = 第二名
第3关 = 第三关
No. 5 = 五号
#1 = 一号
1st = 第一
007 = 零零七
房间号是1208 = 房间号是幺二零八
666，太牛了 = 六六六，太牛了
有666个 = 有六百六十六个
歼-20 = 歼二十
波音747 = 波音七四七
3·15 = 三一五
2个 = 两个
2月2日 = 二月二日
2楼 = 二楼
2小时 = 两小时
22个 = 二十二个
12345678901234567890 = 一二三四五六七八九零一二三四五六七八九零
你好～ = 你好…
π = 派
A&B = A和B
>_< = >_<
座机0755-2600 1234 = 座机零七五五二六零零幺二三四
(021) 5555 1234 = (零二幺五五五五幺二三四
住6-302房间 = 住六杠三零二房间
3-2-501室 = 三杠二杠五零幺室
躺在病房507。 = 躺在病房五零七。
教室200人 = 教室两百人
波音737-800 = 波音七三七杠八百
512地震 = 五一二地震
100人的部队 = 一百人的部队
月薪2W = 月薪两万
1W块 = 一万块
涨了10w粉 = 涨了十万粉
灯泡60W = 灯泡六十瓦
油耗6L/100km = 油耗六升每百公里
0.5mg/kg = 零点五毫克每公斤
血压120/80mmHg = 血压一百二十，八十毫米汞柱
血压高压140/90 = 血压高压一百四十，九十
3μg = 三微克
5/1假期 = 五一假期
10/1黄金周 = 十一黄金周
3/8妇女节 = 三八妇女节
6/1出发 = 六月一日出发
5/20到6/18 = 五月二十日到六月十八日
好感度-5 = 好感度减五
气温-5 = 气温负五
路易XIV的宫殿 = 路易十四世的宫殿
文明VI = 文明六
某XX = 某XX
23333，笑死 = 二三三三三，笑死
没有数字，不动。 = 没有数字，不动。"""


@pytest.mark.parametrize("case", CASES.splitlines())
def test_written_out(case: str) -> None:
    text, expected = case.rsplit(" = ", 1)
    assert written(text) == expected


@pytest.mark.parametrize(
    ("before", "text", "expected"),
    [
        ("A", "380客机", "三八零客机"),
        ("F", "-16战机", "十六战机"),
        ("COVID", "-19", "十九"),
        ("RTX", " 409", " 四零九"),
        ("GPT", "-4来了", "四来了"),
        ("iPhone", " 15发布", " 十五发布"),
        ("G", "1234次列车", "幺二三四次列车"),
        ("A", "380元", "三百八十元"),
        ("", "-5", "负五"),
        ("HP", "-20", "减二十"),
        ("HP", "+20", "加二十"),
        ("p", "<0.05", "小于零点零五"),
        ("沪A", "·12", "·幺二"),
        ("沪A·12X", "88", "八八"),
    ],
)
def test_letters_before_a_number_make_it_a_model(before: str, text: str, expected: str) -> None:
    assert written(text, before) == expected


def test_a_letter_behind_a_number_makes_it_a_model() -> None:
    assert "".join(span.text for span in normalize("坦克705", "", "A")) == "坦克七零五"
    assert "".join(span.text for span in normalize("电流100", "", "A")) == "电流一百"
    assert "".join(span.text for span in normalize("1080", "", "P")) == "一零八零"


@given(
    st.text(st.sampled_from(list("0123456789.,:：/-~%¥$℃km年月日第个 好")), max_size=30), st.text(max_size=3)
)
@settings(max_examples=300, deadline=None)
def test_spans_cover_the_source_in_order(text: str, before: str) -> None:
    spans = normalize(text, before)
    assert "".join(text[span.start : span.end] for span in spans) == text
    assert not any(character.isdigit() for span in spans for character in span.text)


def test_a_line_without_digits_and_signs_is_one_span() -> None:
    (span,) = normalize("你好，世界。")
    assert (span.text, span.start, span.end) == ("你好，世界。", 0, 6)
    assert normalize("") == []


def value_of(words: str) -> int:
    """Value of a Chinese number, worked out the other way round."""
    total = section = digit = 0
    for character in words.replace("两", "二"):
        if character in "零一二三四五六七八九":
            digit = "零一二三四五六七八九".index(character)
        elif character in "十百千":
            section += (digit or 1) * {"十": 10, "百": 100, "千": 1000}[character]
            digit = 0
        else:
            total = (total + section + digit) * {"万": 10**4, "亿": 10**8}[character]
            section = digit = 0
    return total + section + digit


def test_cardinals_have_their_value() -> None:
    generator = random.Random(1)
    numbers = [*range(12000), *(generator.randrange(10 ** generator.randrange(5, 12)) for _ in range(2000))]
    for value in numbers:
        words = cardinal(str(value))
        if value < 10**8 or value % 10**8 == 0 or "万" not in words.split("亿")[0]:
            assert value_of_large(words) == value, words


def value_of_large(words: str) -> int:
    """Splits at 亿, so that 一千万 before it counts."""
    if "亿" in words:
        high, low = words.split("亿", 1)
        return value_of(high) * 10**8 + value_of(low.removeprefix("零") or "零")
    return value_of(words)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", "零"),
        ("10", "十"),
        ("110", "一百一十"),
        ("1001", "一千零一"),
        ("2200", "两千两百"),
        ("10010", "一万零一十"),
        ("20000", "两万"),
        ("200000000", "两亿"),
        ("1" * (MAX_CARDINAL + 1), "一" * (MAX_CARDINAL + 1)),
    ],
)
def test_cardinal(text: str, expected: str) -> None:
    assert cardinal(text) == expected


def test_kinds_of_numbers() -> None:
    assert number("1,299.50") == "一千两百九十九点五零"
    assert number(".5") == "零点五"
    assert amount("12.50") == "十二点五"
    assert digits("110", one="幺") == "幺幺零"
