"""Rules for Japanese words whose reading Open JTalk misses: each gives a spelling that it reads right.

Found by reading its output for some 600 phrases of plays, games and venues. 何, 今日, 生 and は need none.
"""

from __future__ import annotations

import re

from .numbers import Rule

_PLACES = (
    "場所|所|ところ|道|通り|路地|裏|森|夜|公園|廊下|部屋|家|建物|街|町|村|海|山|駅|校舎|ビル|広場|倉庫|"
    "工場|島|浜|教室|屋敷|洞窟|神社|墓地"
)
_HOT = "カレー|キムチ|ラーメン|唐辛子|わさび|からし|ソース|スパイス|スープ|料理|味|食べ物|鍋|麻婆豆腐"
_HORNED = "牛|鹿|鬼|羊|ヤギ|龍|竜|ドラゴン|悪魔|魔王|ユニコーン|サイ|カブトムシ"
_OPENS = "ドア|扉|窓|戸|門|蓋|ふた|口|目|幕|箱|鍵|穴|金庫|ゲート|シャッター"
_EMPTY = "箱|瓶|ビン|缶|コップ|グラス|財布|袋|皿|鍋|部屋|椅子|席|棺|容器|器|ボトル"
_WORN = "帽子|仮面|面|兜|ヘルメット|かつら|布団|毛布|泥|水|罪|王冠|冠|フード|ベール"
_KANJI = "㐀-鿿々"
_STAGE = "(?=から(?:出|現|登|入)|に(?:向か|立|はけ|退)|[側袖奥])"


def _word(pattern: str, spelling: str) -> Rule:
    """The group ``word``, where there is one, is what gets the new spelling; else the whole match."""
    return re.compile(pattern), lambda match: spelling


READING_RULES: tuple[Rule, ...] = (
    _word(f"人気(?=の[な無]い(?:{_PLACES}))", "ひとけ"),
    _word("方(?=が(?:いい|良|よ[いかくさ]|まし|早|速|楽|好|安|高|多|得|強|上|下))", "ほう"),
    _word("(?<=[東西南北]の)方(?=[へにがは]|から)", "ほう"),
    _word("晴れ(?=のち)", "はれ"),
    _word("その後(?=で)", "そのあと"),
    _word(f"(?:{_HOT})[^。、！？]{{0,5}}(?P<word>辛)(?=[いくかさ])", "から"),
    _word(f"辛(?=[いく](?:{_HOT}))", "から"),
    _word(f"(?:{_HORNED})の(?P<word>角)(?![{_KANJI}])", "つの"),
    _word(f"(?:{_OPENS})[がもは](?P<word>開)(?=[いかきくけ])", "あ"),
    _word(f"(?<![{_KANJI}])空(?=の(?:{_EMPTY}))", "から"),
    _word(f"(?:{_WORN})を[^。、！？]{{0,4}}(?P<word>被)(?=[らりるれろっ])", "かぶ"),
    _word("抱(?=[かきくけこ](?![しか]))", "だ"),
    _word("(?<!穢)汚(?=れ(?:る|な|ま|ち|そ))", "よご"),
    _word(f"(?<![{_KANJI}])身体(?![{_KANJI}])", "からだ"),
    _word(f"上手{_STAGE}", "かみて"),
    _word(f"下手{_STAGE}", "しもて"),
    _word(f"(?<![{_KANJI}])市場(?=[でにへ][^。、！？]{{0,8}}(?:買|売|並ん|魚|野菜|果物))", "いちば"),
    _word(f"(?<![{_KANJI}])市場(?=は(?:人|賑|にぎ|混))", "いちば"),
    _word(f"(?<![{_KANJI}])仏(?=の)", "ほとけ"),
    _word("(?:魚|朝|青果|築地|豊洲)(?P<word>市場)", "いちば"),
    _word(f"(?<![{_KANJI}])生(?=で(?![あい]))", "なま"),
    _word("(?<!明)明後日", "あさって"),
    _word("一目(?=見|会|で分|でわ)", "ひとめ"),
    _word("一途(?![を])", "いちず"),
    _word("(?<!大)小人(?=[のがはをたと達])", "こびと"),
    _word("貴女", "あなた"),
    _word("此処", "ここ"),
    _word("其処", "そこ"),
    _word("此奴", "こいつ"),
    _word("所為", "せい"),
    # Laughter: Open JTalk takes the second half for 母 or for a particle.
    _word("(?<![ぁ-ゖ])はは(?:は)+(?![ぁ-ゖ])", "ハハハ"),
    _word("(?<![ぁ-ゖ])はっはっは(?![ぁ-ゖ])", "ハッハッハ"),
    # ～ and 〜 after kana draw the vowel out; a mark of length with nothing to lengthen says nothing.
    _word("(?<=[ぁ-ゖァ-ヺー])[〜～~]+", "ー"),
    _word(f"(?<=[{_KANJI}])[〜～~](?=[{_KANJI}])", "から"),
    _word("ー{3,}", "ーー"),
    _word("(?<![ぁ-ゖァ-ヺー〜～~])ー+", ""),
    _word("っ{2,}", "っ"),
    _word("ッ{2,}", "ッ"),
    _word("&", "アンド"),
    _word("@", "アット"),
    _word("．", "。"),
)
