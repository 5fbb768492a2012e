"""Summary of a corpus: counts, hours, origins, and what the gate rejected."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from edge.text.symbols import SYMBOLS_SHA256

from .config import CorpusConfig
from ..gate import GateConfig
from ..script import inventory
from .utterance import Job, Row


def summarize(
    config: CorpusConfig,
    gate: GateConfig,
    jobs: Sequence[Job],
    rows: Mapping[str, Row],
    origins: Mapping[str, Any],
    gains: Mapping[tuple[str, str], float],
) -> dict[str, Any]:
    """Describe a finished corpus.

    Args:
        config: what was to be said.
        gate: how it was judged.
        jobs: every line.
        rows: what became of it, by id.
        origins: by teacher.
        gains: by character and language.
    """
    ordered = [rows[job.id] for job in jobs]
    kept = [row for row in ordered if "rejected" not in row]
    lines: Counter[str] = Counter()
    seconds: Counter[str] = Counter()
    for row in kept:
        lines[f"{row['character']} {row['language']} {row['emotion']} {row['split']}"] += 1
        seconds[row["split"]] += row["seconds"]
    lost = Counter(f"{r['id'].rsplit('-', 1)[0]} {r['rejected']}" for r in ordered if "rejected" in r)
    return {
        "config_sha256": hashlib.sha256(config.model_dump_json().encode()).hexdigest(),
        "symbols_sha256": SYMBOLS_SHA256,
        "teachers": dict(sorted(origins.items())),
        "hours": {split: round(total / 3600, 3) for split, total in seconds.items()},
        "lines": dict(lines),
        "rejected": dict(lost),
        "gate": _gate(gate, ordered),
        "gains": {" ".join(key): gain for key, gain in gains.items()},
        "never_spoken": _never_spoken(kept),
    }


def list_rejections(jobs: Sequence[Job], rows: Mapping[str, Row]) -> Iterator[Row]:
    """List every attempt at a line that was rejected, and whether the line was lost with it."""
    for job in jobs:
        request, row = job.request, rows[job.id]
        rejections = row.get("rejections", [])
        for number, rejection in enumerate(rejections, 1):
            yield {
                "id": job.id, "text": request.text, "character": request.character,
                "language": request.language, "emotion": request.emotion, "split": job.split,
                "teacher": job.teacher, **rejection,
                "lost": "rejected" in row and number == len(rejections),
            }  # fmt: skip


def _gate(gate: GateConfig, rows: Sequence[Row]) -> dict[str, Any]:
    """Count rejected attempts by reason, and lines that another attempt saved or that were lost."""
    reasons = Counter(one["reason"] for row in rows for one in row.get("rejections", ()))
    again = [row for row in rows if row.get("rejections")]
    return {
        "config": gate.model_dump(),
        "rejections": dict(reasons.most_common()),
        "recovered": sum("rejected" not in row for row in again),
        "lost": sum("rejected" in row for row in rows),
    }


def _never_spoken(rows: Sequence[Row]) -> dict[str, list[str]]:
    """List by character and language what no training line holds: a voice can only guess at it."""
    spoken: dict[tuple[str, str], set[str]] = {}
    for row in rows:
        if row["split"] == "train":
            spoken.setdefault((row["character"], row["language"]), set()).update(row["phonemes"])
    return {" ".join(key): sorted(inventory(key[1]) - found) for key, found in spoken.items()}
