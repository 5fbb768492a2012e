from __future__ import annotations

import json
from itertools import accumulate, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from edge.lipsync.timeline import MIN_VISEME_S, Timeline, concatenate, phrase_timeline, silence_timeline
from edge.lipsync.viseme_sets import ARKIT_SHAPES, VISEME_SETS, arkit, polly, to_dict
from edge.lipsync.visemes import VISEMES, phoneme_targets
from edge.spec import HOP_LENGTH, SAMPLE_RATE
from edge.text.ja.kana import kana_phonemes
from edge.text.symbols import DATA, SYMBOL_TO_ID

ZH_PAIRS = [pair.split() for pair in json.loads((DATA / "pinyin.json").read_text(encoding="utf-8")).values()]
EN_VOWELS = "AA AE AH AO AW AY EH ER EY IH IY OW OY UH UW".split()
EN_CONSONANTS = "B CH D DH F G HH JH K L M N NG P R S SH T TH V W Y Z ZH".split()
KANA = (
    "アイウエオカキクケコガギグゲゴサシスセソザジズゼゾタチツテトダヂヅデドナニヌネノハヒフヘホ"
    "バビブベボパピプペポマミムメモヤユヨラリルレロワヲンッヴ"
)
GLIDED = [row + small for row in "キギシジチニヒビピミリ" for small in "ャュョ"]
JA_MORAE = [*KANA, *GLIDED, "ティ", "テュ", "デュ", "フュ", "クヮ"]
PUNCTUATION = [",", ".", "!", "?", "…", "-", "SP"]
SYMBOLS = {
    "zh": sorted(
        {symbol for onset, rime in ZH_PAIRS for symbol in (onset, *(f"{rime}{t}" for t in "12345"))}
    ),
    "en": [vowel + stress for vowel in EN_VOWELS for stress in "012"] + EN_CONSONANTS,
    "ja": sorted({symbol for mora in JA_MORAE for symbol in kana_phonemes(mora)} | set("IU[]")),
}


@st.composite
def phrases(draw: st.DrawFn, start: int = 0) -> tuple[list[str], list[str], list[int]]:
    """Symbols of one language with durations in whole frames, as the synthesiser gives them."""
    language = draw(st.sampled_from(sorted(SYMBOLS)))
    phonemes = draw(st.lists(st.sampled_from(SYMBOLS[language] + PUNCTUATION), min_size=1, max_size=40))
    frames = [0 if p in "[]" else draw(st.integers(1, 12)) for p in phonemes]
    if not sum(frames):
        phonemes, frames = [*phonemes, "."], [*frames, 1]
    boundaries = [start, *(start + HOP_LENGTH * n for n in accumulate(frames))]
    return phonemes, [language] * len(phonemes), boundaries


def assert_covers(timeline: Timeline, start: int, end: int) -> None:
    visemes = timeline.visemes
    assert visemes[0].t == pytest.approx(start / SAMPLE_RATE, abs=1e-4)
    assert visemes[-1].end == pytest.approx(end / SAMPLE_RATE, abs=1e-4)
    assert all(left.end == right.t for left, right in pairwise(visemes))
    assert all(viseme.d > 0 and viseme.v in VISEMES and 0 < viseme.w <= 1 for viseme in visemes)


@pytest.mark.parametrize("language", sorted(SYMBOLS))
def test_every_symbol_of_a_language_has_a_mouth_shape(language: str) -> None:
    for symbol in SYMBOLS[language]:
        assert symbol in SYMBOL_TO_ID
        if symbol in ("[", "]", "cl"):
            continue
        targets = phoneme_targets([symbol], 0, language)
        assert 1 <= len(targets) <= 3
        assert all(target.viseme in VISEMES and target.viseme != "sil" for target in targets)


def test_the_inventory_before_korean_has_a_mouth_shape_in_any_language() -> None:
    # A lexicon may hold any of these; 324 is where Korean and Cantonese begin, which no reader gives.
    for symbol in [s for s, i in SYMBOL_TO_ID.items() if i < 324 and s not in ("[", "]")]:
        for language in SYMBOLS:
            assert all(target.viseme in VISEMES for target in phoneme_targets([symbol], 0, language))


def test_unknown_symbol_is_named() -> None:
    with pytest.raises(KeyError, match="ㄱ"):
        phoneme_targets(["ㄱ"], 0, "zh")


@given(phrases())
@settings(max_examples=100, deadline=None)
def test_visemes_cover_the_phrase_sorted_without_overlap_or_flicker(
    phrase: tuple[list[str], list[str], list[int]],
) -> None:
    phonemes, languages, boundaries = phrase
    timeline = phrase_timeline(phonemes, languages, boundaries)
    assert_covers(timeline, boundaries[0], boundaries[-1])
    if len(timeline.visemes) > 1:
        assert all(v.d >= MIN_VISEME_S or v.v == "PP" for v in timeline.visemes)


@given(phrases())
@settings(max_examples=100, deadline=None)
def test_closed_lips_are_never_merged_away(phrase: tuple[list[str], list[str], list[int]]) -> None:
    phonemes, languages, boundaries = phrase
    timeline = phrase_timeline(phonemes, languages, boundaries)
    closed = [(v.t, v.end) for v in timeline.visemes if v.v == "PP"]
    for index, phoneme in enumerate(phonemes):
        if phoneme in ("b", "p", "m", "P", "B", "M", "by", "py", "my"):
            start, end = boundaries[index] / SAMPLE_RATE, boundaries[index + 1] / SAMPLE_RATE
            assert any(left <= start + 1e-4 and right >= end - 1e-4 for left, right in closed)


@given(st.lists(st.integers(0, 5), min_size=1, max_size=4), st.data())
@settings(max_examples=30, deadline=None)
def test_segments_put_together_are_the_line(pauses: list[int], data: st.DataObject) -> None:
    at, segments = 0, []
    for pause in pauses:
        if pause:
            segments.append(silence_timeline(at, at + pause * 1000))
            at += pause * 1000
        phonemes, languages, boundaries = data.draw(phrases(at))
        segments.append(phrase_timeline(phonemes, languages, boundaries))
        at = boundaries[-1]
    line = concatenate(segments)
    assert_covers(line, 0, at)
    assert [v for segment in segments for v in segment.visemes] == list(line.visemes)
    spoken = [phoneme.t for phoneme in line.phonemes]
    assert spoken == sorted(spoken)


def timeline_of(
    symbols: str, language: str, frames: list[int], words: list[tuple[str, int, int]] | None = None
) -> Timeline:
    phonemes = symbols.split()
    boundaries = [0, *(HOP_LENGTH * n for n in accumulate(frames))]
    return phrase_timeline(phonemes, [language] * len(phonemes), boundaries, words or ())


def shapes(timeline: Timeline) -> str:
    return " ".join(viseme.v for viseme in timeline.visemes)


@pytest.mark.parametrize(
    ("symbols", "language", "expected"),
    [
        ("SP n i2 h ao3 .", "zh", "sil nn ih kk aa oh sil"),
        ("SP b ian4 .", "zh", "sil PP ih E nn sil"),
        ("SP AA ai4 .", "zh", "sil aa ih sil"),
        ("SP y van2 .", "zh", "sil ou E nn sil"),
        ("SP s i01 sh ir4 .", "zh", "sil SS CH RR sil"),
        ("SP HH AH0 L OW1 .", "en", "sil kk aa nn oh ou sil"),
        ("SP B OY1 .", "en", "sil PP oh ih sil"),
        ("SP s a [ N p o .", "ja", "sil SS aa PP oh sil"),
        ("SP h o ] N t o .", "ja", "sil kk oh nn DD oh sil"),
        ("SP m a ] cl t e .", "ja", "sil PP aa DD E sil"),
        ("SP k a [ cl p a .", "ja", "sil kk aa PP aa sil"),
    ],
)
def test_known_words(symbols: str, language: str, expected: str) -> None:
    frames = [0 if symbol in "[]" else 8 for symbol in symbols.split()]
    assert shapes(timeline_of(symbols, language, frames)) == expected


def test_weights_say_how_far_the_mouth_goes() -> None:
    visemes = timeline_of("SP s U k i f u r e .", "ja", [8] * 10).visemes
    assert [(v.v, v.w) for v in visemes if v.v in ("ou", "FF", "nn")] == [
        ("ou", 0.2),
        ("FF", 0.4),
        ("ou", 0.5),
        ("nn", 0.6),
    ]


def test_short_rime_keeps_its_nucleus() -> None:
    assert shapes(timeline_of("SP l iang4 .", "zh", [8, 4, 3, 8])) == "sil nn aa sil"


def test_times_are_those_of_the_phonemes() -> None:
    timeline = timeline_of("SP n i2 h ao3 .", "zh", [2, 4, 6, 3, 10, 5], [("你好", 1, 5)])
    word = timeline.words[0]
    assert (word.t, word.d, word.text) == (0.032, 0.368, "你好")
    assert [(p.ph, p.t) for p in timeline.phonemes][:3] == [("SP", 0.0), ("n", 0.032), ("i2", 0.096)]
    assert sum(p.d for p in timeline.phonemes) == pytest.approx(30 * HOP_LENGTH / SAMPLE_RATE)


def test_pitch_marks_have_no_time() -> None:
    timeline = timeline_of("SP a [ m e .", "ja", [2, 6, 0, 4, 6, 2])
    assert "[" not in [phoneme.ph for phoneme in timeline.phonemes]


def test_wrong_lengths_are_refused() -> None:
    with pytest.raises(ValueError, match="one boundary more"):
        phrase_timeline(["a"], ["ja"], [0])
    with pytest.raises(ValueError, match="backwards"):
        phrase_timeline(["a", "i"], ["ja", "ja"], [0, 512, 256])


class TestSets:
    timeline = timeline_of("SP m a ] cl t e .", "ja", [4, 4, 8, 0, 4, 4, 8, 6], [("待って", 1, 7)])

    @pytest.mark.parametrize("name", sorted(VISEME_SETS))
    def test_payload_is_flat_and_has_the_keys_of_the_contract(self, name: str) -> None:
        payload = json.loads(json.dumps(to_dict(self.timeline, "line-1", 0, True, name, "待って。")))
        assert list(payload) == ["id", "segment", "final", "source", "words", "phonemes", "visemes"]
        assert (payload["id"], payload["segment"], payload["final"], payload["source"]) == (
            "line-1",
            0,
            True,
            "durations",
        )
        for key in ("words", "phonemes", "visemes"):
            assert payload[key]
            assert all(
                isinstance(value, str | int | float) for item in payload[key] for value in item.values()
            )

    def test_oculus_keys(self) -> None:
        payload = to_dict(self.timeline, "x", 0, True)
        assert set(payload["words"][0]) == {"t", "d", "text"}
        assert set(payload["phonemes"][0]) == {"t", "d", "ph"}
        assert payload["visemes"][1] == {"t": 0.064, "d": 0.064, "v": "PP", "w": 1.0}

    def test_unknown_set_is_refused(self) -> None:
        with pytest.raises(Exception, match="oculus, rhubarb, azure, arkit, polly") as caught:
            to_dict(self.timeline, "x", 0, True, "cartoon")
        assert caught.value.code == "bad_request"  # type: ignore[attr-defined]

    def test_rhubarb_has_no_two_equal_cues_in_a_row_and_covers_the_sound(self) -> None:
        cues = VISEME_SETS["rhubarb"](self.timeline)
        assert [cue["value"] for cue in cues] == ["X", "A", "D", "B", "C", "X"]
        assert all(left["end"] == right["start"] for left, right in pairwise(cues))
        assert (cues[0]["start"], cues[-1]["end"]) == (0.0, 0.608)

    def test_azure_offsets_are_ticks(self) -> None:
        events = VISEME_SETS["azure"](self.timeline)
        assert events[1] == {"audio_offset": 640_000, "viseme_id": 21}
        assert all(0 <= event["viseme_id"] <= 21 for event in events)

    def test_arkit_closes_the_lips_and_opens_the_jaw(self) -> None:
        frames = arkit(self.timeline)
        assert len(frames) == round(0.608 * 60) or len(frames) == int(0.608 * 60) + 1
        assert [frame["t"] for frame in frames] == [round(n / 60, 4) for n in range(len(frames))]
        closed = max(frame["mouthPressLeft"] for frame in frames if 0.064 <= frame["t"] < 0.128)
        assert closed > 0.55  # the target is 0.6
        assert max(frame["jawOpen"] for frame in frames) > 0.65
        assert all(0 <= frame[shape] <= 1 for frame in frames for shape in ARKIT_SHAPES)

    def test_arkit_moves_smoothly(self) -> None:
        frames = arkit(self.timeline)
        assert max(abs(a["jawOpen"] - b["jawOpen"]) for a, b in pairwise(frames)) < 0.35

    def test_arkit_frames_of_segments_are_those_of_the_line(self) -> None:
        ends = timeline_of("SP a .", "ja", [4, 8, 6])
        later = phrase_timeline(["SP", "i", "."], ["ja"] * 3, [18 * 512, 22 * 512, 30 * 512, 36 * 512])
        assert arkit(ends) + arkit(later) == arkit(concatenate([ends, later]))

    def test_no_segment_gives_no_frames(self) -> None:
        assert arkit(Timeline()) == []

    def test_polly_counts_bytes_of_the_text(self) -> None:
        text = "「待って」、と3人。"
        phonemes = "SP m a cl t e , t o s a N n i N .".split()
        timeline = phrase_timeline(
            phonemes,
            ["ja"] * len(phonemes),
            [512 * 4 * n for n in range(len(phonemes) + 1)],
            [("待って", 1, 6), ("と", 7, 9), ("三人", 9, 15)],
            [1] * 6 + [4, 6, 6] + [7] * 6 + [9],
        )
        words = [mark for mark in polly(timeline, text) if mark["type"] == "word"]
        assert [text.encode()[m["start"] : m["end"]].decode() for m in words] == ["待って", "と", "3人"]
        assert words[0] == {"time": 64, "type": "word", "value": "待って", "start": 3, "end": 12}

    def test_polly_is_in_order_of_time_and_words_come_first(self) -> None:
        marks = polly(self.timeline)
        assert [mark["time"] for mark in marks] == sorted(mark["time"] for mark in marks)
        assert [mark["type"] for mark in marks if mark["time"] == 64] == ["word", "viseme"]
        assert "start" not in marks[1]
