"""Memory of a training step, kept for the next one."""

from __future__ import annotations

import ctypes
import sys

# Parameters of mallopt(3), <malloc.h> of glibc.
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3
_LARGEST_IN_HEAP = 1 << 30  # bytes; more than any tensor of a step
_LARGEST_OF_OLD_GLIBC = 32 << 20  # which refuses more
_TOP_PAD_BYTES = 256 << 20
_NEVER = -1


def keep_freed_memory() -> bool:
    """Let glibc keep what is freed, so that a step does not fault in the pages of the step before again.

    By default blocks of more than 128 kB come from the kernel and go back to it; in training on a CPU nearly
    every tensor is one. A step of 16 lines then faults in 600 pages instead of 13,000. Must be called before
    tensors are made. Elsewhere than on Linux with glibc nothing happens.

    Returns:
        Whether the allocator has taken the settings.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    in_heap = mallopt(_MMAP_THRESHOLD, _LARGEST_IN_HEAP) or mallopt(_MMAP_THRESHOLD, _LARGEST_OF_OLD_GLIBC)
    kept = mallopt(_TRIM_THRESHOLD, _NEVER) and mallopt(_TOP_PAD, _TOP_PAD_BYTES)
    return bool(in_heap and kept)
