"""Surnames that are read otherwise than the word: 仇老师, 姓单, 单小雨来了."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .word import ChineseWord

_TITLES = (
    "先生|小姐|女士|太太|老师|教授|经理|总|医生|大夫|师傅|同学|主任|局长|校长|院长|队长|警官|律师|博士|"
    "导演|将军|某|氏|姑娘|大人|公子|老板|书记|部长|市长|阿姨|叔叔|大哥|哥|姐|老爷子?|夫人|少爷|太太|太爷"
)
# Titles that are offices: 任校长 is to serve as a headmaster, not Headmaster Ren.
_PERSONAL_TITLES = "先生|小姐|女士|太太|老师|医生|师傅|同学|博士|姑娘|某|氏|老板|大哥|哥|姐"
SURNAMES = {
    "单": "shan4", "曾": "zeng1", "仇": "qiu2", "解": "xie4", "区": "ou1", "查": "zha1", "盖": "ge3",
    "朴": "piao2", "华": "hua4", "翟": "zhai2", "缪": "miao4", "葛": "ge3", "燕": "yan1", "员": "yun4",
    "乐": "yue4", "种": "chong2", "折": "she2", "黑": "he4", "秘": "bi4", "冼": "xian3", "召": "shao4",
    "那": "na1", "繁": "po2", "应": "ying1", "任": "ren2",
}  # fmt: skip
_NAMING = ("姓", "叫", "名叫", "姓氏", "复姓")
_AFTER_LITTLE = "曾仇任翟解"  # 小曾, 老解; 小区 is a housing estate
_BEFORE_GIVEN_NAME = "单曾仇解区查盖朴华缪葛任应"
_GIVEN = frozenset(
    "伟芳娜敏静丽强磊洋艳勇军杰娟涛超霞刚英玉萍红兰飞桂梅鑫波斌莉宇浩凯秀健俊帆雪帅慧颖婷峰"
    "鹏佳倩莹旭彬晨昊轩涵梓子欣雨诗梦琪璐瑶怡雅琳晓东建国志远天明文思宏嘉晴萱博睿阳泽晗淑"
    "珍琴凤云莲燕娥菊芝荣爱瑞若曦语嫣芷灵珊珊盈如风逸尘墨寒枫云凡辰星月清婉柔馨悦可心小海"
    "江山松柏林森淼龙虎豹坤乾永庆家豪德义礼智仁信华光耀祖贵福寿康宁安平生春夏秋冬"
    "少白卿之亦然允允君卓世贤良才斯奕翔雷霆霖雯露蕾薇芬芸菲萌茜蓉冰洁钰锋钊铭锐航骏驰骁"
)
_VERBS = "曾解任应查盖"  # 查小雨的作业 is to look for it: more has to speak for a name
_BEFORE_NAME = frozenset("是 叫 和 跟 与 找 对 给 让 请 问 等 当 像 认识 喜欢".split())
_AFTER_NAME = "vdpr"  # parts of speech of what follows a name


def surname_reading(words: Sequence[ChineseWord], index: int, after: str) -> str:
    """Reading of a word that is a surname where it stands; empty elsewhere.

    Args:
        words: of the clause.
        index: of the word.
        after: the clause behind it.
    """
    name = words[index].text
    reading = SURNAMES.get(name, "")
    if not reading:
        return ""
    previous = words[index - 1] if index else None
    if (previous is None or previous.text in _BEFORE_NAME) and _has_given_name(words, index):
        return reading
    if previous is not None and (
        previous.text in _NAMING or (previous.text in ("小", "老") and name in _AFTER_LITTLE)
    ):
        return reading
    if previous is not None and previous.pos in "nNsmqa":
        return ""  # 市区校长: the district's headmaster
    titles = _PERSONAL_TITLES if name in "任种那" else _TITLES
    old = "" if name in "任种那" else "老?"  # 单老将军; 那老先生 is that old man
    return reading if re.match(f"{old}(?:{titles})", after) else ""


def _has_given_name(words: Sequence[ChineseWord], index: int) -> bool:
    """Whether two characters that parents choose follow, alone or as a word, and then no other noun."""
    name = words[index].text
    given = words[index + 1 : index + 3]
    if given and len(given[0].text) == 2:
        given = given[:1]
    if name not in _BEFORE_GIVEN_NAME or len("".join(word.text for word in given)) != 2:
        return False
    if not all(_GIVEN.issuperset(word.text) for word in given):
        return False
    is_word = len(given) == 1
    if is_word and given[0].pos not in ("N" if name in _VERBS else "Nn"):
        return False
    behind = words[index + 1 + len(given) : index + 2 + len(given)]
    if not behind:
        return name not in _VERBS or not is_word
    return behind[0].pos in _AFTER_NAME or (name not in _VERBS and behind[0].text == "的")
