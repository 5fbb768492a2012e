"""The libraries that making a voice needs, looked for before hours are spent on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.util import find_spec

from ..config import DistillError

EVERY_VOICE = (
    "PIL", "jinja2", "lightning", "matplotlib", "onnx", "pocketsphinx", "pyworld", "safetensors", "scipy",
    "soundfile", "soxr", "torch", "tqdm",
)  # fmt: skip
OF_TEACHER: Mapping[str, tuple[str, ...]] = {
    "gpt-sovits": ("transformers",),
    "gpt-sovits-http": ("httpx2",),
    "openjtalk": ("pyopenjtalk",),
}
OF_LANGUAGE: Mapping[str, tuple[str, ...]] = {"ja": ("pyopenjtalk",)}


def require_libraries(kind: str = "", languages: Sequence[str] = ()) -> None:
    """Make sure that ``sovits-distill run`` will not stop for want of a library.

    Args:
        kind: of the teacher; empty as long as no configuration has been read.
        languages: that the voice is taught.

    Raises:
        DistillError: some are not installed; the message names them all and the extra that brings them.
    """
    needed = {*EVERY_VOICE, *OF_TEACHER.get(kind, ())}
    needed.update(*(OF_LANGUAGE.get(language, ()) for language in languages))
    missing = sorted(name for name in needed if find_spec(name) is None)
    if missing:
        are, them = ("is", "it") if len(missing) == 1 else ("are", "them")
        remedy = f"install {them} with: pip install 'sovits-tiny[distill]'"
        raise DistillError(f"{', '.join(missing)} {are} not installed; {remedy}")
