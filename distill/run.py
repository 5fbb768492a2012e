"""From the configuration of a voice to a packed, measured and reported bundle.

    sovits-distill run --config voice.toml --out runs/noah

Every step is done once: killed and started again, the command goes on where it stopped; started again after a
change of the configuration, it does what depends on the change. In the folder are

    references.json      what is wrong with the reference clips
    corpus/              lines of the teacher, and in told.jsonl those without sound
    train/               measurements, alignment, losses, the student
    int8/                float and int8 networks, and what int8 costs
    voice.toml           the voice card
    voice/, NAME.voice   the bundle, as a folder and as one file; voice-float/ the same with float networks
    quality.json         the voice against its teacher
    report.html          everything above to read and to listen to
    cost.json            time of each step, machine and versions
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .config import DistillError
from .corpus.told_prosody import TOLD
from .exclusive import call, exclusive
from .files import read_json, read_rows, write_json
from .ledger import Ledger, digest_of, spoken_time
from .manifest import read_manifest
from .voice.card import voice_card, write_card
from .voice.config import VoiceConfig, load_voice_config
from .voice.libraries import require_libraries

Say = Callable[[str], None]


@dataclass(frozen=True)
class Step:
    """One step of the way."""

    name: str
    """Of the step."""
    result: Path
    """File or folder that it leaves behind."""
    inputs: Any
    """What its result depends on, besides the steps before it."""
    work: Callable[[], str]
    """Does it and says in a few words what came out."""


def run(config: Path, out: Path, processes: int = 2, devices: int = 1, say: Say = lambda line: None) -> Path:
    """Make a voice, or go on making it.

    Args:
        config: TOML file of the voice.
        out: folder to write or to complete.
        processes: lines rendered at the same time, on each device.
        devices: GPUs, or processes on a CPU.
        say: told one line for each step.

    Returns:
        The folder of the bundle.

    Raises:
        DistillError: a library is missing, or a step cannot be done; the message says what to change.
        TeacherError: the teacher does not work here.
    """
    voice = load_voice_config(config)
    require_libraries(voice.teacher.kind, voice.voice.languages)
    _check_start(voice)
    out.mkdir(parents=True, exist_ok=True)
    with exclusive(out) as lock:
        production = Production(voice, config, out, processes, devices, lock, say)
        follow(production.steps(), Ledger(out / "cost.json"), say)
    return out / "voice"


def follow(steps: list[Step], ledger: Ledger, say: Say) -> None:
    """Do in order what is not done yet."""
    digest = ""
    for step in steps:
        digest = digest_of(step.name, step.inputs, digest)
        if ledger.is_done(step.name, digest) and step.result.exists():
            say(f"{step.name}: done before, in {spoken_time(ledger.seconds(step.name))}")
            continue
        with ledger.work(step.name, digest):
            outcome = step.work()
        say(f"{step.name}: {outcome}, {spoken_time(ledger.seconds(step.name))}")


def _check_start(voice: VoiceConfig) -> None:
    """Find out before hours of rendering that there is no student to begin with."""
    from .training.warm_start import open_start

    open_start(voice.train.options(voice.folder)["start"])


@dataclass(frozen=True)
class Production:
    """The steps of one voice in one folder."""

    voice: VoiceConfig
    """Configuration."""
    config: Path
    """The file that it was read from."""
    out: Path
    """Folder of the run."""
    processes: int
    """Lines rendered at the same time, on each device."""
    devices: int
    """GPUs, or processes on a CPU."""
    lock: int
    """Descriptor to hand to the processes that are started."""
    say: Say
    """Told what is worth a line beside the steps."""

    def steps(self) -> list[Step]:
        """List all steps in order."""
        voice, out = self.voice, self.out
        told = [Step("tell", self._corpus / TOLD, None, self.tell)] if voice.teacher.tells_prosody() else []
        return [
            Step("references", out / "references.json", voice.teacher_inputs(), self.check_references),
            Step("corpus", self._corpus / "corpus.json", voice.corpus_inputs(), self.render),
            *told,
            Step("train", self._train / "student", voice.train.options(voice.folder), self.train),
            Step("quantize", self._int8 / "report.json", None, self.quantize),
            Step("pack", out / "voice", voice.voice.model_dump(mode="json"), self.pack),
            Step("evaluate", out / "quality.json", None, self.evaluate),
            Step("report", out / "report.html", None, self.report),
        ]

    def check_references(self) -> str:
        """Listen to the reference clips before anything is built on them."""
        from .voice.reference_clip import check_references, findings_json

        findings = check_references(self.voice.references())
        write_json(self.out / "references.json", findings_json(findings))
        wrong = [finding for finding in findings if finding.severity == "error"]
        if wrong:
            raise DistillError("; ".join(finding.line() for finding in wrong))
        warnings = [finding for finding in findings if finding.severity == "warning"]
        for finding in warnings:
            self.say(f"references: {finding.line()}")
        return f"{len({f.clip for f in findings})} clips, {len(warnings)} warnings"

    def render(self) -> str:
        """Have the teacher say the script, in a process of its own, which gives back the teacher's memory."""
        self._distill(
            "corpus", config=self.config, out=self._corpus, processes=self.processes, devices=self.devices
        )
        made = read_json(self._corpus / "corpus.json")
        if not any(u.split == "test" for u in read_manifest(self._corpus)):
            raise DistillError("no held-out line was spoken, which the voice is judged by; add test lines")
        hours = sum(made["hours"].values())
        return (
            f"{sum(made['lines'].values())} lines, {hours:.2f} h, {sum(made['rejected'].values())} rejected"
        )

    def tell(self) -> str:
        """Ask the teacher for the prosody of more lines than it says."""
        self._distill("tell", config=self.config, corpus=self._corpus, processes=self.processes)
        return f"{len(read_rows(self._corpus / TOLD))} lines without sound"

    def train(self) -> str:
        """Train the student in a process of its own."""
        self._forget_other_corpus()
        options = self.voice.train.options(self.voice.folder)
        start = options.pop("start")
        runs = {"corpus": self._corpus, "out": self._train, "devices": self.devices, "from": start}
        self._distill("train", **runs, **options)
        losses = [row["loss"] for row in read_rows(self._train / "log.jsonl") if row["kind"] == "valid"]
        steps = read_json(self._train / "student" / "student.json")["step"]
        fell = f", held-out loss {losses[0]:.2f} to {losses[-1]:.2f}" if losses else ""
        return f"{steps} steps{fell}"

    def _forget_other_corpus(self) -> None:
        """Begin anew when the corpus has changed; measurements stay, for they go by the name of a line."""
        files = [path for name in ("manifest.jsonl", TOLD) if (path := self._corpus / name).is_file()]
        manifest = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
        note = self._train / "corpus.sha256"
        if note.is_file() and note.read_text("utf-8") != manifest:
            self.say("train: the corpus has changed, so training begins anew")
            for name in ("alignment.json", "state.pt", "log.jsonl"):
                (self._train / name).unlink(missing_ok=True)
            shutil.rmtree(self._train / "student", ignore_errors=True)
        self._train.mkdir(exist_ok=True)
        note.write_text(manifest, "utf-8")

    def quantize(self) -> str:
        """Export the student, make it int8, and measure what that costs."""
        networks, quantized = self._int8 / "float", self._int8 / "int8"
        lines = {"networks": networks, "corpus": self._corpus}
        self._quantize("export", checkpoint=self._train / "student", output=networks)
        self._quantize("quantize", **lines, output=quantized)
        self._quantize("compare", **lines, quantized=quantized, output=self._int8)
        comparison = read_json(self._int8 / "report.json")["comparison"]
        return f"int8 within {comparison['quality']['log_mel_db']:.2f} dB of float"

    def pack(self) -> str:
        """Write the card, the bundle, and the same voice with float networks to compare with."""
        name = self.voice.voice.name
        student = read_json(self._train / "student" / "student.json")
        summary = read_json(self._corpus / "corpus.json")
        card = voice_card(
            self.voice.voice.model_dump(mode="json")
            | {"origin": self.voice.origin().model_dump(mode="json")},
            read_manifest(self._corpus),
            summary["teachers"],
            list(student["emotions"]),
        )
        write_card(self._card, card)
        tar = self.out / f"{name}.voice"
        self._quantize(
            "pack", networks=self._int8 / "float", voice=self._card, output=self.out / "voice-float"
        )
        self._quantize(
            "pack", networks=self._int8 / "int8", voice=self._card, report=self._int8 / "report.json",
            output=self.out / "voice", tar=tar,
        )  # fmt: skip
        return f"{tar.name}, {tar.stat().st_size / 1e6:.1f} MB"

    def evaluate(self) -> str:
        """Measure the bundle against the teacher on lines that training has not seen."""
        from .evaluation.evaluate import run as measure

        checks = measure(
            self.out / "voice",
            self._corpus,
            self.out / "quality.json",
            read_json(learnt) if (learnt := self._train / "alignment.json").is_file() else None,
            float_bundle=self.out / "voice-float",
        )
        missed = sum(check.passed is False for check in checks)
        return f"{len(checks)} measures, {missed} short of their target"

    def report(self) -> str:
        """Write the page."""
        from .report import Sources, write_report

        written = write_report(Sources.of_run(self.out), self.out / "report.html")
        return f"{written.path.name}, {written.bytes / 1e6:.1f} MB"

    def _distill(self, command: str, **flags: Any) -> None:
        call("distill", [command, *_flags(flags)], self.lock)

    def _quantize(self, step: str, **flags: Any) -> None:
        call("quantize", [step, *_flags(flags)], self.lock)

    @property
    def _corpus(self) -> Path:
        return self.out / "corpus"

    @property
    def _train(self) -> Path:
        return self.out / "train"

    @property
    def _int8(self) -> Path:
        return self.out / "int8"

    @property
    def _card(self) -> Path:
        return self.out / "voice.toml"


def _flags(values: Mapping[str, Any]) -> list[str]:
    return [part for key, value in values.items() for part in (f"--{key.replace('_', '-')}", str(value))]
