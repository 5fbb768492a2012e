"""Lines of which a teacher tells the prosody without saying them.

    sovits-distill tell --corpus corpus

That is a twentieth of the work of a line with sound, and how a voice moves through a sentence takes more
lines to learn than how it sounds. They are kept in ``told.jsonl`` of the corpus. A run that was killed goes on
where it stopped.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from edge.text import FrontEnd

from ..config import DistillError
from ..exclusive import exclusive
from ..files import write_rows
from ..gate import GateConfig
from ..progress_bar import ProgressBar
from ..teachers import make_teacher
from .config import CorpusConfig
from .plan import plan_told
from .progress import Progress, manifest_row, read_rows_by_id
from .told_prosody import TOLD
from .utterance import Job, MakeTeacher, Studio
from .workers import Renderers

FOLDER = "told"  # of the corpus, where the progress is kept


def tell_lines(
    config: CorpusConfig,
    corpus: Path,
    processes: int = 2,
    make: MakeTeacher = make_teacher,
) -> int:
    """Ask for what is missing and write ``told.jsonl``.

    Args:
        config: whose lines are told.
        corpus: folder, which need not hold any sound yet.
        processes: that ask at the same time.
        make: gives a teacher by the name that a recording has.

    Returns:
        Number of lines in the file.

    Raises:
        DistillError: nothing is to be told, another run is at work in the folder, or a process was killed.
        TeacherError: a teacher is not installed.
    """
    if not any(recording.told for recording in config.recordings):
        raise DistillError("no recording of the configuration has lines to tell; give it told = [...]")
    own = corpus / FOLDER
    own.mkdir(parents=True, exist_ok=True)
    gate = GateConfig(enabled=False)
    studio = Studio(config, corpus, gate, make)
    with exclusive(own), Renderers(processes, config, corpus, gate, make) as renderers:
        try:
            jobs = _jobs(config, studio)
        finally:
            studio.close()
        _ask(own, jobs, renderers)
    rows = read_rows_by_id(own)
    kept = [manifest_row(rows[job.id]) for job in jobs if "rejected" not in rows[job.id]]
    write_rows(corpus / TOLD, kept)
    return len(kept)


def _jobs(config: CorpusConfig, studio: Studio) -> list[Job]:
    """Give what is to be told, by digest, so that what is done at any time is a fair sample."""
    planned = plan_told(config, FrontEnd(config.lexicon), studio.teacher)
    jobs = {job.id: job for job in (studio.job(*one, gain=1.0) for one in planned)}
    return sorted(jobs.values(), key=lambda job: job.id[-12:])


def _ask(folder: Path, jobs: Sequence[Job], renderers: Renderers) -> None:
    done = read_rows_by_id(folder)
    missing = [(job,) for job in jobs if job.id not in done]
    log = Progress(folder)
    try:
        with ProgressBar("told", len(missing), "line", quiet=not missing) as bar:
            for _, row in renderers.each("tell", missing) if missing else ():
                log.add(row)
                bar.advance()
    finally:
        log.close()
