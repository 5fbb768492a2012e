"""``sovits-quantize``: from a checkpoint to a voice bundle, in one command or step by step.

ONNX and PyTorch are imported by the steps that need them: ``--help`` works without either.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from edge.cli.command import GROUP_SETTINGS, Command, group_options
from edge.errors import EdgeError

from .device import build, verdict
from .sharpness import USUAL, Sharpness

if TYPE_CHECKING:
    from edge.bundle.manifest import Quantization

STUDENT_FILE = "student.json"
REPORT_FILE, REPORT_TEXT = "report.json", "report.md"
FLOAT_FOLDER, INT8_FOLDER = "float", "int8"

_folder = click.Path(exists=True, file_okay=False, path_type=Path)
_path = click.Path(path_type=Path)
_corpus = click.option("--corpus", type=_folder, required=True, help="corpus of sovits-distill")
_output = click.option("--output", type=_path, required=True, help="folder to write")
_lines = click.option("--lines", default=64, show_default=True, help="lines of the corpus to use")

_half = click.option(
    "--half/--no-half", default=False, show_default=True, help="also choose layers for float16 on a GPU"
)
_weight_bits = click.option(
    "--weight-bits",
    type=click.Choice(["7", "8"]),
    default="7",
    show_default=True,
    help="7: one sound on all x86 processors; products of 8 bits saturate on those without VNNI",
)


_sharpness = click.option(
    "--sharpness",
    type=float,
    nargs=3,
    default=tuple(USUAL),
    show_default=True,
    metavar="HARMONIC NOISE DB",
    help="factors on both envelopes against the flattening of training, and level of the noise; 1 1 0: none",
)


@click.group(context_settings=GROUP_SETTINGS, commands=[build, verdict])
@group_options
def cli() -> None:
    """Make a voice bundle of a checkpoint, in one command or step by step.

    \b
    Examples:
      sovits-quantize run --checkpoint runs/noah/train/student --corpus runs/noah/corpus \\
          --voice card.toml --work work --output noah --tar noah.voice
      sovits-quantize dequantize --bundle noah --output noah-float

    Errors are one line on standard error, and the exit status is then 2.
    """


@cli.command()
@click.option("--checkpoint", type=_folder, required=True, help="student of sovits-distill")
@_output
@_sharpness
def export(checkpoint: Path, output: Path, sharpness: tuple[float, float, float]) -> None:
    """Write both networks as float ONNX and check them against torch."""
    from .export import export as export_networks

    difference = export_networks(checkpoint, output, Sharpness(*sharpness))
    click.echo(f"{output}: encoder and decoder, within {difference:.1e} of torch")


@cli.command()
@click.option("--networks", type=_folder, required=True, help="folder of the export step")
@_corpus
@_lines
@_output
@click.option("--budget", default=1.0, show_default=True, help="harm allowed per graph; 0 keeps all float")
@_weight_bits
@_half
def quantize(
    networks: Path, corpus: Path, lines: int, output: Path, budget: float, weight_bits: str, half: bool
) -> None:
    """Calibrate on training lines, choose layers, insert Q/DQ."""
    from .lines import read_lines
    from .placement import quantize as quantize_networks

    student = _student(networks)
    calibration = read_lines(corpus, student, "train", lines)
    placements = quantize_networks(networks, calibration, output, budget, int(weight_bits), half)
    (output / STUDENT_FILE).write_text(json.dumps(student), encoding="utf-8")
    _write_json(output / "placement.json", {file: found.to_dict() for file, found in placements.items()})
    for file, found in placements.items():
        n_int8 = sum(layer.int8 for layer in found.layers)
        click.echo(
            f"{file}: {n_int8} of {len(found.layers)} products in int8, harm {found.harm:.2g} of {budget:g}"
            + (f"; {len(found.half)} layers in float16 on a GPU" if half else "")
        )


@cli.command()
@click.option("--networks", type=_folder, required=True, help="folder of the export step")
@_corpus
@_lines
@click.option("--output", type=_path, required=True, help="JSON file to write")
def sensitivity(networks: Path, corpus: Path, lines: int, output: Path) -> None:
    """Measure each layer alone: harm in int8 and in float16, and the time that int8 saves here."""
    from .lines import read_lines
    from .sensitivity import measure, table

    found = measure(networks, read_lines(corpus, _student(networks), "train", lines))
    _write_json(output, {file: [layer.to_dict() for layer in layers] for file, layers in found.items()})
    click.echo(table(found))


@cli.command()
@click.option("--networks", type=_folder, required=True, help="folder of the export step")
@click.option("--quantized", type=_folder, required=True, help="folder of the quantize step")
@_corpus
@_lines
@_output
def compare(networks: Path, quantized: Path, corpus: Path, lines: int, output: Path) -> None:
    """Measure int8 against float on held-out lines and write report.json and report.md."""
    from .compare import compare as compare_networks
    from .lines import read_lines
    from .report import markdown

    held_out = read_lines(corpus, _student(networks), "test", lines)
    report = {
        "comparison": compare_networks(networks, quantized, held_out),
        "placements": _read_json(quantized / "placement.json"),
    }
    output.mkdir(parents=True, exist_ok=True)
    _write_json(output / REPORT_FILE, report)
    (output / REPORT_TEXT).write_text(markdown(report), encoding="utf-8")
    click.echo(f"{output / REPORT_TEXT}: int8 is {report['comparison']['speedup']} times as fast")


@cli.command()
@click.option("--networks", type=_folder, required=True, help="folder of the quantize or the export step")
@click.option("--voice", type=_path, required=True, help="voice card (TOML)")
@click.option("--report", type=_path, help="report.json of the compare step, for the manifest")
@_output
@click.option("--tar", type=_path, help="also write one .voice file")
def pack(networks: Path, voice: Path, report: Path | None, output: Path, tar: Path | None) -> None:
    """Write the bundle and make it speak its golden line."""
    from .card import read_card
    from .pack import pack as pack_bundle
    from .pack import write_voice

    quantization = _quantization(report)
    bundle = pack_bundle(networks, _student(networks), read_card(voice), quantization, output)
    size = sum(entry.bytes for entry in bundle.manifest.files.values())
    click.echo(f"{output}: {bundle.manifest.name} {bundle.manifest.version}, {size / 1e6:.1f} MB")
    if tar is not None:
        write_voice(output, tar)
        click.echo(f"{tar}: packed")


@cli.command()
@click.option("--checkpoint", type=_folder, required=True, help="student of sovits-distill")
@_corpus
@_lines
@click.option("--voice", type=_path, required=True, help="voice card (TOML)")
@click.option("--work", type=_path, required=True, help="folder for the steps' results and the report")
@_output
@click.option("--tar", type=_path, help="also write one .voice file")
@_sharpness
@_weight_bits
@_half
@click.pass_context
def run(context: click.Context, /, checkpoint: Path, work: Path, **options: Any) -> None:
    """All steps: export, quantize, compare, pack."""
    networks, quantized = work / FLOAT_FOLDER, work / INT8_FOLDER
    corpus = {"corpus": options["corpus"], "lines": options["lines"]}
    context.invoke(export, checkpoint=checkpoint, output=networks, sharpness=options["sharpness"])
    how = {"weight_bits": options["weight_bits"], "half": options["half"]}
    context.invoke(quantize, networks=networks, output=quantized, **how, **corpus)
    context.invoke(compare, networks=networks, quantized=quantized, output=work, **corpus)
    bundle = {"voice": options["voice"], "output": options["output"], "tar": options["tar"]}
    context.invoke(pack, networks=quantized, report=work / REPORT_FILE, **bundle)


@cli.command()
@click.option("--bundle", type=_path, required=True, help="int8 bundle")
@_output
def dequantize(bundle: Path, output: Path) -> None:
    """Write the bundle with float networks, to time float against int8 in one runtime."""
    from .pack import write_float_bundle

    write_float_bundle(bundle, output)
    click.echo(f"{output}: float bundle")


def _quantization(report: Path | None) -> Quantization:
    from edge.bundle.manifest import Quantization

    if report is None:
        return Quantization(scheme="fp32")
    content = _read_json(report)
    quality = content["comparison"]["quality"]
    placements = content["placements"].values()
    layers = [layer for found in placements for layer in found["layers"]]
    return Quantization(
        scheme="int8-qdq",
        float_layers=tuple(layer["name"] for layer in layers if not layer["int8"]),
        half_layers=tuple(name for found in placements for name in found.get("half", ())),
        log_mel_distance_db=round(quality["log_mel_db"], 3),
        spectral_snr_db=round(quality["snr_db"], 2),
        duration_error_frames=round(quality["duration_error_frames"], 4),
        f0_error_cents=round(quality["f0_error_cents"], 2),
        speedup=content["comparison"]["speedup"],
    )


def _student(folder: Path) -> dict[str, Any]:
    return _read_json(folder / STUDENT_FILE)


def _read_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        raise ValueError(f"{path} is missing; run the step that writes it first, see docs/quantize.md")
    content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return content


def _write_json(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


main = Command(cli, "sovits-quantize", extra="quantize", errors=(EdgeError, ValueError, OSError))
