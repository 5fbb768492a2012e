"""The report of a quantization as Markdown; the numbers themselves are in the JSON beside it."""

from __future__ import annotations

from typing import Any

AUDIBLE_LOG_MEL_DB = 1.0  # below this, listeners of codec studies hear no difference in level per band

_QUALITY = {
    "duration_error_frames": "phoneme durations, RMS, frames of 16 ms",
    "length_error_percent": "length of a line, %",
    "f0_error_cents": "pitch targets, RMS, cents",
    "decoder_log_mel_db": "log-mel distance, int8 decoder, dB",
    "decoder_snr_db": "sample SNR, int8 decoder, dB",
    "log_mel_db": "log-mel distance, int8 encoder and decoder, dB",
    "snr_db": "sample SNR, int8 encoder and decoder, dB",
}
_SPEED = {
    "encoder_ms": "encoder, ms of processor time",
    "decoder_ms": "decoder, ms of processor time",
    "networks_ms_per_s": "both, ms per s of sound",
    "line_ms": "ids to samples, ms",
    "line_two_threads_ms": "the same on two threads, ms",
}


def markdown(report: dict[str, Any]) -> str:
    """Write the report for people."""
    comparison = report["comparison"]
    sections = [
        "# INT8 against float32",
        f"{comparison['lines']} lines that were not calibrated on; ONNX Runtime "
        f"{comparison['machine']['onnxruntime']}, {comparison['machine']['processor']}.",
        "## Quality",
        _table(
            ["measure", "value"],
            [[text, f"{comparison['quality'][key]:.3f}"] for key, text in _QUALITY.items()],
        ),
        "## Speed, all variants interleaved, least of all repeats",
        _speed(comparison),
        "## Size",
        _table(["networks", "bytes"], [[name, f"{n:,}"] for name, n in comparison["bytes"].items()]),
        *_placements(report["placements"]),
    ]
    return "\n\n".join(sections) + "\n"


def _speed(comparison: dict[str, Any]) -> str:
    table = _table(
        ["networks", *_SPEED.values()],
        [[row["networks"], *(str(row[key]) for key in _SPEED)] for row in comparison["speed"]],
    )
    seconds = comparison["speed"][0]["seconds"]
    return f"A line of {seconds} s.\n\n{table}\n\nThe int8 networks are {comparison['speedup']}× faster."


def _placements(placements: dict[str, Any]) -> list[str]:
    sections = []
    for file, placement in placements.items():
        methods = ", ".join(f"{name} {harm:.3g}" for name, harm in placement["harm_by_method"].items())
        rows = [
            [
                layer["name"],
                f"{layer['operations']:,}",
                f"{layer['harm']:.4f}",
                "int8" if layer["int8"] else "float",
            ]
            for layer in placement["layers"]
        ]
        sections += [
            f"## Layers of {file}",
            f"Ranges by `{placement['method']}` (harm with every layer in int8: {methods}); "
            f"harm as placed: {placement['harm']:.3g} of 1.",
            _table(["layer", "products per step", "harm alone", "runs as"], rows),
        ]
    return sections


def _table(header: list[str], rows: list[list[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)
