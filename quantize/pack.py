"""Bundle writer: networks, manifest with hashes, golden line; a directory or one ``.voice`` file."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import shutil
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import onnx

from edge.bundle.bundle import (
    CONSENT_FILE,
    DECODER_FILE,
    ENCODER_FILE,
    FORMAT_VERSION,
    MANIFEST_FILE,
    SIGNATURE_FILE,
    Bundle,
    workshop,
)
from edge.bundle.manifest import Character, FileEntry, Golden, Manifest, Quantization
from edge.errors import EdgeError
from edge.loudness.level import character_level
from edge.spec import HOP_LENGTH, N_FFT, SAMPLE_RATE
from edge.synthesizer import SpeechRequest, Synthesizer
from edge.text.symbols import SYMBOLS_SHA256

from .card import VoiceCard
from .qdq import dequantize

NETWORKS = (ENCODER_FILE, DECODER_FILE)


def pack(
    networks: Path, student: dict[str, Any], card: VoiceCard, quantization: Quantization, output: Path
) -> Bundle:
    """Write a bundle directory and load it back.

    Args:
        networks: folder with ``encoder.onnx`` and ``decoder.onnx``.
        student: description that the export step wrote beside them.
        card: what a person says about the voice.
        quantization: scheme and what it cost.
        output: directory; what is there is replaced.

    Raises:
        ValueError: the card names a character or an emotion that the student was not trained with, or its
            consent record does not fit the voice.
    """
    with _replacing(output) as fresh:
        for name in NETWORKS:
            shutil.copyfile(networks / name, fresh / name)
        _add_consent(fresh, card)
        draft = _manifest(fresh, student, card, quantization)
        _write_manifest(fresh, draft)
        _write_manifest(fresh, draft.model_copy(update=_measured(fresh, draft, card)))
    return _spoken(output)


def write_float_bundle(bundle: Path, output: Path) -> Bundle:
    """Write a bundle whose networks compute in float what the int8 weights stand for, for benchmarks.

    Raises:
        BundleError: the source is not a sound bundle.
    """
    source = Bundle.load(bundle, gate=workshop)
    with _replacing(output) as fresh:
        for name in NETWORKS:
            model = dequantize(onnx.load_model_from_string(source.read(name)))
            (fresh / name).write_bytes(model.SerializeToString())
        for name in source.manifest.files.keys() - NETWORKS:
            (fresh / name).write_bytes(source.read(name))
        files = dict(source.manifest.files) | {name: _entry(fresh / name) for name in NETWORKS}
        update = {"files": files, "quantization": Quantization(scheme="fp32")}
        _write_manifest(fresh, source.manifest.model_copy(update=update))
    return _spoken(output)


@contextlib.contextmanager
def _replacing(output: Path) -> Iterator[Path]:
    """A fresh folder that takes the place of ``output`` if all goes well and disappears if not."""
    fresh = output.with_name(output.name + ".partial")
    shutil.rmtree(fresh, ignore_errors=True)
    fresh.mkdir(parents=True)
    try:
        yield fresh
        shutil.rmtree(output, ignore_errors=True)
        fresh.rename(output)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _spoken(path: Path) -> Bundle:
    """Load a bundle and let it speak its golden line."""
    synthesizer = Synthesizer.load(path, gate=workshop)
    synthesizer.warm_up()
    synthesizer.close()
    return synthesizer.bundle


def _manifest(folder: Path, student: dict[str, Any], card: VoiceCard, quantization: Quantization) -> Manifest:
    return Manifest(
        format_version=FORMAT_VERSION,
        name=card.name,
        version=card.version,
        sample_rate=SAMPLE_RATE,
        hop_length=HOP_LENGTH,
        n_fft=N_FFT,
        symbols_sha256=SYMBOLS_SHA256,
        files={path.name: _entry(path) for path in sorted(folder.iterdir()) if path.name != MANIFEST_FILE},
        context_frames=student["context_frames"],
        first_window_frames=card.first_window_frames,
        window_frames=card.window_frames,
        characters=_characters(student, card),
        emotions=student["emotions"],
        provenance=card.provenance,
        licence=card.licence,
        consent=card.consent,
        origin=card.origin,
        quantization=quantization,
        golden=Golden(
            text=card.golden.text, character=card.golden.character, durations=(1,), levels_db=(0.0,)
        ),
    )


def _add_consent(folder: Path, card: VoiceCard) -> None:
    """Copy the record into the bundle as it is: its signature covers its exact bytes.

    Raises:
        ValueError: it cannot be read, or is the record of another voice.
    """
    if card.consent_record is None:
        return
    from edge.bundle.trust.chain import read_unverified
    from edge.bundle.trust.documents import ConsentRecord

    try:
        content = card.consent_record.read_bytes()
        record = read_unverified(content, ConsentRecord)
    except OSError as error:
        raise ValueError(f"{card.consent_record}: {error.strerror}; name the signed record") from error
    except EdgeError as error:
        raise ValueError(f"{card.consent_record}: {error}") from error
    references = card.origin.references if card.origin else ()
    if not references or set(references) - set(record.voice.references):
        raise ValueError(
            f"{card.consent_record}: names other recordings than this voice has; give the card an origin "
            "with the references that the record names"
        )
    (folder / CONSENT_FILE).write_bytes(content)


def _entry(path: Path) -> FileEntry:
    content = path.read_bytes()
    return FileEntry(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))


def _characters(student: dict[str, Any], card: VoiceCard) -> tuple[Character, ...]:
    known = student["characters"]
    for character in card.characters:
        if character.name not in known:
            raise ValueError(
                f"voice card: the student has no character {character.name!r}, it has {sorted(known)}"
            )
        missing = set(character.emotions) - set(student["emotions"])
        if missing:
            raise ValueError(f"voice card: {character.name}: the student has no emotions {sorted(missing)}")
    return tuple(Character(id=known[entry.name], **entry.model_dump()) for entry in card.characters)


def _measured(folder: Path, draft: Manifest, card: VoiceCard) -> dict[str, Any]:
    """Speak with the networks as packed; gives what of the manifest comes out: golden line and levels."""
    spoken = card.golden
    try:
        with contextlib.closing(Synthesizer.load(folder, gate=workshop)) as synthesizer:
            request = SpeechRequest(spoken.text, spoken.character, spoken.language)
            durations, levels = synthesizer.measure(request)
            characters = [
                one.model_copy(update={"level_dbfs": character_level(synthesizer.sample, one)})
                for one in draft.characters
            ]
    except EdgeError as error:
        raise ValueError(f"the voice cannot be tried: {error}") from error
    golden = Golden.model_validate({**spoken.model_dump(), "durations": durations, "levels_db": levels})
    return {"golden": golden, "characters": tuple(characters)}


def _write_manifest(folder: Path, manifest: Manifest) -> None:
    content = json.dumps(manifest.model_dump(mode="json", exclude_none=True), indent=1, ensure_ascii=False)
    (folder / MANIFEST_FILE).write_text(content + "\n", encoding="utf-8")


def write_voice(bundle: Path, output: Path) -> None:
    """Pack a bundle directory into one uncompressed tar; the same bundle always gives the same bytes.

    Raises:
        BundleError: the directory is not a sound bundle.
    """
    files = Bundle.load(bundle, gate=workshop).manifest.files
    partial = output.with_name(output.name + ".partial")
    with tarfile.open(partial, "w", format=tarfile.USTAR_FORMAT) as archive:
        signature = [SIGNATURE_FILE] if (bundle / SIGNATURE_FILE).is_file() else []
        for name in (MANIFEST_FILE, *signature, *sorted(files)):
            content = (bundle / name).read_bytes()
            member = tarfile.TarInfo(name)
            member.size = len(content)
            member.mode = 0o644
            archive.addfile(member, io.BytesIO(content))
    partial.replace(output)
