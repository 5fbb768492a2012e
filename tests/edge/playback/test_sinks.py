"""The sinks, with real time where they pace themselves. No sound card is used: PortAudio is a double."""

from __future__ import annotations

import time
import wave
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from edge.audio import AudioChunk
from edge.config import AlsaSinkConfig, NullSinkConfig, WavSinkConfig
from edge.errors import SinkError
from edge.playback.alsa import AlsaSink
from edge.playback.open import make_sink
from edge.playback.player import LineBegan, LineEnded, Player
from edge.playback.sink import NullSink, Sink, SinkBack, SinkLost
from edge.playback.wav import WavSink
from tests.edge.daemon.broker import wait_until

RATE = 32_000
ATTEMPTS = 20  # one in time shows that it can be; a busy machine makes others late


class Stage:
    """A sink with a player and a record of what both report."""

    def __init__(self, sink: Sink) -> None:
        self.sink = sink
        self.messages: list[Any] = []
        self.reports: list[Any] = []
        self.player = Player(RATE, self.messages.append)
        sink.open(self.player, self.reports.append)

    def play(self, line_id: str, samples: np.ndarray) -> None:
        self.player.begin(line_id)
        self.player.feed(line_id, AudioChunk(samples.astype(np.int16), RATE, 0, True))

    def wait(self, kind: type, n: int = 1) -> Any:
        def found() -> list[Any]:
            return [message for message in self.messages + self.reports if isinstance(message, kind)]

        wait_until(lambda: len(found()) >= n, what=kind.__name__)
        return found()[n - 1]


@pytest.fixture
def stage() -> Iterator[Callable[[Sink], Stage]]:
    opened: list[Stage] = []

    def open_sink(sink: Sink) -> Stage:
        opened.append(Stage(sink))
        return opened[-1]

    yield open_sink
    for entry in opened:
        entry.sink.close()


def test_the_null_sink_takes_as_long_as_the_sound(stage: Callable[[Sink], Stage]) -> None:
    on = stage(NullSink(10))
    seconds: list[float] = []
    while len(seconds) < ATTEMPTS and min(seconds, default=9.0) > 0.6:
        begun = time.monotonic()
        on.play(str(len(seconds)), np.full(RATE // 2, 5))
        on.wait(LineEnded, len(seconds) + 1)
        seconds.append(time.monotonic() - begun)
        assert seconds[-1] > 0.48  # the last block is taken 10 ms before its end
    assert min(seconds) <= 0.6


def test_a_resting_sink_begins_at_once(stage: Callable[[Sink], Stage]) -> None:
    on = stage(NullSink(50))
    on.wait(SinkBack)
    delays: list[float] = []
    while len(delays) < ATTEMPTS and min(delays, default=99.0) >= 10:
        number = len(delays)
        time.sleep(0.03)
        sent = time.monotonic_ns()
        on.play(str(number), np.full(32, 5))
        delays.append((on.wait(LineBegan, number + 1).t0_ns - sent) / 1e6)
        on.wait(LineEnded, number + 1)
    assert min(delays) < 10  # far less than a block


def test_the_wav_sink_records_the_sound_and_the_gaps(stage: Callable[[Sink], Stage], tmp_path: Path) -> None:
    on = stage(WavSink(tmp_path / "deep" / "sound.wav", 10, max_gap_s=0.2))
    on.play("a", np.arange(1, 3201))
    on.wait(LineEnded)
    time.sleep(0.5)
    on.play("b", np.full(3200, -7))
    on.wait(LineEnded, 2)
    on.sink.close()
    with wave.open(str(tmp_path / "deep" / "sound.wav")) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (RATE, 1, 2)
        sound = np.frombuffer(file.readframes(file.getnframes()), dtype="<i2")
    assert np.array_equal(sound[:3200], np.arange(1, 3201))
    gap = np.flatnonzero(sound == -7)[0] - 3200
    assert gap == pytest.approx(0.2 * RATE, abs=RATE * 0.02)
    assert np.count_nonzero(sound == -7) == 3200


def test_a_recording_that_grows_too_long_goes_on_in_a_new_file(
    stage: Callable[[Sink], Stage], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.playback.wav.MAX_DATA_BYTES", 5000)
    on = stage(WavSink(tmp_path / "sound.wav", 10, max_gap_s=0.0))
    on.play("a", np.full(6400, 7))
    on.wait(LineEnded)
    on.sink.close()
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["sound-2.wav", "sound-3.wav", "sound.wav"]
    total = 0
    for name in names:
        with wave.open(str(tmp_path / name)) as file:
            total += file.getnframes()
    assert total == 6400


def test_a_directory_that_cannot_be_made_is_reported(stage: Callable[[Sink], Stage], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    on = stage(WavSink(tmp_path / "file" / "sound.wav", 10, 1.0))
    assert "wav" in on.wait(SinkLost).message


def test_attempts_that_fail_do_not_count_as_files(
    stage: Callable[[Sink], Stage], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.playback.sink.RETRY_MIN_S", 0.01)
    monkeypatch.setattr("edge.playback.sink.RETRY_MAX_S", 0.02)
    (tmp_path / "folder").write_text("")
    on = stage(WavSink(tmp_path / "folder" / "sound.wav", 10, 1.0))
    for n in range(1, 4):
        on.wait(SinkLost, n)
    (tmp_path / "folder").unlink()
    on.wait(SinkBack)
    assert [path.name for path in (tmp_path / "folder").iterdir()] == ["sound.wav"]


def test_sinks_by_configuration(tmp_path: Path) -> None:
    assert isinstance(make_sink(NullSinkConfig()), NullSink)
    assert isinstance(make_sink(WavSinkConfig(path=tmp_path / "x.wav")), WavSink)
    assert isinstance(make_sink(AlsaSinkConfig()), AlsaSink)


class Card:
    """Stands for the sounddevice module and its one stream."""

    def __init__(self) -> None:
        self.streams: list[dict[str, Any]] = []
        self.fault: Exception | None = None
        self.active = True

    def OutputStream(self, **options: Any) -> Card:
        if self.fault is not None:
            raise self.fault
        self.streams.append(options)
        return self

    def __enter__(self) -> Card:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def ask(self, n_frames: int, underflow: bool = False) -> np.ndarray:
        options = self.streams[-1]
        out = np.full((n_frames, options["channels"]), -1, dtype=np.int16)
        times = SimpleNamespace(outputBufferDacTime=10.02, currentTime=10.0)
        options["callback"](
            out, n_frames, times, SimpleNamespace(output_underflow=underflow) if underflow else 0
        )
        return out


def opened(stage: Callable[[Sink], Stage], card: Card, **options: Any) -> Stage:
    on = stage(AlsaSink(AlsaSinkConfig(**options), backend=card))
    wait_until(lambda: card.streams)
    return on


def test_a_sound_card_gets_the_voice_at_its_own_rate(stage: Callable[[Sink], Stage]) -> None:
    card = Card()
    on = opened(stage, card, device="USB", channels=2, latency_ms=25)
    options = card.streams[0]
    assert (options["samplerate"], options["device"], options["blocksize"]) == (RATE, "USB", 160)
    assert (options["dtype"], options["latency"]) == ("int16", 0.025)
    assert not card.ask(320).any()
    on.play("a", np.arange(1, 401))
    sound = np.concatenate([card.ask(320), card.ask(320)])
    assert np.array_equal(sound[:400, 0], np.arange(1, 401)) and np.array_equal(sound[:, 0], sound[:, 1])
    assert on.wait(LineBegan).device_latency_s == pytest.approx(0.02)
    assert on.wait(LineEnded).underruns == 0
    on.play("b", np.full(700, 9))
    card.ask(320)
    card.ask(320, underflow=True)
    card.ask(320)
    assert on.wait(LineEnded, 2).underruns == 1


def test_a_card_with_another_rate_gets_resampled_sound(stage: Callable[[Sink], Stage]) -> None:
    card = Card()
    on = opened(stage, card, sample_rate=48_000)
    assert card.streams[0]["samplerate"] == 48_000
    t = np.arange(RATE) / RATE
    on.play("a", 10_000 * np.sin(2 * np.pi * 1000 * t))
    sound = np.concatenate([card.ask(480)[:, 0] for _ in range(100)]).astype(float)
    spectrum = np.abs(np.fft.rfft(sound[9600:38_400] * np.hanning(28_800)))
    assert np.argmax(spectrum) * 48_000 / 28_800 == pytest.approx(1000, abs=2)
    assert np.abs(sound[9600:38_400]).max() == pytest.approx(10_000, rel=0.02)


def test_an_unplugged_card_is_lost_and_found_again(stage: Callable[[Sink], Stage]) -> None:
    card = Card()
    on = opened(stage, card)
    on.wait(SinkBack)
    card.active = False
    card.streams[-1]["finished_callback"]()
    assert "plug" in on.wait(SinkLost).message
    card.active = True
    on.wait(SinkBack, 2)
    assert len(card.streams) == 2


def test_a_card_that_falls_silent_is_lost(
    stage: Callable[[Sink], Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("edge.playback.alsa.SILENT_CALLBACK_LIMIT_S", 0.1)
    monkeypatch.setattr("edge.playback.alsa.CHECK_INTERVAL_S", 0.02)
    on = opened(stage, Card())
    assert "no longer asks" in on.wait(SinkLost).message


def test_a_missing_card_names_the_remedy(stage: Callable[[Sink], Stage]) -> None:
    card = Card()
    card.fault = ValueError("No output device matching 'USB'")
    on = stage(AlsaSink(AlsaSinkConfig(device="USB"), backend=card))
    assert "python -m sounddevice" in on.wait(SinkLost).message


def test_missing_libraries_name_the_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    from edge.playback import alsa

    def fail(error: Exception) -> Callable[[str], Any]:
        def import_module(_: str) -> Any:
            raise error

        return import_module

    monkeypatch.setattr(alsa.importlib, "import_module", fail(ImportError("no module")))
    with pytest.raises(SinkError, match="extra `audio`"):
        alsa.load_backend()
    monkeypatch.setattr(alsa.importlib, "import_module", fail(OSError("PortAudio library not found")))
    with pytest.raises(SinkError, match="libportaudio2"):
        alsa.load_backend()


def test_a_fault_in_the_callback_is_silence(
    stage: Callable[[Sink], Stage], monkeypatch: pytest.MonkeyPatch
) -> None:
    card = Card()
    on = opened(stage, card)
    monkeypatch.setattr(on.player, "pull", lambda *_: 1 / 0)
    assert not card.ask(320).any()
