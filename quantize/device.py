"""Commands for the device itself: build its engines, and judge whether INT8 pays there. No torch, no onnx."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from edge.bundle.bundle import Bundle, workshop
from edge.errors import ConfigError, RunnerError
from edge.runners import open_runner
from edge.runners.auto import describe, write
from edge.runners.base import Runner
from edge.runners.engines import EngineSet, EngineStore
from edge.runners.ort import OnnxRuntimeRunner
from edge.runners.trt import ENGINES_FOLDER, TensorRtRunner
from edge.runners.vendor import Gpu, TensorRt, find_gpu, load_pycuda, load_tensorrt
from edge.runners.verdict import Bench, Evidence, Thresholds, compare, rejection, verdict_lines
from edge.synthesizer import Synthesizer
from edge.text import FrontEnd

from .build import BuildOptions, Check, EngineBuilder

INT8_VERDICTS = "int8-verdicts"
_LIMITS = Thresholds()

_path = click.Path(path_type=Path)
_bundle = click.option("--bundle", type=_path, help="voice bundle (the built-in voice)")


@click.command()
@_bundle
@click.option("--state-dir", type=_path, required=True, help="folder of the device's state")
@click.option("--workspace-mib", default=BuildOptions.workspace_mib, show_default=True)
@click.option(
    "--optimization-level", type=click.IntRange(0, 5), default=BuildOptions.optimization_level,
    show_default=True, help="how long to look for faster kernels",
)  # fmt: skip
@click.option(
    "--half", type=click.Choice(["voice", "all", "none"]), default=BuildOptions.half, show_default=True,
    help="layers in float16: those that the voice names, all, none",
)  # fmt: skip
@click.option("--compute-capability", type=int, help="TensorRT-RTX without a GPU: build for this, e.g. 89")
@click.option("--roll-back", is_flag=True, help="use the engines from before again, build nothing")
def build(
    bundle: Path | None,
    state_dir: Path,
    workspace_mib: int,
    optimization_level: int,
    half: str,
    compute_capability: int | None,
    roll_back: bool,
) -> None:
    """Build TensorRT engines for this machine and use them once they have spoken the golden line."""
    loaded, root = Bundle.load(bundle, gate=workshop), state_dir / ENGINES_FOLDER
    if roll_back:
        engines = EngineStore(root, loaded.manifest.name).roll_back()
        click.echo(f"{engines.path}: in use again")
        return
    library, gpu, check = _target(loaded, compute_capability)
    options = BuildOptions(workspace_mib, optimization_level, half)
    engines = EngineBuilder(library, gpu, root, options).build(loaded, check, _show_progress())
    size = sum(engines.facts["bytes"].values()) / 1e6
    state = "in use" if check else "not in use: no GPU here to let it speak the golden line"
    click.echo(f"{engines.path}: {library.name}, {size:.1f} MB, {engines.facts['seconds']} s, {state}")


def _target(bundle: Bundle, compute_capability: int | None) -> tuple[TensorRt, Gpu, Check | None]:
    """What to build with and for, and how to try the result."""
    try:
        library = load_tensorrt()
        if compute_capability is not None:
            if not library.rtx:
                raise RunnerError(f"{library.name} builds for the GPU that is there: no --compute-capability")
            return library, Gpu("", compute_capability), None
        driver = load_pycuda()
    except ImportError as error:
        raise ConfigError(f"engines cannot be built here: {error}") from error
    return library, find_gpu(driver), golden_check(bundle, library, driver)


def golden_check(
    bundle: Bundle,
    library: TensorRt,
    driver: Any,
    open_engines: Callable[..., Runner] = TensorRtRunner,
) -> Check:
    """A check that lets engines speak the golden line and compares their sound with ONNX Runtime's.

    The golden line says whether this is the voice that was packed. The distance to ONNX Runtime on the
    processor, over lines in every language, is held to the thresholds of a verdict; INT8 graphs computed in
    another order differ by rounding, far below them (0.04 dB between two libraries on one processor).
    """

    def check(engines: EngineSet) -> dict[str, Any]:
        front_end = FrontEnd()
        runner = open_engines(engines, library, driver)
        try:
            Synthesizer(bundle, runner, front_end).warm_up()
            with OnnxRuntimeRunner(bundle, 1) as reference:
                bench = Bench(bundle.manifest, verdict_lines(bundle, front_end), reference)
                found = compare(bench, "onnxruntime", {"onnxruntime": reference, "tensorrt": runner})
        finally:
            runner.close()
        evidence = found["tensorrt"]
        if evidence.problem:
            raise RunnerError(f"{engines.path}: not used: {evidence.problem} against ONNX Runtime")
        return evidence.to_dict()

    return check


def _show_progress() -> Callable[[str, int, int], bool]:
    def show(phase: str, step: int, steps: int) -> bool:
        if sys.stderr.isatty():
            click.echo(f"\r\x1b[K{phase}: {step + 1} of {steps}", nl=False, err=True)
        return True

    return show


@click.command()
@_bundle
@click.option("--float", "float_bundle", type=_path, required=True, help="the same voice with float networks")
@click.option("--runner", default="onnxruntime", show_default=True)
@click.option("--threads", default=2, show_default=True)
@click.option("--state-dir", type=_path, help="where to keep the verdict")
@click.option("--min-speedup", default=_LIMITS.min_speedup, show_default=True)
@click.option("--max-log-mel-db", default=_LIMITS.max_log_mel_db, show_default=True, help="mean of the lines")
@click.option("--max-line-db", default=_LIMITS.max_line_db, show_default=True, help="of the worst line")
@click.option("--max-duration-frames", default=_LIMITS.max_duration_frames, show_default=True)
def verdict(
    bundle: Path | None,
    float_bundle: Path,
    runner: str,
    threads: int,
    state_dir: Path | None,
    **limits: float,
) -> None:
    """Measure INT8 against float on this machine and say whether it pays.

    The float bundle is made on a workstation: sovits-quantize pack with the networks of the export step, or
    sovits-quantize dequantize.
    """
    voice, thresholds = Bundle.load(bundle, gate=workshop), Thresholds(**limits)
    evidence = judge(voice, Bundle.load(float_bundle, gate=workshop), runner, threads, state_dir, thresholds)
    reason = rejection(evidence, thresholds)
    click.echo(f"INT8 {'rejected: ' + reason if reason else 'accepted'}")
    click.echo(f"speed-up        {evidence.speedup:.2f} ({evidence.line_ms:.1f} ms for all lines)")
    click.echo(f"log-mel         {evidence.log_mel_db:.2f} dB")
    click.echo(f"signal to noise {evidence.snr_db:.1f} dB")
    click.echo(f"worst line      {evidence.worst_db:.2f} dB: {evidence.worst_line}")
    if reason:
        click.echo(f"use the float bundle on this machine: {float_bundle}")
    if state_dir is not None:
        path = state_dir / INT8_VERDICTS / f"{voice.manifest.name}.json"
        held = {"fingerprint": describe(voice, threads, state_dir), "runner": runner, "rejected": reason}
        write(path, {**held, "limits": limits, "evidence": evidence.to_dict()})
        click.echo(f"kept in {path}")


def judge(
    voice: Bundle, float_voice: Bundle, runner: str, threads: int, state_dir: Path | None, limits: Thresholds
) -> Evidence:
    """Evidence for the INT8 voice with the float voice as the reference.

    Raises:
        BundleError, ConfigError, RunnerError: a bundle or the runner does not open.
    """
    with (
        open_runner(voice, runner, threads, state_dir) as ours,
        open_runner(float_voice, runner, threads, state_dir) as reference,
    ):
        bench = Bench(voice.manifest, verdict_lines(voice, FrontEnd()), reference)
        return compare(bench, "float", {"float": reference, "int8": ours}, limits)["int8"]
