"""Readings that depend on the word beside them and that Open JTalk gets wrong, mended in its analysis.

Here, and not by another spelling, where a spelling that says the right thing would be cut into other words.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import Any

_Features = list[dict[str, Any]]

# 八 before these counters is ハッ: first character, the pronunciation as found, the right one.
_AFTER_EIGHT = {
    "分": ("フン", "プン"),
    "個": ("コ", "コ"),
    "回": ("カイ", "カイ"),
    "階": ("カイ", "カイ"),
    "歩": ("ホ", "ポ"),
    "票": ("ヒョー", "ピョー"),
}
# What stands before 方 where it means a person; elsewhere it is a direction or a side, ホー.
_PERSON = re.compile(
    "(?:[こそあど]|次|他|最後|最初|初めて|女性|男性|目上|年配|大人|多く|全員|海外|地元|一般|関係者|"
    "お(?:待ち|持ち|並び|連れ|困り|急ぎ|越し|探し|求め|悩み|使い|忘れ|住まい|泊まり)|"
    "ご(?:来場|希望|利用|参加|予約|購入|年配|高齢|一緒|同伴|存じ|不明))の$"
)


def repair_readings(features: _Features) -> None:
    """Mend the features of a clause in place."""
    for feature in features:
        if (
            feature["string"] == "正義" and feature["pron"] == "マサヨシ"
        ):  # a man's name, at the end of a clause
            feature.update(pron="セーギ", acc=1, mora_size=3)
    for index, (left, right) in enumerate(pairwise(features)):
        if left["string"] == "八" and left["pron"].startswith("ハチ"):
            _repair_eight(features, index)
        elif left["string"] == "三" and right["string"] == "票":
            right["pron"] = "ピョー"
        elif right["string"] == "方" and right["pron"] == "ホー" and _names_person(features[: index + 1]):
            _repair_person(right, features[index + 2 : index + 4])


def _names_person(before: _Features) -> bool:
    return bool(_PERSON.search("".join(feature["string"] for feature in before[-3:])))


def _repair_eight(features: _Features, index: int) -> None:
    eight, counter = features[index], features[index + 1]
    found, right = _AFTER_EIGHT.get(counter["string"][0], ("", ""))
    if not found or not counter["pron"].startswith(found):
        return
    eight["pron"] = "ハッ"
    counter["pron"] = right + counter["pron"][len(found) :]
    first = index
    while first > 0 and features[first]["chain_flag"] == 1:
        first -= 1
    second_mora = sum(feature["mora_size"] for feature in features[first:index]) + 2
    if features[first]["acc"] == second_mora:  # ッ carries no accent: it moves to the mora before
        features[first]["acc"] = second_mora - 1


def _repair_person(word: dict[str, Any], following: _Features) -> None:
    """方 is カタ, a person, unless things are compared: その方がいい."""
    compared = [feature["string"] for feature in following[:1]] == ["が"] and any(
        feature["pos"] in ("形容詞", "副詞") or feature["pos_group1"] == "形容動詞語幹"
        for feature in following[1:]
    )
    if not compared and (not following or following[0]["pos"] in ("助詞", "助動詞")):
        word["pron"] = word["read"] = "カタ"
        word["acc"] = 2
