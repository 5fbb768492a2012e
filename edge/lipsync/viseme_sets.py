"""Timelines in the forms that other programs read: the canonical 15 shapes and four derived sets."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from ..errors import RequestError
from .timeline import Timeline, Viseme

ARKIT_FPS = 60
FADE_S = 0.040  # a mouth takes about this long to go from one shape half way to the next

_RHUBARB = {
    "sil": "X", "PP": "A", "FF": "G", "TH": "B", "DD": "B", "kk": "B", "CH": "B", "SS": "B", "nn": "B",
    "RR": "E", "aa": "D", "E": "C", "ih": "B", "oh": "E", "ou": "F",
}  # fmt: skip
_AZURE = {
    "sil": 0, "PP": 21, "FF": 18, "TH": 17, "DD": 19, "kk": 20, "CH": 16, "SS": 15, "nn": 19, "RR": 13,
    "aa": 2, "E": 4, "ih": 6, "oh": 3, "ou": 7,
}  # fmt: skip
_POLLY = {
    "sil": "sil", "PP": "p", "FF": "f", "TH": "T", "DD": "t", "kk": "k", "CH": "S", "SS": "s", "nn": "t",
    "RR": "r", "aa": "a", "E": "E", "ih": "i", "oh": "o", "ou": "u",
}  # fmt: skip

ARKIT_SHAPES = (
    "jawOpen", "mouthClose", "mouthFunnel", "mouthPucker", "mouthPressLeft", "mouthPressRight",
    "mouthRollLower", "mouthLowerDownLeft", "mouthLowerDownRight", "mouthUpperUpLeft", "mouthUpperUpRight",
    "mouthStretchLeft", "mouthStretchRight", "tongueOut",
)  # fmt: skip


def _face(
    jaw: float, close: float = 0, funnel: float = 0, pucker: float = 0, press: float = 0, roll: float = 0,
    lower: float = 0, upper: float = 0, stretch: float = 0, tongue: float = 0,
) -> tuple[float, ...]:  # fmt: skip
    """Weights in the order of ``ARKIT_SHAPES``; left and right move together."""
    return (
        jaw,
        close,
        funnel,
        pucker,
        press,
        press,
        roll,
        lower,
        lower,
        upper,
        upper,
        stretch,
        stretch,
        tongue,
    )


# mouthClose brings the lips together while the jaw is open, so it goes with jawOpen.
_ARKIT = {
    "sil": _face(0.0),
    "PP": _face(0.05, close=0.05, press=0.6, roll=0.3),
    "FF": _face(0.1, roll=0.7, upper=0.3),
    "TH": _face(0.15, lower=0.2, upper=0.1, tongue=0.3),
    "DD": _face(0.15, lower=0.25, upper=0.1, stretch=0.1),
    "kk": _face(0.25, lower=0.2, stretch=0.1),
    "CH": _face(0.15, funnel=0.5, pucker=0.2, lower=0.2),
    "SS": _face(0.05, lower=0.3, upper=0.15, stretch=0.35),
    "nn": _face(0.15, lower=0.2, stretch=0.1),
    "RR": _face(0.2, funnel=0.35, pucker=0.25),
    "aa": _face(0.7, lower=0.35, upper=0.2, stretch=0.1),
    "E": _face(0.4, lower=0.35, upper=0.15, stretch=0.35),
    "ih": _face(0.2, lower=0.3, upper=0.1, stretch=0.5),
    "oh": _face(0.45, funnel=0.55, pucker=0.25),
    "ou": _face(0.2, funnel=0.3, pucker=0.75),
}


def to_dict(
    timeline: Timeline, line_id: str, segment: int, final: bool, viseme_set: str = "oculus", text: str = ""
) -> dict[str, Any]:
    """Give a segment in the form of the MQTT contract, section 5.

    Args:
        timeline: the segment, times from the first sample of the line.
        line_id: of the request.
        segment: number of the segment in the line, from 0.
        final: whether the line ends with it.
        viseme_set: one of ``VISEME_SETS``.
        text: the line without tags; only the Polly form needs it.

    Raises:
        RequestError: bad_request, an unknown set.
    """
    if viseme_set not in VISEME_SETS:
        raise RequestError(f"visemes is {viseme_set!r}; expected one of {', '.join(VISEME_SETS)}")
    return {
        "id": line_id,
        "segment": segment,
        "final": final,
        "source": "durations",
        "words": [{"t": word.t, "d": word.d, "text": word.text} for word in timeline.words],
        "phonemes": [{"t": phoneme.t, "d": phoneme.d, "ph": phoneme.ph} for phoneme in timeline.phonemes],
        "visemes": polly(timeline, text) if viseme_set == "polly" else VISEME_SETS[viseme_set](timeline),
    }


def oculus(timeline: Timeline) -> list[dict[str, Any]]:
    """``{"t", "d", "v", "w"}``: the canonical 15 shapes."""
    return [{"t": viseme.t, "d": viseme.d, "v": viseme.v, "w": viseme.w} for viseme in timeline.visemes]


def rhubarb(timeline: Timeline) -> list[dict[str, Any]]:
    """``{"start", "end", "value"}`` in seconds, shapes A to G and X, as Rhubarb's ``mouthCues``."""
    cues: list[dict[str, Any]] = []
    for viseme in timeline.visemes:
        value = _RHUBARB[viseme.v]
        if cues and cues[-1]["value"] == value:
            cues[-1]["end"] = viseme.end
        else:
            cues.append({"start": viseme.t, "end": viseme.end, "value": value})
    return cues


def azure(timeline: Timeline) -> list[dict[str, Any]]:
    """``{"audio_offset", "viseme_id"}``: start in ticks of 100 ns, ids 0 to 21."""
    return [{"audio_offset": round(v.t * 10_000_000), "viseme_id": _AZURE[v.v]} for v in timeline.visemes]


def polly(timeline: Timeline, text: str = "") -> list[dict[str, Any]]:
    """Speech marks in order of time: ``{"time", "type", "value"}``, times in ms.

    Given ``text``, word marks also have ``start`` and ``end``, byte offsets in its UTF-8 form.
    """
    marks: list[dict[str, Any]] = []
    offsets = sorted({word.offset for word in timeline.words})
    for word in timeline.words:
        mark: dict[str, Any] = {"time": round(word.t * 1000), "type": "word", "value": word.text}
        if text and word.offset >= 0:
            following = next((offset for offset in offsets if offset > word.offset), None)
            mark |= _byte_span(text, word.offset, following)
        marks.append(mark)
    marks += [{"time": round(v.t * 1000), "type": "viseme", "value": _POLLY[v.v]} for v in timeline.visemes]
    return sorted(marks, key=lambda mark: mark["time"])  # stable: a word comes before its first shape


def _byte_span(text: str, start: int, following: int | None) -> dict[str, int]:
    """Bytes of the word at ``start``: up to the next word, or, in the last one, while letters go on."""
    end = following if following is not None else start + 1
    while following is None and end < len(text) and (text[end].isalnum() or text[end] in "'’-"):
        end += 1
    while end > start + 1 and not text[end - 1].isalnum():
        end -= 1
    first = len(text[:start].encode())
    return {"start": first, "end": first + len(text[start:end].encode())}


def arkit(timeline: Timeline) -> list[dict[str, Any]]:
    """Weights of 14 ARKit mouth shapes, 60 flat objects a second: ``{"t", "jawOpen", ...}``.

    Each shape is fully reached in its middle and fades into its neighbours, so closed lips do close.
    """
    visemes = timeline.visemes
    if not visemes:
        return []
    frames = []
    index = 0
    for number in range(math.ceil(visemes[0].t * ARKIT_FPS), math.ceil(visemes[-1].end * ARKIT_FPS)):
        at = number / ARKIT_FPS
        while index + 1 < len(visemes) and at >= visemes[index].end:
            index += 1
        weights = _blend(visemes, index, at)
        frames.append({"t": round(at, 4), **dict(zip(ARKIT_SHAPES, weights, strict=True))})
    return frames


def _blend(visemes: Sequence[Viseme], index: int, at: float) -> list[float]:
    viseme = visemes[index]
    fade = min(FADE_S, viseme.d / 2)
    neighbour, nearness = viseme, 0.0  # nearness: 0 on the plateau, 1 at the boundary
    if at < viseme.t + fade and index > 0:
        neighbour, nearness = visemes[index - 1], 1 - (at - viseme.t) / fade
    elif at > viseme.end - fade and index + 1 < len(visemes):
        neighbour, nearness = visemes[index + 1], 1 - (viseme.end - at) / fade
    part = 0.5 * (1 - math.cos(math.pi / 2 * nearness))
    return [
        round((1 - part) * own * viseme.w + part * other * neighbour.w, 3)
        for own, other in zip(_ARKIT[viseme.v], _ARKIT[neighbour.v], strict=True)
    ]


VISEME_SETS: dict[str, Callable[[Timeline], list[dict[str, Any]]]] = {
    "oculus": oculus,
    "rhubarb": rhubarb,
    "azure": azure,
    "arkit": arkit,
    "polly": polly,
}
