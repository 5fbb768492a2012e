"""Sound over MQTT: chunks in order, bounded, complete."""

from __future__ import annotations

import hashlib
import io
import json
import wave

import numpy as np

from edge.messages import AudioOptions
from edge.protocols.audio_sender import AudioSender
from tests.edge.sound import chunks

LABEL = {"ai_generated": True, "profile": "eu", "text": "AI"}


def send(options: AudioOptions, limit: int, *lengths: int) -> dict[str, bytes]:
    sent: dict[str, bytes] = {}
    sender = AudioSender(
        "x", options, limit, lambda topic, payload, _: sent.update({topic: payload}) is None, LABEL
    )
    for chunk in chunks(*lengths):
        sender.send(chunk)
    sender.end()
    assert not sender.lost
    return sent


def test_chunks_are_numbered_bounded_and_complete() -> None:
    sent = send(AudioOptions(chunk_bytes=1000), 10_000, 300, 1700, 1)
    data = [sent[f"audio/x/{number}"] for number in range(len(sent) - 2)]
    assert [len(piece) for piece in data] == [600, 1000, 1000, 1000, 400, 2]
    end = json.loads(sent["audio/x/end"])
    joined = b"".join(data)
    assert end == {"chunks": 6, "bytes": 4002, "sha256": hashlib.sha256(joined).hexdigest()}
    assert np.array_equal(np.frombuffer(joined, "<i2"), np.arange(2001))
    assert json.loads(sent["audio/x/meta"])["label"] == LABEL
    assert next(iter(sent)) == "audio/x/meta" and list(sent)[-1] == "audio/x/end"


def test_the_smaller_of_both_limits_counts_and_samples_stay_whole() -> None:
    sent = send(AudioOptions(chunk_bytes=5001), 777, 2000)
    sizes = [len(payload) for topic, payload in sent.items() if topic.rsplit("/")[-1].isdigit()]
    assert max(sizes) == 776 and all(size % 2 == 0 for size in sizes)


def test_wav_of_unknown_length_reads_to_its_end() -> None:
    sent = send(AudioOptions(format="wav", chunk_bytes=1000), 10_000, 700, 1300)
    data = b"".join(sent[f"audio/x/{number}"] for number in range(len(sent) - 2))
    with wave.open(io.BytesIO(data)) as file:
        assert len(file.readframes(file.getnframes())) == 4000


def test_a_message_that_is_not_taken_is_noted() -> None:
    sender = AudioSender("x", AudioOptions(), 10_000, lambda *_: False, LABEL)
    sender.send(chunks(10)[0])
    assert sender.lost
