"""Renders a corpus: every line of the script by the teachers that a configuration names.

    sovits-distill corpus --out corpus

Two x86 cores render the 6.4 hours of the built-in voice in about ten minutes. A run that was killed goes on
where it stopped; a line whose text, phonemes or delivery changed is rendered again, the others stay.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import multiprocessing
import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from dataclasses import asdict
from itertools import islice
from pathlib import Path
from typing import Any

from tqdm import tqdm

from edge.text import FrontEnd, Reading
from edge.text.symbols import SYMBOLS_SHA256

from . import sound
from .config import CorpusConfig, DistillError, Recording
from .script import Line, inventory, load_lines
from .studio import Job, Studio
from .teachers import LineRejectedError, LineRequest

RATE_STEP = 0.1  # of the lines said faster and slower
LEVEL_LINES = 24  # neutral lines from which the gain of a character and language is set

Row = dict[str, Any]
Planned = tuple[str, str, LineRequest]  # split, teacher, what to say
Gains = Mapping[tuple[str, str], float]  # by character and language


# --- What is to be said -------------------------------------------------------------------------------------


def plan_lines(
    recording: Recording, script: Sequence[Line], seed: int
) -> Iterator[tuple[str, str, float, Line]]:
    """Deal the script out: yields split, emotion, rate and line.

    Drills, sentences and short lines all go to every character, spread over its emotions; patterns fill up.
    """
    shuffle = random.Random(f"{seed} {recording.character} {recording.language}").shuffle
    lines = {split: [line for line in script if line.split == split] for split in ("train", "valid", "test")}
    must = [line for line in lines["train"] if line.kind in ("drill", "sentence", "short")]
    rest = [line for line in lines["train"] if line.kind not in ("drill", "sentence", "short")]
    shuffle(rest)
    wanted = sum(recording.lines.values())
    chosen = (must + rest)[:wanted]
    shuffle(chosen)
    dealt = iter(chosen)
    for emotion, count in recording.lines.items():
        yield from (("train", emotion, 1.0, line) for line in islice(dealt, count))
    emotions = list(recording.lines)
    for index, line in enumerate(lines["valid"][: recording.valid_lines]):
        yield "valid", emotions[index % len(emotions)], 1.0, line
    for emotion, count in recording.test_lines.items():
        yield from (("test", emotion, 1.0, line) for line in lines["test"][:count])
    for index, line in enumerate(lines["test"][: recording.rate_test_lines]):
        yield "test_rate", "neutral", 1 + RATE_STEP * (-1) ** index, line


def plan(config: CorpusConfig, front_end: FrontEnd) -> Iterator[Planned]:
    """Read every utterance of a corpus."""
    readings: dict[tuple[str, str], Reading] = {}
    for recording in config.recordings:
        who, language = recording.character, recording.language
        script = load_lines(language)
        for split, emotion, rate, line in plan_lines(recording, script, config.seed):
            if (language, line.text) not in readings:
                readings[language, line.text] = front_end.read(line.text, language)
            reading = readings[language, line.text]
            request = LineRequest(line.text, reading, language, who, emotion, rate, config.seed)
            yield split, recording.teacher, request


# --- The command --------------------------------------------------------------------------------------------


def make_corpus(config: CorpusConfig, folder: Path, processes: int = 2) -> dict[str, Any]:
    """Render what is missing and write ``manifest.jsonl`` and ``corpus.json``.

    Returns:
        What went into ``corpus.json``.

    Raises:
        DistillError: another run is at work in the folder, or a rendering process was killed.
        TeacherError: a teacher is not installed, or does not know a character.
    """
    (folder / "audio").mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        return _make_corpus(config, folder, processes)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep a second run out of the folder; the lock goes with the process, however that ends."""
    with (folder / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            message = f"another run is writing to {folder}; wait for it or choose another folder"
            raise DistillError(message) from error
        yield


def _make_corpus(config: CorpusConfig, folder: Path, processes: int) -> dict[str, Any]:
    studio = Studio(config, folder)
    try:
        planned = list(plan(config, FrontEnd()))
        gains = _gains(studio, config, planned)
        jobs = [_job(studio, *one, gains) for one in planned]
        origins = {name: asdict(studio.teacher(name).origin()) for name in {job.teacher for job in jobs}}
    finally:
        studio.close()
    rows = _render_missing(jobs, config, folder, processes)
    ordered = [rows[job.id] for job in jobs]
    _remove_others(folder / "audio", {f"{job.id}.flac" for job in jobs})
    summary = _summary(config, ordered, origins, gains)
    kept = [row for row in ordered if "rejected" not in row]
    _write_json(folder / "manifest.jsonl", kept)
    _write_json(folder / "corpus.json", [summary], indent=1)
    return summary


def _gains(studio: Studio, config: CorpusConfig, planned: Sequence[Planned]) -> Gains:
    """Find the gain of each character and language from its first neutral training lines."""
    samples: dict[tuple[str, str], list[tuple[str, LineRequest]]] = {}
    for split, teacher, request in planned:
        if split == "train" and request.emotion == "neutral":
            samples.setdefault((request.character, request.language), []).append((teacher, request))
    gains = {}
    for key, lines in tqdm(samples.items(), desc="levels", unit="voice"):
        spoken = []
        for teacher, request in lines[:LEVEL_LINES]:
            try:
                spoken.append(studio.speak(teacher, request)[0])
            except LineRejectedError:
                continue
        if not spoken:
            raise DistillError(
                f"none of the first neutral lines of {' '.join(key)} can be spoken; check the teacher"
            )
        gains[key] = round(10 ** ((config.level_dbfs - sound.level_dbfs(spoken)) / 20), 4)
    return gains


def _job(studio: Studio, split: str, teacher: str, request: LineRequest, gains: Gains) -> Job:
    key = (request.character, request.language)
    if key not in gains:
        raise DistillError(f"{' '.join(key)} has no neutral lines, which set its level; add some to [corpus]")
    return studio.job(split, teacher, request, gains[key])


def _remove_others(folder: Path, wanted: set[str]) -> None:
    """Remove sound that an earlier script or delivery, or a killed run, left behind."""
    for path in folder.iterdir():
        if path.name not in wanted:
            path.unlink()


# --- Rendering in several processes -------------------------------------------------------------------------


def _render_missing(
    jobs: Sequence[Job], config: CorpusConfig, folder: Path, processes: int
) -> dict[str, Row]:
    """Render the jobs that ``progress.jsonl`` does not hold; each line goes to disk before the next."""
    progress = folder / "progress.jsonl"
    rows = {row["id"]: row for row in _finished(progress, folder)}
    missing = [job for job in {job.id: job for job in jobs}.values() if job.id not in rows]
    with progress.open("a", encoding="utf-8") as log:
        rendered = _render_all(missing, config, folder, processes) if missing else ()
        for row in tqdm(rendered, total=len(missing), desc="lines", unit="line"):
            log.write(json.dumps(row, ensure_ascii=False) + "\n")
            log.flush()
            rows[row["id"]] = row
    return rows


def _render_all(jobs: Sequence[Job], config: CorpusConfig, folder: Path, processes: int) -> Iterator[Row]:
    # Spawned, not forked: a fork would share the pipe to a teacher's program, and threads are running.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, context, _start, (config, folder)) as pool:
        try:
            for done in as_completed([pool.submit(_render, job) for job in jobs]):
                yield done.result()
        except BrokenProcessPool as error:
            raise DistillError("a rendering process was killed; run the command again to go on") from error
        finally:
            pool.shutdown(cancel_futures=True)


_studio: Studio | None = None  # one per worker process


def _start(config: CorpusConfig, folder: Path) -> None:
    global _studio
    os.nice(5)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the command, which ends its workers
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _studio = Studio(config, folder)


def _end_with_parent() -> None:
    """Leave when the command was killed: a worker waits for work through a pipe that it holds open itself."""
    parent = multiprocessing.parent_process()
    assert parent is not None, "started by the pool"
    parent.join()
    os._exit(1)


def _render(job: Job) -> Row:
    assert _studio is not None, "started by the pool"
    return _studio.render(job)


# --- Files --------------------------------------------------------------------------------------------------


def _finished(progress: Path, folder: Path) -> Iterator[Row]:
    """Read what an earlier run did; what a kill or a power cut left damaged is dropped and done again."""
    if not progress.exists():
        return
    data = progress.read_bytes()
    if not data.endswith(b"\n"):
        data = data[: data.rfind(b"\n") + 1]
        _write(progress, data)
    for line in data.splitlines():
        try:
            row = json.loads(line)
        except ValueError:
            continue
        if "rejected" in row or (folder / row["audio"]).exists():
            yield row


def _write(path: Path, data: bytes) -> None:
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_bytes(data)
    unfinished.replace(path)


def _write_json(path: Path, values: Iterable[Any], indent: int | None = None) -> None:
    text = "".join(json.dumps(value, ensure_ascii=False, indent=indent) + "\n" for value in values)
    _write(path, text.encode())


def _summary(
    config: CorpusConfig, rows: Sequence[Row], origins: Mapping[str, Any], gains: Gains
) -> dict[str, Any]:
    kept = [row for row in rows if "rejected" not in row]
    lines: Counter[str] = Counter()
    seconds: Counter[str] = Counter()
    for row in kept:
        lines[f"{row['character']} {row['language']} {row['emotion']} {row['split']}"] += 1
        seconds[row["split"]] += row["seconds"]
    rejected = Counter(
        f"{row['id'].rsplit('-', 1)[0]} {row['rejected']}" for row in rows if "rejected" in row
    )
    return {
        "config_sha256": hashlib.sha256(config.model_dump_json().encode()).hexdigest(),
        "symbols_sha256": SYMBOLS_SHA256,
        "teachers": dict(sorted(origins.items())),
        "hours": {split: round(total / 3600, 3) for split, total in seconds.items()},
        "lines": dict(lines),
        "rejected": dict(rejected),
        "gains": {" ".join(key): gain for key, gain in gains.items()},
        "never_spoken": _never_spoken(kept),
    }


def _never_spoken(rows: Sequence[Row]) -> dict[str, list[str]]:
    """List by character and language what no training line holds: a voice can only guess at it."""
    spoken: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        if row["split"] == "train":
            spoken.setdefault((row["character"], row["language"]), set()).update(row["phonemes"])
    return {" ".join(key): sorted(inventory(key[1]) - found) for key, found in spoken.items()}
