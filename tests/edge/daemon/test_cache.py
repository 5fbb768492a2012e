from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
import pytest

from edge.audio import AudioChunk
from edge.daemon.cache import OVERHEAD_BYTES, CachedLine, LineCache, content_key
from edge.synthesizer import SpeechRequest


def line(n_samples: int) -> CachedLine:
    return CachedLine((AudioChunk(np.zeros(n_samples, dtype=np.int16), 32_000, 0, True),))


def test_bytes_are_counted_and_bounded() -> None:
    cache = LineCache(3 * line(1000).n_bytes)
    for number in range(10):
        assert cache.put(str(number), line(1000))
        assert cache.n_bytes <= cache.max_bytes
    assert len(cache) == 3 and "9" in cache and "0" not in cache
    assert line(1000).n_bytes == 2000 + OVERHEAD_BYTES


def test_the_least_recently_used_goes_first() -> None:
    cache = LineCache(3 * line(1000).n_bytes)
    for name in "abc":
        cache.put(name, line(1000))
    assert cache.get("a") is not None
    cache.put("d", line(1000))
    assert [name for name in "abcd" if name in cache] == ["a", "c", "d"]


def test_a_line_larger_than_the_cache_is_not_kept_and_costs_nothing() -> None:
    cache = LineCache(20_000)
    cache.put("small", line(1000))
    assert not cache.put("large", line(20_000))
    assert "small" in cache and "large" not in cache
    assert not LineCache(0).put("any", line(1))


def test_replacing_and_clearing_keep_the_count_right() -> None:
    cache = LineCache(100_000)
    cache.put("a", line(1000))
    cache.put("a", line(2000))
    assert cache.n_bytes == line(2000).n_bytes and len(cache) == 1
    assert cache.clear() == 1 and cache.n_bytes == 0 and cache.get("a") is None


CHANGES: dict[str, object] = {
    "text": "other",
    "character": "ava",
    "language": "en",
    "emotion": "sad",
    "emotion_strength": 0.5,
    "rate": 1.1,
    "pitch": 1.0,
    "volume": 0.9,
    "markup": "strict",
    "trust": "text",
}


@pytest.mark.parametrize("name", [field.name for field in fields(SpeechRequest)])
def test_everything_that_changes_the_sound_changes_the_key(name: str) -> None:
    request = SpeechRequest("text", "noah")
    changed = replace(request, **{name: CHANGES[name]})  # type: ignore[arg-type]
    assert content_key("v", "", changed) != content_key("v", "", request)


def test_voice_and_lexicon_change_the_key() -> None:
    request = SpeechRequest("text", "noah")
    keys = {content_key(voice, lexicon, request) for voice in ("v", "w") for lexicon in ("", "l")}
    assert len(keys) == 4


def test_equal_numbers_are_one_line() -> None:
    one, other = SpeechRequest("t", rate=1), SpeechRequest("t", rate=1.0)
    assert content_key("v", "", one) == content_key("v", "", other)


def test_fields_do_not_run_into_each_other() -> None:
    assert content_key("v", "", SpeechRequest("ab", "c")) != content_key("v", "", SpeechRequest("a", "bc"))
