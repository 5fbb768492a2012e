"""Every stage within the tolerance, and a comparison that fails when it should."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from models.gpt_sovits.checkpoint import load_synthesizer
from models.gpt_sovits.spectrogram import reference_spectrogram
from tests.data.make_gpt_sovits import write_s2
from tests.golden.__main__ import check_folder, main
from tests.golden.comparison import Line, tally

ROOT = Path(__file__).parents[2]
GOLDEN = ROOT / "tests" / "data" / "gpt_sovits_v2"


@pytest.fixture(scope="module")
def lines() -> list[Line]:
    return list(check_folder(GOLDEN))


def test_every_array_of_the_original_is_met(lines: list[Line]) -> None:
    assert not [str(line) for line in lines if line.verdict in ("FAIL", "not checked")]
    names = {line.name for line in lines if line.verdict == "pass"}
    assert {"ge", "codes_from_ssl", "encp_mrte", "z_noise0p5", "wav_noise0p5", "wav_speed1p25"} <= names
    assert {"logits_tf", "step_logits", "greedy_eos_tokens", "probs_k50_p0p8_t0p6_rp135"} <= names
    assert tally(lines) == {
        "pass": 18 + 20 + 1,
        "FAIL": 0,
        "not checked": 0,
    }  # s1, s2, a file that is only read


def copy_with(folder: Path, **changes: np.ndarray) -> Path:
    """Copy the synthesizer and some of its arrays, changed ones among them."""
    folder.mkdir()
    shutil.copy(GOLDEN / "s2.pth", folder)
    with np.load(GOLDEN / "s2_io.npz") as content:
        kept = {
            name: content[name]
            for name in ("refer_spec", "ge", "ssl", "codes_from_ssl", "codes", "quantized")
        }
    np.savez(folder / "s2_io.npz", **(kept | changes))
    return folder


def verdicts(folder: Path) -> dict[str, tuple[str, str]]:
    return {line.name: (line.verdict, line.text) for line in check_folder(folder)}


def test_notices_a_difference(tmp_path: Path) -> None:
    with np.load(GOLDEN / "s2_io.npz") as content:
        ge, codes, quantized = (
            content["ge"] + 2e-4,
            content["codes_from_ssl"].copy(),
            content["quantized"].copy(),
        )
    codes[0, 0, 3] += 1
    quantized[0, 0, 0] = np.nan
    folder = copy_with(tmp_path / "g", ge=ge, codes_from_ssl=codes, quantized=quantized)
    found = verdicts(folder)
    assert found["ge"][0] == "FAIL" and "largest difference 2.00e-04, tolerance 1e-04" in found["ge"][1]
    assert found["codes_from_ssl"][0] == "FAIL" and "must be equal" in found["codes_from_ssl"][1]
    assert found["quantized"][0] == "FAIL" and "inf" in found["quantized"][1]
    assert main([str(folder)]) == 1


def test_says_what_it_does_not_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = copy_with(tmp_path / "g", strange=np.zeros(3), m_p=np.zeros((1, 32, 62)), ge=np.zeros((1, 3, 1)))
    found = verdicts(folder)
    assert found["strange"] == ("not checked", "unknown array")
    assert found["m_p"] == ("not checked", "it is computed from text_ids, which is not in the file")
    assert found["ge"] == ("FAIL", "shape 1x64x1, expected 1x3x1")
    main([str(folder)])
    assert "1 FAIL, 2 not checked" in capsys.readouterr().out.splitlines()[-1]


def test_notices_missing_checkpoints_and_wrong_ones(tmp_path: Path) -> None:
    folder = copy_with(tmp_path / "g")
    (folder / "s2.pth").write_bytes(b"PK\x03\x04")
    assert verdicts(folder)["-"][0] == "FAIL"
    (folder / "s2.pth").unlink()
    assert verdicts(folder)["-"] == ("FAIL", "no checkpoint s2*.pth beside it")


def test_holds_the_folder_against_its_manifest(tmp_path: Path) -> None:
    folder = copy_with(tmp_path / "g")
    digest = hashlib.sha256((folder / "s2_io.npz").read_bytes()).hexdigest()
    files = {"s2_io.npz": {"sha256": digest, "arrays": {"ge": {}, "gone": {}}}, "s1.ckpt": {"sha256": ""}}
    (folder / "manifest.json").write_text(json.dumps({"files": files | {"s2.pth": {"sha256": "00"}}}))
    said = [str(line) for line in check_folder(folder)]
    assert any("s1.ckpt" in line and "FAIL" in line and "not there" in line for line in said)
    assert any("gone" in line and "FAIL" in line for line in said)
    assert any(line.startswith("s2.pth") and "FAIL" in line and "sha256" in line for line in said)
    assert any(line.startswith("s2_io.npz") and "pass" in line and "sha256" in line for line in said)


def test_pro_folders(tmp_path: Path) -> None:
    """What a Pro folder may hold, made by our own network: names and shapes, not parity."""
    folder = tmp_path / "pro"
    folder.mkdir()
    model = load_synthesizer(write_s2(folder / "s2_pro.pth", "v2Pro"))
    generator = torch.Generator().manual_seed(0)
    spectrogram, speaker = (
        torch.rand(1, 1025, 9, generator=generator),
        torch.randn(1, 20480, generator=generator),
    )
    ge = model.timbre([spectrogram], [speaker])
    arrays = {"refer_spec": spectrogram, "sv_emb": speaker, "ge": ge, "ge_to512": model.text_timbre(ge)}
    arrays |= {"sv_proj": model.sv_emb(speaker), "ref_enc": model.ref_enc(spectrogram)}
    np.savez(folder / "s2_io.npz", **{name: tensor.numpy() for name, tensor in arrays.items()})
    sound = torch.randn(1, 6400, generator=generator) * 0.1
    np.savez(folder / "spec_io.npz", wav32k=sound.numpy(), spec=reference_spectrogram(sound).numpy())
    np.savez(folder / "sv_io.npz", fbank=np.zeros((1, 30, 80)), sv=speaker.numpy())
    found = verdicts(folder)
    assert [found[name][0] for name in ("refer_spec", "sv_emb", "fbank", "wav32k")] == ["input"] * 4
    assert [found[name][0] for name in ("ge", "ge_to512", "sv_proj", "ref_enc", "spec")] == ["pass"] * 5
    assert found["sv"][0] == "not checked"
    assert main([str(folder)]) == 0


def test_the_command(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "tests.golden"]
    run = subprocess.run([*command, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert run.returncode == 2 and "nothing to compare" in run.stderr
    assert main([]) == 2 and main([str(tmp_path / "absent")]) == 2
