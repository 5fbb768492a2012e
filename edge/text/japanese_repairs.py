"""Readings that depend on the word beside them and that Open JTalk gets wrong, mended in its analysis.

Here, and not by another spelling, where a spelling that says the right thing would be cut into other words.
"""

from __future__ import annotations

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
_POINTING = ("この", "その", "あの", "どの")


def repair_readings(features: _Features) -> None:
    """Mend the features of a clause in place."""
    for index, (left, right) in enumerate(pairwise(features)):
        if left["string"] == "八" and left["pron"].startswith("ハチ"):
            _repair_eight(features, index)
        elif left["string"] == "三" and right["string"] == "票":
            right["pron"] = "ピョー"
        elif left["string"] in _POINTING and right["string"] == "方" and right["pron"] == "ホー":
            _repair_person(right, features[index + 2 : index + 4])


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
