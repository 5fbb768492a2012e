"""Renders a corpus: every line of the script by the teachers that a configuration names.

    sovits-distill corpus --out corpus

Two x86 cores render the 3.5 hours of the built-in voice in about ten minutes. A run that was killed goes on where it
stopped; a line whose text, phonemes or delivery changed is rendered again, the others stay.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import multiprocessing
import os
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from tqdm import tqdm

from edge.spec import FINAL_SYMBOL, LEADING_SYMBOL
from edge.text import FrontEnd, Reading
from edge.text.symbols import PUNCTUATION, SYMBOLS_SHA256

from . import sound
from .config import CorpusConfig, DistillError, Recording
from .script import Line, load_lines
from .teachers import LineRejected, LineRequest, Teacher, make_teacher

RATE_STEP = 0.1  # of the lines said faster and slower
LEVEL_LINES = 24  # neutral lines from which the gain of a character and language is set


@dataclass(frozen=True)
class Job:
    """One utterance to render.

    Attributes:
        id: hash of all that decides the sound; also the file name.
        gain: applied after resampling.
    """

    id: str
    split: str
    teacher: str
    request: LineRequest
    gain: float


# --- What is to be said ----------------------------------------------------------------------------------------


def plan_lines(recording: Recording, script: Sequence[Line], seed: int) -> Iterator[tuple[str, str, float, Line]]:
    """Deal the script out: yields split, emotion, rate and line.

    Drills, sentences and short lines all go to every character, spread over its emotions; patterns fill what is left.
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
    for index, line in enumerate(lines["valid"]):
        yield "valid", emotions[index % len(emotions)], 1.0, line
    for emotion, count in recording.test_lines.items():
        yield from (("test", emotion, 1.0, line) for line in lines["test"][:count])
    for index, line in enumerate(lines["test"][: recording.rate_test_lines]):
        yield "test_rate", "neutral", 1 + RATE_STEP * (-1) ** index, line


def plan(config: CorpusConfig, front_end: FrontEnd) -> Iterator[tuple[str, str, LineRequest]]:
    """Read every utterance of a corpus: yields split, teacher and request."""
    readings: dict[tuple[str, str], Reading] = {}
    for recording in config.recordings:
        script = load_lines(recording.language)
        for split, emotion, rate, line in plan_lines(recording, script, config.seed):
            key = (recording.language, line.text)
            if key not in readings:
                readings[key] = front_end.read(line.text, recording.language)
            yield split, recording.teacher, LineRequest(
                line.text, readings[key], recording.language, recording.character, emotion, rate, config.seed
            )


# --- Rendering -------------------------------------------------------------------------------------------------


class Studio:
    """Holds the teachers of one process and renders with them."""

    def __init__(self, config: CorpusConfig, folder: Path) -> None:
        self._config = config
        self._folder = folder
        self._teachers: dict[str, Teacher] = {}

    def teacher(self, name: str) -> Teacher:
        """Give the teacher of that name, made on first use."""
        if name not in self._teachers:
            self._teachers[name] = make_teacher(name)
        return self._teachers[name]

    def speak(self, teacher: str, request: LineRequest) -> tuple[sound.Audio, list[tuple[str, float]]]:
        """Give trimmed sound at 32 kHz and the teacher's own level, and phoneme times if it has them.

        Raises:
            LineRejected: the teacher would say something else, or nothing.
        """
        line = self.teacher(teacher).synthesize(request)
        audio = sound.resample(line.audio, line.sample_rate)
        try:
            audio, moved = sound.trim(audio, self._config.leading_silence_s, self._config.trailing_silence_s)
        except ValueError as error:
            raise LineRejected("silent", str(error)) from error
        return audio, [(name, round(max(0.0, start - moved), 4)) for name, start in line.phoneme_times or ()]

    def render(self, job: Job) -> dict[str, Any]:
        """Write the sound of one utterance and give its manifest row, or why there is none."""
        try:
            audio, times = self.speak(job.teacher, job.request)
            _save(self._folder / "audio" / f"{job.id}.flac", audio * job.gain)
        except LineRejected as rejection:
            return {"id": job.id, "rejected": rejection.reason, "detail": str(rejection)}
        return _row(job, len(audio) / sound.SAMPLE_RATE, times)

    def close(self) -> None:
        """End the teachers' processes."""
        for teacher in self._teachers.values():
            teacher.close()


def student_phonemes(reading: Reading) -> tuple[list[str], list[str], list[int]]:
    """Give phonemes, languages and word starts exactly as the student is given them at run time."""
    phonemes = [LEADING_SYMBOL, *reading.phonemes]
    languages = [reading.languages[0], *reading.languages]
    if phonemes[-1] not in PUNCTUATION:
        phonemes.append(FINAL_SYMBOL)
        languages.append(languages[-1])
    starts = {word.start + 1 for word in reading.words}
    return phonemes, languages, [int(index in starts) for index in range(len(phonemes))]


def _row(job: Job, seconds: float, times: Sequence[tuple[str, float]]) -> dict[str, Any]:
    request = job.request
    phonemes, languages, word_starts = student_phonemes(request.reading)
    row = {
        "id": job.id, "character": request.character, "language": request.language, "emotion": request.emotion,
        "text": request.text, "phonemes": phonemes, "languages": languages, "word_starts": word_starts,
        "audio": f"audio/{job.id}.flac", "seconds": round(seconds, 4), "split": job.split,
        "teacher": job.teacher, "rate": request.rate, "seed": request.seed,
    }  # fmt: skip
    return row | {"phoneme_times": times} if times else row


# --- The command -----------------------------------------------------------------------------------------------


def make_corpus(config: CorpusConfig, folder: Path, processes: int = 2) -> dict[str, Any]:
    """Render what is missing and write ``manifest.jsonl`` and ``corpus.json``.

    Returns:
        What went into ``corpus.json``.

    Raises:
        DistillError: another run is at work in the folder.
        TeacherError: a teacher is not installed.
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
            raise DistillError(f"another run is writing to {folder}; wait for it or choose another folder") from error
        yield


def _make_corpus(config: CorpusConfig, folder: Path, processes: int) -> dict[str, Any]:
    studio = Studio(config, folder)
    requests = list(plan(config, FrontEnd()))
    gains = _gains(studio, config, requests)
    jobs = [_job(studio, split, teacher, request, gains) for split, teacher, request in requests]
    origins = {name: asdict(studio.teacher(name).origin()) for name in {job.teacher for job in jobs}}
    studio.close()
    rows = _render_missing(jobs, config, folder, processes)
    ordered = [rows[job.id] for job in jobs]
    _remove_others(folder / "audio", {job.id for job in jobs})
    summary = _summary(config, ordered, origins, gains)
    kept = [row for row in ordered if "rejected" not in row]
    _write(folder / "manifest.jsonl", "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in kept))
    _write(folder / "corpus.json", json.dumps(summary, ensure_ascii=False, indent=1) + "\n")
    return summary


def _gains(
    studio: Studio, config: CorpusConfig, requests: Sequence[tuple[str, str, LineRequest]]
) -> dict[tuple[str, str], float]:
    """Find the gain of each character and language from its first neutral lines."""
    samples: dict[tuple[str, str], list[tuple[str, LineRequest]]] = {}
    for split, teacher, request in requests:
        if split == "train" and request.emotion == "neutral":
            samples.setdefault((request.character, request.language), []).append((teacher, request))
    gains = {}
    for key, lines in tqdm(samples.items(), desc="levels", unit="voice"):
        spoken = []
        for teacher, request in lines[:LEVEL_LINES]:
            try:
                spoken.append(studio.speak(teacher, request)[0])
            except LineRejected:
                continue
        gains[key] = round(10 ** ((config.level_dbfs - sound.level_dbfs(spoken)) / 20), 4)
    return gains


def _job(
    studio: Studio, split: str, teacher: str, request: LineRequest, gains: Mapping[tuple[str, str], float]
) -> Job:
    gain = gains[request.character, request.language]
    delivery = studio.teacher(teacher).delivery(request)
    parts = [split, teacher, delivery, request.text, *request.reading.phonemes, request.rate, request.seed, gain]
    digest = hashlib.sha256("\t".join(map(str, parts)).encode()).hexdigest()[:12]
    return Job(f"{request.character}-{request.language}-{request.emotion}-{digest}", split, teacher, request, gain)


def _render_missing(
    jobs: Sequence[Job], config: CorpusConfig, folder: Path, processes: int
) -> dict[str, dict[str, Any]]:
    """Render the jobs that ``progress.jsonl`` does not hold; each finished line is on disk before the next."""
    progress = folder / "progress.jsonl"
    rows = {row["id"]: row for row in _finished(progress, folder)}
    missing = [job for job in {job.id: job for job in jobs}.values() if job.id not in rows]
    context = multiprocessing.get_context("spawn")
    with progress.open("a", encoding="utf-8") as log, context.Pool(processes, _start, (config, folder)) as pool:
        rendered = pool.imap_unordered(_render, missing, chunksize=4)
        for row in tqdm(rendered, total=len(missing), desc="lines", unit="line"):
            log.write(json.dumps(row, ensure_ascii=False) + "\n")
            log.flush()
            rows[row["id"]] = row
    return rows


def _remove_others(folder: Path, wanted: set[str]) -> None:
    """Remove sound that an earlier script or delivery left behind."""
    for path in folder.iterdir():
        if path.name.split(".", 1)[0] not in wanted:
            path.unlink()


def _finished(progress: Path, folder: Path) -> Iterator[dict[str, Any]]:
    """Read what an earlier run did; a last line cut short by a kill is dropped."""
    if not progress.exists():
        return
    text = progress.read_text("utf-8")
    if not text.endswith("\n"):
        text = text[: text.rfind("\n") + 1]
        _write(progress, text)
    for line in text.splitlines():
        row = json.loads(line)
        if "rejected" in row or (folder / row["audio"]).exists():
            yield row


_studio: Studio | None = None  # one per worker process


def _start(config: CorpusConfig, folder: Path) -> None:
    global _studio
    os.nice(5)
    _studio = Studio(config, folder)


def _save(path: Path, audio: sound.Audio) -> None:
    """Write a FLAC file, or reject a line so loud that it would clip at its character's level."""
    try:
        sound.save_flac(path, audio)
    except ValueError as error:
        raise LineRejected("clipping", str(error)) from error


def _render(job: Job) -> dict[str, Any]:
    assert _studio is not None, "started by the pool"
    return _studio.render(job)


def _write(path: Path, text: str) -> None:
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_text(text, "utf-8")
    os.replace(unfinished, path)


def _summary(
    config: CorpusConfig,
    rows: Sequence[Mapping[str, Any]],
    origins: Mapping[str, Any],
    gains: Mapping[tuple[str, str], float],
) -> dict[str, Any]:
    kept = [row for row in rows if "rejected" not in row]
    counts: Counter[str] = Counter()
    seconds: Counter[str] = Counter()
    for row in kept:
        key = f"{row['character']} {row['language']} {row['emotion']} {row['split']}"
        counts[key] += 1
        seconds[row["split"]] += row["seconds"]
    rejected = Counter(f"{row['id'].rsplit('-', 1)[0]} {row['rejected']}" for row in rows if "rejected" in row)
    return {
        "config_sha256": hashlib.sha256(config.model_dump_json().encode()).hexdigest(),
        "symbols_sha256": SYMBOLS_SHA256,
        "teachers": dict(sorted(origins.items())),
        "hours": {split: round(total / 3600, 3) for split, total in seconds.items()},
        "lines": dict(counts),
        "rejected": dict(rejected),
        "gains": {" ".join(key): gain for key, gain in gains.items()},
    }
