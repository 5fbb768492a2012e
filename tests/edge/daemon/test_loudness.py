"""Characters at their target level, wherever their sound goes."""

from __future__ import annotations

import json
import threading
import urllib.request
import wave
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from edge.config import EdgeConfig, load_config
from edge.demo.broker import free_port
from edge.errors import ConfigError
from edge.loudness.level import Levels
from edge.loudness.limiter import db_to_gain
from tests.edge.daemon.broker import wait_until
from tests.edge.daemon.conftest import Rig
from tests.edge.daemon.stand_in import SAMPLES_PER_CHARACTER, StandIn, level

TEXT = "a line that is kept"
QUIET = {"target_dbfs": -20.0, "characters": {"ava": "off"}}
GAIN_DB = 4.0


def voice() -> StandIn:
    levels = Levels()
    levels.known = {"noah": -20.0 - GAIN_DB, "ava": -30.0}
    return StandIn(levels=levels)


def unmeasured(state_dir: Path) -> StandIn:
    """A voice of whom nobody knows how loud it is: each character is, when asked, as loud as ``voice``."""
    voice = StandIn()
    voice.loud = round(32_768 * db_to_gain(-20.0 - GAIN_DB))
    voice.levels = Levels(state_dir, voice.fingerprint, voice.bundle.manifest.characters)
    return voice


def expected(text: str) -> int:
    return round(level(text) * db_to_gain(GAIN_DB))


@pytest.mark.broker
@pytest.mark.skipif(find_spec("uvicorn") is None, reason="needs the extra http")
def test_loudspeaker_file_mqtt_and_http_get_the_same_sound(start_rig: Callable[..., Rig]) -> None:
    port = free_port()
    rig = start_rig(voice=voice(), loudness=QUIET, http={"port": port})
    rig.say("one", TEXT, output=["play", "audio", "file"])
    path = Path(rig.event("one", "finished")["path"])
    with wave.open(str(path)) as file:
        written = np.frombuffer(file.readframes(file.getnframes()), "<i2")
    prefix = f"{rig.root}/audio/one/"
    heard = rig.client.find(lambda heard: heard.topic.startswith(prefix))
    sent = np.frombuffer(b"".join(message.payload for message in heard[1:-1]), "<i2")
    body = json.dumps({"input": TEXT, "voice": "noah", "response_format": "pcm"}).encode()
    url, kind = f"http://127.0.0.1:{port}/v1/audio/speech", {"Content-Type": "application/json"}
    request = urllib.request.Request(url, body, kind)
    with urllib.request.urlopen(request, timeout=20) as answer:
        streamed = np.frombuffer(answer.read(), "<i2")
    assert len(written) == len(TEXT) * SAMPLES_PER_CHARACTER
    assert set(written.tolist()) == {expected(TEXT)}
    assert np.array_equal(written, sent) and np.array_equal(written, streamed)
    assert np.count_nonzero(rig.sound() == expected(TEXT)) == len(written)


@pytest.mark.broker
def test_the_cache_keeps_what_was_made(start_rig: Callable[..., Rig]) -> None:
    """Another target needs no line to be made anew."""
    rig = start_rig(voice=voice(), loudness=QUIET)
    rig.say("one", TEXT)
    rig.event("one", "finished")
    rig.say("two", TEXT)
    assert rig.event("two", "finished")["cached"]
    assert np.count_nonzero(rig.sound() == expected(TEXT)) == 2 * len(TEXT) * SAMPLES_PER_CHARACTER
    cache = rig.daemon._core.state.cache
    key = next(iter(cache._lines))
    assert {int(value) for chunk in cache._lines[key].chunks for value in chunk.samples} == {level(TEXT)}


@pytest.mark.broker
def test_who_speaks_before_the_levels_are_known_is_measured_first(
    start_rig: Callable[..., Rig], tmp_path: Path
) -> None:
    """The first line of all, while dictionaries are still being loaded; the others follow in their time."""
    voice, loaded = unmeasured(tmp_path), threading.Event()
    voice.cold = [lambda: loaded.wait(0.1)] * 20
    rig = start_rig(voice=voice, loudness=QUIET)
    rig.say("one", TEXT)
    rig.event("one", "finished")
    assert voice.levels.missing == ("ava",) and voice.cold
    assert np.count_nonzero(rig.sound() == expected(TEXT)) == len(TEXT) * SAMPLES_PER_CHARACTER
    loaded.set()
    wait_until(lambda: not voice.levels.missing)


@pytest.mark.broker
def test_a_kept_line_of_one_who_is_not_measured_is_made_anew(
    start_rig: Callable[..., Rig], tmp_path: Path
) -> None:
    voice, loaded = unmeasured(tmp_path), threading.Event()
    voice.cold = [lambda: loaded.wait(0.1)] * 50
    rig = start_rig(voice=voice, loudness=QUIET)
    rig.request("prepare", {"id": "p", "items": [{"character": "noah", "text": TEXT}]})
    wait_until(lambda: rig.daemon._core.state.cache._lines)
    assert voice.levels.missing == ("noah", "ava"), "what is only kept needs no level"
    rig.say("one", TEXT)
    assert not rig.event("one", "finished")["cached"]
    rig.say("two", TEXT)
    assert rig.event("two", "finished")["cached"]
    assert np.count_nonzero(rig.sound() == expected(TEXT)) == 2 * len(TEXT) * SAMPLES_PER_CHARACTER
    loaded.set()


@pytest.mark.broker
def test_a_character_may_be_left_as_it_is(start_rig: Callable[..., Rig]) -> None:
    rig = start_rig(voice=voice(), loudness=QUIET)
    rig.say("one", TEXT, character="ava")
    rig.event("one", "finished")
    assert set(np.unique(rig.sound())) <= {0, level(TEXT)}


@pytest.mark.broker
def test_marks_and_lengths_stay_where_they_were(start_rig: Callable[..., Rig]) -> None:
    rig = start_rig(voice=voice(), loudness=QUIET)
    rig.say("one", "before[mark:now]after it", output=["play", "lipsync"])
    finished = rig.event("one", "finished")
    mark = rig.client.find(lambda heard: heard.topic == f"{rig.root}/mark/now")[0].json
    assert mark["t_ms"] == 150.0 and finished["audio_ms"] == 14 * 25 and finished["underruns"] == 0


def test_off_is_a_word_and_targets_have_a_range(tmp_path: Path) -> None:
    path = tmp_path / "edge.toml"
    path.write_text('[loudness]\ntarget_dbfs = "off"\n[loudness.characters]\nnoah = -18\n')
    loudness = load_config(path).loudness
    assert loudness.target("ava") is None and loudness.target("noah") == -18 and loudness.is_on
    assert EdgeConfig().loudness.target("noah") == -20
    path.write_text("[loudness]\ntarget_dbfs = 3\n")
    with pytest.raises(ConfigError, match="target_dbfs"):
        load_config(path)
