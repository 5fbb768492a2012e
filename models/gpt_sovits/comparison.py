"""Comparison of a file with the tensors that a network needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from torch import Tensor

from .archive import CheckpointError

N_NAMED = 3


def compare_tensors(
    expected: Mapping[str, Tensor], found: Mapping[str, Tensor], name_in_file: Callable[[str], str]
) -> None:
    """Hold the tensors that a network has against those that a file has.

    Raises:
        CheckpointError: a tensor is missing, nobody's, or of another shape; by their names in the file.
    """
    missing = [name_in_file(name) for name in expected if name not in found]
    unexpected = [name_in_file(name) for name in found if name not in expected]
    shapes = [
        f"{name_in_file(name)} is {list(tensor.shape)}, not {list(expected[name].shape)}"
        for name, tensor in found.items()
        if name in expected and tensor.shape != expected[name].shape
    ]
    parts = (("missing", missing), ("unexpected", unexpected), ("of another shape", shapes))
    faults = "; ".join(f"{what}: {_some(names)}" for what, names in parts if names)
    if faults:
        raise incomplete(faults)


def incomplete(faults: str) -> CheckpointError:
    """Make the error for a file whose tensors are not those of a model."""
    return CheckpointError(
        f"not the tensors of a complete model ({faults}); use the file just as GPT-SoVITS wrote it"
    )


def _some(names: list[str]) -> str:
    rest = f" and {len(names) - N_NAMED} more" if len(names) > N_NAMED else ""
    return ", ".join(names[:N_NAMED]) + rest
