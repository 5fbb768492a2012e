"""Two verdicts on this machine: INT8 as it is shipped, and the usual recipe, which loses.

    python -m benchmarks.int8_verdicts

The second rounds every convolution and product dynamically, as most guides do. Both are held to the same
thresholds as on a device (``sovits-quantize verdict``). Kept in
``benchmarks/results/<machine>/faster/int8-verdicts.json``.
"""

from __future__ import annotations

import hashlib
import shutil
import tempfile
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from onnxruntime.quantization import quantize_dynamic

from edge.bundle.bundle import BUILTIN_VOICE, DECODER_FILE, ENCODER_FILE, MANIFEST_FILE, Bundle
from edge.bundle.manifest import FileEntry
from edge.runners.verdict import Thresholds, rejection
from quantize.device import judge
from quantize.pack import write_float_bundle

from . import machine, report
from .harness import write_result

THREADS = 2
FILE = Path("faster") / "int8-verdicts.json"


def dynamic_bundle(float_bundle: Path, output: Path) -> Path:
    """The bundle with every convolution and product of its float networks quantized dynamically."""
    shutil.copytree(float_bundle, output)
    manifest, files = Bundle.load(float_bundle).manifest, {}
    for name in (ENCODER_FILE, DECODER_FILE):
        quantize_dynamic(float_bundle / name, output / name, op_types_to_quantize=["Conv", "MatMul"])
        content = (output / name).read_bytes()
        files[name] = FileEntry(sha256=hashlib.sha256(content).hexdigest(), bytes=len(content))
    changed = manifest.model_copy(update={"files": files})
    (output / MANIFEST_FILE).write_text(changed.model_dump_json(), encoding="utf-8")
    return output


def verdicts() -> list[dict[str, Any]]:
    """Evidence and reason of rejection of each."""
    found, limits = [], Thresholds()
    with tempfile.TemporaryDirectory() as work:
        float_bundle = Path(work) / "float"
        write_float_bundle(BUILTIN_VOICE, float_bundle)
        voices = {
            "as shipped": BUILTIN_VOICE,
            "dynamic": dynamic_bundle(float_bundle, Path(work) / "dynamic"),
        }
        for name, path in voices.items():
            opened = Bundle.load(path), Bundle.load(float_bundle)
            evidence = judge(*opened, "onnxruntime", THREADS, None, limits)
            reason = rejection(evidence, limits)
            found.append({"int8": name, "rejected": reason, "evidence": evidence.to_dict()})
    return found


def main() -> None:
    """Run as a command."""
    rows = verdicts()
    for row in rows:
        print(row)
    date = datetime.now(timezone.utc).isoformat(timespec="seconds")
    path = report.RESULTS / machine.device_name() / FILE
    write_result(path, {"date": date, "machine": machine.describe(), "threads": THREADS, "verdicts": rows})


if __name__ == "__main__":
    main()
