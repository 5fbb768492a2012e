"""Renders a corpus: every line of the script by the teachers that a configuration names, judged by the gate.

    sovits-distill corpus --out corpus

Two x86 cores render about ten lines a second: the built-in voice, eleven hours, in half an hour. A run that
was killed goes on where it stopped; a line whose text, phonemes or delivery changed is rendered again, the
others stay.
"""

from __future__ import annotations

import hashlib
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from edge.text import FrontEnd

from ..config import DistillError
from .config import CorpusConfig
from ..exclusive import exclusive
from ..files import read_json, write_json, write_rows
from ..gate import LEARN_LINES, GateConfig, Voice
from ..progress_bar import ProgressBar, tracked
from .plan import Planned, plan
from .progress import Progress, manifest_row, read_progress
from .ranks import Ranks, expected_rank, join_ranks
from .workers import Renderers
from .utterance import Job, Judge, MakeTeacher, Row, Studio
from .summary import list_rejections, summarize
from ..teachers import make_teacher
from .told_prosody import FOLDER as PROSODY

LEVEL_LINES = 24  # neutral lines from which the gain of a character and language is set

Who = tuple[str, str]  # character and language
Gains = Mapping[Who, float]


def make_corpus(
    config: CorpusConfig,
    folder: Path,
    processes: int = 2,
    gate: GateConfig | None = None,
    make: MakeTeacher = make_teacher,
    devices: int = 1,
) -> dict[str, Any] | None:
    """Render what is missing and write ``manifest.jsonl``, ``rejections.jsonl`` and ``corpus.json``.

    Args:
        config: what to say.
        folder: where the corpus is, or will be.
        processes: that render at the same time, for each device.
        gate: what is taken for a fault.
        make: gives a teacher by the name that a recording has; handed to other processes.
        devices: GPUs, or processes on a CPU, that share the work.

    Returns:
        What went into ``corpus.json``; None in every process but the first.

    Raises:
        DistillError: another run is at work in the folder, or a process was killed.
        TeacherError: a teacher is not installed, or does not know a character.
    """
    own = Ranks(rank=expected_rank()).folder(folder)
    (folder / "audio").mkdir(parents=True, exist_ok=True)
    own.mkdir(parents=True, exist_ok=True)
    with exclusive(own):
        ranks = join_ranks(devices)
        rules = gate or GateConfig()
        with Renderers(processes, config, folder, rules, make, ranks.gpu) as renderers:
            studio = Studio(config, folder, rules, make)
            try:
                return _Run(config, folder, rules, ranks, renderers, studio).run()
            finally:
                studio.close()


class _Run:
    """One process of the command, from the plan to the manifest."""

    def __init__(
        self,
        config: CorpusConfig,
        folder: Path,
        gate: GateConfig,
        ranks: Ranks,
        renderers: Renderers,
        studio: Studio,
    ) -> None:
        self._config, self._folder, self._gate = config, folder, gate
        self._ranks, self._renderers, self._studio = ranks, renderers, studio
        self._first_key = _digest(gate.model_dump_json()) if gate.enabled else "off"

    def run(self) -> dict[str, Any] | None:
        """Render, learn, review; the first process then writes what there is."""
        planned = list(plan(self._config, FrontEnd(self._config.lexicon), self._studio.teacher))
        gains = self._gains(planned)
        jobs = list({job.id: job for job in (self._job(one, gains) for one in planned)}.values())
        self._render(jobs)
        judges = self._learn(jobs)
        self._review(jobs, judges)
        if self._ranks.rank > 0:
            return None
        rows = read_progress(self._folder)
        ordered = [rows[job.id] for job in jobs]
        kept = [manifest_row(row) for row in ordered if "rejected" not in row]
        for kind, key in (("audio", "audio"), (PROSODY, "prosody")):
            _remove_others(self._folder / kind, {Path(row[key]).name for row in kept if key in row})
        origins = {name: asdict(self._studio.teacher(name).origin()) for name in {j.teacher for j in jobs}}
        summary = summarize(self._config, self._gate, jobs, rows, origins, gains)
        summary["gate"]["voices"] = dict(_described(judges))
        write_rows(self._folder / "rejections.jsonl", list_rejections(jobs, rows))
        write_rows(self._folder / "manifest.jsonl", kept)
        write_json(self._folder / "corpus.json", summary)
        return summary

    # --- Levels ---

    def _gains(self, planned: Sequence[Planned]) -> Gains:
        """Find the gain of each character and language from its first neutral training lines, once."""
        samples: dict[Who, list[Job]] = defaultdict(list)
        for split, teacher, request in planned:
            who = (request.character, request.language)
            if split == "train" and request.emotion == "neutral" and len(samples[who]) < LEVEL_LINES:
                samples[who].append(self._studio.job(split, teacher, request, 1.0))
        path = self._folder / "levels.json"
        keys = {
            who: _digest(*(job.id for job in own), self._config.level_dbfs) for who, own in samples.items()
        }
        if self._ranks.rank == 0:
            known = read_json(path) if path.is_file() else {}
            wanted = [who for who in samples if known.get(" ".join(who), {}).get("key") != keys[who]]
            measured = self._measure({who: samples[who] for who in wanted})
            for who, gain in measured.items():
                known[" ".join(who)] = {"key": keys[who], "gain": gain}
            write_json(path, known)
        self._ranks.wait()
        return {who: read_json(path)[" ".join(who)]["gain"] for who in samples}

    def _measure(self, samples: Mapping[Who, Sequence[Job]]) -> dict[Who, float]:
        owners = [who for who, jobs in samples.items() for _ in jobs]
        tasks = [(job,) for jobs in samples.values() for job in jobs]
        powers: dict[Who, list[tuple[float, int]]] = {who: [] for who in samples}
        results = self._renderers.each("level", tasks) if tasks else ()
        for index, power in tracked(results, "levels", len(tasks), "line"):
            if power is not None:
                powers[owners[index]].append(power)
        return {who: self._gain(who, found) for who, found in powers.items()}

    def _gain(self, who: Who, powers: Sequence[tuple[float, int]]) -> float:
        if not powers:
            raise DistillError(
                f"none of the first neutral lines of {' '.join(who)} can be spoken; check the teacher"
            )
        mean = math.fsum(power for power, _ in powers) / sum(count for _, count in powers)
        return float(round(10 ** ((self._config.level_dbfs - 10 * math.log10(mean)) / 20), 4))

    def _job(self, planned: Planned, gains: Gains) -> Job:
        split, teacher, request = planned
        who = (request.character, request.language)
        if who not in gains:
            raise DistillError(
                f"{' '.join(who)} has no neutral lines, which set its level; add some to [corpus]"
            )
        return self._studio.job(split, teacher, request, gains[who])

    # --- Lines ---

    def _render(self, jobs: Sequence[Job]) -> None:
        """Render what is missing, judged by the first look."""
        rows = read_progress(self._folder)
        keys = {judge.key for judge in self._judges(jobs).values()} | {self._first_key}
        missing = [
            job for job in self._ranks.share(jobs) if job.id not in rows or _outdated(rows[job.id], keys)
        ]
        missing.sort(key=lambda job: job.id[-12:])  # by digest: what is done at any time is a fair sample
        self._work("render", [(job, Judge(self._first_key)) for job in missing], "lines")

    def _learn(self, jobs: Sequence[Job]) -> dict[Who, Judge]:
        """Learn the voices that can be learnt; give how each is judged from now on."""
        judges, rows = self._judges(jobs), read_progress(self._folder)
        tasks = []
        for who, judge in judges.items():
            own = [job for job in jobs if _who(job) == who and "rejected" not in rows[job.id]]
            lines = [(job, rows[job.id]["audio"]) for job in own]
            if judge.voice is None or len(lines) < self._gate.review_lines:
                judges[who] = Judge(self._first_key)
            else:
                tasks.append((lines[:: -(-len(lines) // LEARN_LINES)], judge))
        if self._ranks.rank == 0 and tasks:
            for _ in tracked(self._renderers.each("learn", tasks), "learn", len(tasks), "voice"):
                pass
        self._ranks.wait()
        return judges

    def _review(self, jobs: Sequence[Job], judges: Mapping[Who, Judge]) -> None:
        """Judge what has not been judged by the present rules; lines that fail are said again."""
        rows = read_progress(self._folder)
        tasks = []
        for job in self._ranks.share(jobs):
            row, judge = rows[job.id], judges[_who(job)]
            if self._gate.enabled and "rejected" not in row and row.get("judged") != judge.key:
                tasks.append((job, row, judge))
        self._work("review", tasks, "review")
        self._ranks.wait()

    def _judges(self, jobs: Sequence[Job]) -> dict[Who, Judge]:
        """Say how each voice is judged when it has been learnt."""
        ids: dict[Who, list[str]] = defaultdict(list)
        literal: dict[Who, bool] = {}
        for job in jobs:
            ids[_who(job)].append(job.id)
            literal[_who(job)] = self._studio.teacher(job.teacher).literal
        judges = {}
        for who, own in ids.items():
            if not self._gate.enabled or not self._gate.review or literal[who]:
                judges[who] = Judge(self._first_key)
            else:
                voice = self._folder / "voices" / f"{'-'.join(who)}.npz"
                judges[who] = Judge(_digest(self._first_key, *sorted(own)), voice)
        return judges

    def _work(self, task: str, tasks: Sequence[tuple[Any, ...]], name: str) -> None:
        """Do tasks, each row on disk before the next; then wait for the other processes."""
        log = Progress(self._ranks.folder(self._folder))
        quiet = self._ranks.rank > 0 or not tasks
        try:
            with ProgressBar(name, len(tasks), "line", quiet=quiet) as bar:
                rejected = 0
                for _, row in self._renderers.each(task, tasks) if tasks else ():
                    log.add(row)
                    rejected += "rejected" in row
                    bar.advance(rejected=rejected)
        finally:
            log.close()
        self._ranks.wait()


def _who(job: Job) -> Who:
    return job.request.character, job.request.language


def _described(judges: Mapping[Who, Judge]) -> Iterator[tuple[str, Any]]:
    """Say what was learnt about each voice that was."""
    for who, judge in judges.items():
        if judge.voice is not None and (voice := Voice.load(judge.voice, judge.key)) is not None:
            yield " ".join(who), voice.describe()


def _outdated(row: Row, keys: set[str]) -> bool:
    """Say whether a line was rejected by limits that have changed since."""
    by_gate = any("measured" in rejection for rejection in row.get("rejections", ()))
    return "rejected" in row and by_gate and row["judged"] not in keys


def _digest(*parts: object) -> str:
    return hashlib.sha256("\t".join(map(str, parts)).encode()).hexdigest()[:12]


def _remove_others(folder: Path, wanted: set[str]) -> None:
    """Remove sound that an earlier script or delivery, a failed attempt or a killed run left behind."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.name not in wanted:
            path.unlink()
