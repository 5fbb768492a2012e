"""The fingerprint of the software covers whatever is loaded to speak a line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from edge import fingerprint
from edge.fingerprint import software_fingerprint

ROOT = Path(__file__).parents[2]
SPEAK = """
import sys
from pathlib import Path
from edge.synthesizer import SpeechRequest, Synthesizer
voice = Synthesizer.load(Path("tests/data/tiny_voice"))
voice.synthesize(SpeechRequest("[emotion:sad]你好，hello 1, こんにちは", "noah"))
ours = [module for name, module in sys.modules.items() if name.split(".")[0] == "edge"]
print(*(module.__file__ for module in ours), sep="\\n")
"""
# Whether a voice may be used; the voices, which have a hash; their loudness, which is set on the way out.
NO_SOUND = ("edge/bundle/", "edge/voices/", "edge/loudness/")


def test_every_module_that_makes_sound_is_in_it() -> None:
    run = subprocess.run(
        [sys.executable, "-c", SPEAK], cwd=ROOT, capture_output=True, text=True, check=True, timeout=120
    )
    modules = {Path(name).resolve() for name in run.stdout.splitlines()}
    covered = {path.resolve() for path in fingerprint._files()}
    left = {str(path.relative_to(ROOT)) for path in modules - covered}
    assert {name for name in left if not name.startswith(NO_SOUND)} == set()
    assert any(path.name == "zh_dictionary.bin" for path in covered)


def test_it_is_the_same_each_time() -> None:
    first = software_fingerprint()
    software_fingerprint.cache_clear()
    assert software_fingerprint() == first and len(first) == 64
