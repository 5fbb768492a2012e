"""Stage directions: notes on how to act that a writer puts in brackets or asterisks, （笑） or *sighs*."""

from __future__ import annotations

import re

_NEUTRAL_PAUSE_MS = 500
# Names of emotions as tags and directions have them, to the usual names of a voice's emotions.
EMOTIONS: dict[str, str] = {
    name: emotion
    for emotion, names in {
        "happy": "happy happily cheerful cheerfully joyful joy glad excited excitedly delighted amused smile "
        "smiles smiling smirk smirks grin grins grinning laugh laughs laughing laughter chuckle chuckles "
        "chuckling giggle giggles giggling 开心 高兴 快乐 喜悦 兴奋 愉快 欢快 欣喜 笑 大笑 微笑 轻笑 嬉しい "
        "楽しい 喜び 喜ぶ 微笑む 微笑み 笑う 笑い 笑顔",
        "sad": "sad sadly sorrow sorrowful crying cry cries sob sobs sobbing weeping weeps tearful tearfully "
        "melancholy depressed 悲伤 伤心 难过 哀伤 悲痛 忧伤 沮丧 哭 哭泣 抽泣 哽咽 流泪 悲しい 泣く 泣き",
        "angry": "angry angrily anger furious furiously mad rage annoyed shouting shouts yelling yells "
        "growls 生气 愤怒 恼怒 怒 大怒 怒吼 咆哮 怒り 怒る 怒って",
        "neutral": "neutral calm calmly normal flat 平静 冷静 中性 正常 淡定 普通 平常 冷静に",
        "fearful": "fearful scared afraid fear terrified 害怕 恐惧 惊恐 恐れ 怖い",
        "surprised": "surprised surprise shocked astonished 惊讶 吃惊 震惊 驚き 驚く",
        "whisper": "whisper whispers whispering whispered 低声 轻声 小声 悄声 耳语 小声で ささやく 囁く",
    }.items()
    for name in names.split()
}
PAUSES = frozenset(
    "pause pauses beat silence sigh sighs sighing sighed breath breathes gasp gasps inhale inhales exhale "
    "exhales hesitates hesitation 停顿 沉默 静默 叹气 叹息 叹 深呼吸 喘气 犹豫 ため息 溜め息 沈黙 間".split()
)
_SOUNDS = frozenset(
    "cough coughs coughing sneeze sneezes yawn yawns yawning snort snorts scoff scoffs groan groans moans "
    "hum hums humming sniff sniffs sniffles gulp gulps whistle whistles scream screams screaming nod nods "
    "nodding shrug shrugs wink winks blush blushes frown frowns glare glares pout pouts narrator narration "
    "voiceover offscreen softly quietly loudly slowly nervously sarcastically dramatically applause music "
    "sfx bgm v.o o.s o.c vo cont'd contd aside "
    "旁白 画外音 独白 内心 心声 内心独白 音效 背景音乐 掌声 字幕 转场 场景 镜头 舞台 灯光 全场 观众 "
    "咳嗽 咳 打哈欠 哈欠 点头 摇头 转身 耸肩 皱眉 挥手 脸红 鞠躬 起身 坐下 拔剑 回头 冷笑 苦笑 坏笑 "
    "离开 退场 下场 登场 上场 退下 倒下 昏倒 登場 退場 "
    "叹了口气 大声 高声 汗 泪 咬牙 无奈 尴尬 害羞 温柔 严肃 认真 激动 "
    "ナレーション 効果音 心の声 独り言 苦笑 爆笑 失笑 冷笑 涙 涙目 咳払い 拍手 無言 照れ 赤面 怒り "
    "小声 大声 棒読み 回想".split()
)
_ENGLISH_NOTE = re.compile(
    r"(?:he|she|it|the [a-z]+) (?!is |was |has |does )[a-z]+s(?: [a-z'-]+){0,8}|"
    r"[a-z][a-z'-]*(?:ing|ly)(?: [a-z'-]+){0,6}|(?:to|into|with|in|under|over|off|from|through|still|half) "
    r"[A-Za-z' -]{2,40}|(?:voice|tone|eyes?|hands?|footsteps|door|music|smile|tears?)\b[a-z ,'-]{0,40}",
)
_ENGLISH_ACTION = re.compile(r"(?:[A-Za-z]+ly )?[A-Za-z]{2,}(?:s|es|ing|ed)\b(?: [\w',-]+){0,12}[.!]?")
_CHINESE_NOTE = re.compile(
    r".{0,8}(?:[笑哭叹怒喊吼泣咳喘哼]|低声|轻声|小声|大声|高声|柔声|沉声|颤声|厉声|冷声|朗声|哑声|语气|声音|口吻|神情|表情|"
    r"眼神|目光|沉默|停顿|旁白|独白|音效|内心|哽咽|颤抖)[着了道地]?.{0,6}|.{1,10}(?:地|着|状|貌|样子|一声|一下|一口气)|"
    r"[他她它]?(?:[转起站坐走跑跪躺举抬低握拔抱推拉捂挥摇点皱闭睁咬拍指看望盯瞪回抓扔放拿收停退上靠扶拥牵伸凑]).{1,10}|"
    r"对.{1,6}(?:说|道)?|.{1,8}[声响]"
)
_JAPANESE_NOTE = re.compile(
    r".{0,10}(?:笑|泣|ため息|溜め?息|怒|小声|大声|囁|ささや|叫|沈黙|無言|照れ|咳|息を|汗|涙|震え|微笑)[ぁ-んァ-ヶ]{0,6}|"
    r".{1,12}(?:ながら|[てで]|した?|[うくぐすつぬぶむる]|に|とした様子|気味)"
)
# What is shown or heard, by the name of the department.
_EFFECT = re.compile(
    r"(?:音效|特效|背景音乐?|BGM|SE|SFX|场景|镜头|画面|动作|表情|灯光|转场|効果音|場面|照明|sound|music|scene|action)"
    r"\s*[:：].*",
    re.IGNORECASE,
)
_KANA = re.compile("[ぁ-ヿ]")
_HAN = re.compile("[\u3400-\u9fff]")
_COMMA = re.compile("[，,、]\\s*(?:then |and )?")  # 雷声，脚步声: several directions in one
_WORDS_OF_SPEECH = re.compile('[。！？!?，,：:“”"「」；;\n]')


def acted(body: str) -> tuple[str, str | int] | None:
    """What a direction asks for that a voice may have: an emotion, or a pause in ms; None for neither."""
    word = body.strip().casefold().rstrip(".!。！~～")
    emotion = EMOTIONS.get(word) or (EMOTIONS.get(word.split()[0]) if word and word.isascii() else None)
    if emotion:
        return "emotion", emotion
    if word in PAUSES or (word and word.isascii() and word.split()[0] in PAUSES):
        return "pause", _NEUTRAL_PAUSE_MS
    return None


def is_known(body: str) -> bool:
    """Whether a note is one that is never part of the speech, wherever it stands."""
    word = body.strip().casefold().rstrip(".!。！~～").removeprefix("(").strip()
    return word in EMOTIONS or word in PAUSES or word in _SOUNDS


def is_note(body: str, apart: bool) -> bool:
    """Whether a text in round brackets is a direction.

    Args:
        body: between the brackets.
        apart: it stands between sentences, and not inside one.
    """
    body = body.strip()
    if is_known(body):
        return True
    if _EFFECT.fullmatch(body):
        return True
    if not apart or len(body) > 60:
        return False
    parts = _COMMA.split(body)
    if len(parts) > 1:
        return all(is_note(part, apart) for part in parts)
    if _WORDS_OF_SPEECH.search(body):
        return False
    if _KANA.search(body):
        return len(body) <= 16 and _JAPANESE_NOTE.fullmatch(body) is not None
    if _HAN.search(body):
        return len(body) <= 16 and _CHINESE_NOTE.fullmatch(body) is not None
    return _ENGLISH_NOTE.fullmatch(body) is not None or _starts_with_known(body)


def is_action(body: str, apart: bool) -> bool:
    """Whether a text between single asterisks is a direction rather than an emphasis."""
    body = body.strip()
    if is_known(body):
        return True
    if not apart or _WORDS_OF_SPEECH.search(body.rstrip(".!。！")):
        return False
    if _KANA.search(body) or _HAN.search(body):
        return len(body) <= 24
    return _ENGLISH_ACTION.fullmatch(body) is not None or _starts_with_known(body)


def _starts_with_known(body: str) -> bool:
    """``laughs softly``: the first word says that it is a direction."""
    words = body.casefold().split()
    return 0 < len(words) <= 8 and words[0].strip(",") in (*EMOTIONS, *PAUSES, *_SOUNDS) and body[0].islower()
