"""Rulers by their numerals and years by their eras: 路易XIV, 民国26年."""

from __future__ import annotations

import re

from .context import Match, before, follows
from .numbers import cardinal, roman_value

_RULER_BEFORE = re.compile(
    r"(?:路易|亨利|查理|查理曼|乔治|威廉|爱德华|詹姆斯|理查|理查德|约翰|保罗|腓力|斐迪南|彼得|尼古拉|亚历山大|拿破仑|"
    r"腓特烈|格里高利|伊丽莎白|叶卡捷琳娜|伊凡|卡尔|古斯塔夫|奥托|本笃|庇护|弗朗茨|利奥波德|拉美西斯)$"
)
_REIGN = re.compile(r"世|的?时代")
# Names of eras, all of two characters: 民国26年 is counted, 26年 alone is 2026.
ERA = (
    "(?:民国|光绪|宣统|同治|咸丰|道光|嘉庆|乾隆|雍正|康熙|顺治|崇祯|天启|万历|嘉靖|正德|弘治|成化|正统|宣德|永乐|"
    "洪武|至正|绍兴|靖康|宣和|庆历|元丰|天宝|开元|贞观|武德|大业|建安|昭和|平成|令和|大正|明治)"
)


def roman(match: Match) -> str | None:
    """路易XIV -> 十四世, 文明VI -> 六; XX stands for a name."""
    value = roman_value(match["roman"])
    if value is None or set(match["roman"]) == {"X"}:
        return None
    is_ruler = _RULER_BEFORE.search(before(match)) and not follows(match, _REIGN)
    return cardinal(str(value)) + ("世" if is_ruler else "")
