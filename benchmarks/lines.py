"""Lines of exact lengths that have not been said before."""

from __future__ import annotations

import random

# Four characters each: with its punctuation mark a clause is five, so lines of 5, 20 and 80 come out even.
_CLAUSES = (
    "今天天气 请往前走 欢迎光临 时间到了 大家晚安 灯光熄灭 门已打开 注意脚下 "
    "请勿触摸 演出开始 谢谢观看 稍等片刻 向左转弯 跟我过来 不要回头 记住这里 "
    "钥匙丢了 风很安静 雨还在下 星星亮了 故事很长 孩子笑了 你听见吗 我在这里 "
    "路在脚下 水流过桥 山后有村 他没有来 她走远了 信还没到 船要开了 火已点燃 "
    "梦还没醒 花开满园 鸟飞走了 雪落无声 城门紧闭 国王来了 宝剑生锈 龙在沉睡 "
    "机器醒来 警报响起 重新启动 系统正常 电量不足 连接成功 目标出现 任务完成"
).split()
_ENGLISH = (
    "open the blue door|look to your left|the show starts now|we meet again here|"
    "nobody heard them|please stay behind|turn the old wheel|wait for the light|"
    "the rain has gone|follow the sound|hold on to me now|this way to the sea|"
    "the clock is wrong|count to seventeen|keep your voice low|bring me the map"
).split("|")
_JAPANESE = (
    "扉が開きました 足元にご注意 右へお進みください 星がきれいです 風が止みました "
    "鍵はここにある 急いでください 雨が降ってきた 声が聞こえる 物語が始まる "
    "誰もいません 灯りを消して"
).split()
_MARKS = "，，，。"


def chinese(n_characters: int, choose: random.Random) -> str:
    """A line of a multiple of five characters, punctuation included.

    >>> len(chinese(20, random.Random(1)))
    20
    """
    clauses = choose.choices(_CLAUSES, k=n_characters // 5)
    return (
        "".join(clause + _MARKS[index % 4] for index, clause in enumerate(clauses[:-1])) + clauses[-1] + "。"
    )


def english(choose: random.Random) -> str:
    """A line of about 20 characters."""
    return choose.choice(_ENGLISH).capitalize() + "."


def japanese(choose: random.Random) -> str:
    """A line of about 20 characters."""
    return "、".join(choose.choices(_JAPANESE, k=2)) + "。"
