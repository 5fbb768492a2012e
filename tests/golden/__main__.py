"""Hold the full model against numbers of the original: `python -m tests.golden FOLDER`.

Prints a line per array: its shape, the largest difference, the tolerance, and pass or FAIL. Arrays that are
inputs and arrays that nobody knows have a line as well. Exits with 1 if anything failed, with 2 if the
folder has nothing to compare.

What a folder may hold; all of it is optional, and any version of the model will do:

    s1*.ckpt                    text-to-semantic model, for s1_io.npz
    s2*.pth                     synthesizer, for s2_io.npz
    sv*.ckpt, *eres2net*.ckpt   speaker-verification model, for the embedding in sv_io.npz
    s1_io.npz                   phones, bert, prompt, target, eos_*; text_emb ... probs_k15_p1_t1_rp135
    s2_io.npz                   ssl, refer_spec, refer_spec2, text_ids, codes, noise; ssl_proj ...
                                wav_two_refs; for the Pro versions also sv_emb (or sv) and sv_emb2 (or
                                sv2), (1, 20480), of the two references, and between them and the rest
                                sv_proj, ref_enc, ge_text (or ge_to512)
    spec_io.npz, sv_io.npz      wav32k; spec; wav16k (at 16 kHz); fbank; sv_emb (or sv, embedding)
    manifest.json               files: name -> sha256 and arrays; files and arrays must be as it says
    other .ckpt and .pth        only read: the tag and the number of tensors are printed

Numbers in names: wav_noise0p5 is the waveform at noise scale 0.5, m_p_speed1p25 the prior at speed 1.25,
greedy_rp135_tokens a greedy run with repetition penalty 1.35.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from models.gpt_sovits.archive import CheckpointError, read_archive
from models.gpt_sovits.checkpoint import load_speaker_verification, load_synthesizer, load_text2semantic

from . import first_half, second_half, sound
from .comparison import Arrays, Line, failed, tally

USAGE = "usage: python -m tests.golden FOLDER"


def check_folder(folder: Path) -> Iterator[Line]:
    """Compare everything in a folder."""
    models = {"s1": _first(folder, "s1*.ckpt"), "s2": _first(folder, "s2*.pth")}
    models["sv"] = _first(folder, "sv*.ckpt", "sv*.pth", "*eres2net*.ckpt")
    yield from check_manifest(folder)
    for path in sorted(folder.glob("*.npz")):
        yield from _check_arrays(path, models)
    for path in sorted([*folder.glob("*.ckpt"), *folder.glob("*.pth")]):
        if path not in models.values():
            yield _check_reading(path)


def _first(folder: Path, *patterns: str) -> Path | None:
    return next((path for pattern in patterns for path in sorted(folder.glob(pattern))), None)


def _check_arrays(path: Path, models: dict[str, Path | None]) -> Iterator[Line]:
    arrays = Arrays(path)
    try:
        yield from _checker(path.stem, models)(arrays)
    except CheckpointError as error:
        yield failed(path.name, str(error))


def _checker(stem: str, models: dict[str, Path | None]) -> Callable[[Arrays], Iterator[Line]]:
    """Load the network that a file of arrays belongs to."""
    kind = stem.split("_")[0]
    path = models.get(kind)
    if kind == "s1" and path:
        first = load_text2semantic(path)
        return lambda arrays: first_half.check(first, arrays)
    if kind == "s2" and path:
        second = load_synthesizer(path)
        return lambda arrays: second_half.check(second, arrays)
    if kind in ("s1", "s2"):
        raise CheckpointError(f"no checkpoint {kind}*.{'ckpt' if kind == 's1' else 'pth'} beside it")
    network = load_speaker_verification(models["sv"]) if models["sv"] else None
    return lambda arrays: sound.check(network, arrays)


def _check_reading(path: Path) -> Line:
    try:
        archive = read_archive(path)
    except CheckpointError as error:
        return failed(path.name, str(error))
    weights = archive.root.get("weight", archive.root) if isinstance(archive.root, dict) else ()
    return Line(path.name, "-", "pass", f"read: tag {archive.tag}, {len(weights)} tensors")


def check_manifest(folder: Path) -> Iterator[Line]:
    """Compare files and arrays with those that manifest.json lists."""
    path = folder / "manifest.json"
    listed = json.loads(path.read_text(encoding="utf-8")).get("files", {}) if path.is_file() else {}
    for name, entry in listed.items():
        if not (folder / name).is_file():
            yield failed(name, "listed in manifest.json, but not there")
            continue
        same = hashlib.sha256((folder / name).read_bytes()).hexdigest() == entry.get("sha256")
        yield Line(name, "-", "pass" if same else "FAIL", "sha256 of manifest.json")
        found = Arrays(folder / name).content if name.endswith(".npz") else {}
        for array in sorted(set(entry.get("arrays", {})) - set(found)):
            yield Line(name, array, "FAIL", "listed in manifest.json, but not in the file")


def main(arguments: list[str]) -> int:
    """Print the lines and return the exit status."""
    if len(arguments) != 1 or not Path(arguments[0]).is_dir():
        print(USAGE if len(arguments) != 1 else f"{arguments[0]} is not a folder; {USAGE}", file=sys.stderr)
        return 2
    lines = []
    for line in check_folder(Path(arguments[0])):
        print(line, flush=True)
        lines.append(line)
    counts = tally(lines)
    print(", ".join(f"{count} {verdict}" for verdict, count in counts.items()))
    if not counts["pass"] and not counts["FAIL"]:
        print(f"nothing to compare in {arguments[0]}", file=sys.stderr)
        return 2
    return 1 if counts["FAIL"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
