"""Lines of the comparison: one per array of a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

TOLERANCE = 1e-4
# Magnitudes reach 200, and the logarithm of a small energy is steep.
TOLERANCES = {"spec": 1e-3, "fbank": 1e-3}


@dataclass(frozen=True)
class Line:
    """What became of an array.

    Attributes:
        file, name: where it is.
        verdict: "pass", "FAIL", "input" or "not checked".
        text: the numbers, or the reason.
    """

    file: str
    name: str
    verdict: str
    text: str = ""

    def __str__(self) -> str:
        return f"{self.file:<14} {self.name:<26} {self.verdict:<12} {self.text}".rstrip()


class Arrays:
    """Arrays of a file as tensors; whoever asks for an absent one gets `AbsentError`."""

    def __init__(self, path: Path) -> None:
        self.file = path.name
        with np.load(path, allow_pickle=False) as content:
            self.content = {name: torch.from_numpy(np.asarray(content[name])) for name in content.files}

    def __getitem__(self, name: str) -> Tensor:
        if name not in self.content:
            raise AbsentError(name)
        return self.content[name]

    def first_of(self, *names: str) -> Tensor:
        """Return the first that is there."""
        return self[next((name for name in names if name in self.content), names[0])]


class AbsentError(KeyError):
    """An array that another one is computed from is not in the file."""


Compute = Callable[[], Tensor]


def compare(
    arrays: Arrays, inputs: Callable[[str], bool], find: Callable[[str], Compute | None]
) -> Iterator[Line]:
    """Compute every array of a file that is an output, and hold it against the file's.

    Args:
        arrays: of the file.
        inputs: tells whether a name is an input.
        find: returns what computes an array, or None for a name it does not know.
    """
    for name, expected in arrays.content.items():
        if inputs(name):
            yield Line(arrays.file, name, "input", _shape(expected))
        elif (compute := find(name)) is None:
            yield Line(arrays.file, name, "not checked", "unknown array")
        else:
            yield _compared(arrays.file, name, expected, compute)


def _compared(file: str, name: str, expected: Tensor, compute: Compute) -> Line:
    try:
        with torch.inference_mode():
            found = compute()
    except AbsentError as absent:
        return Line(
            file, name, "not checked", f"it is computed from {absent.args[0]}, which is not in the file"
        )
    except (ArithmeticError, AttributeError, LookupError, RuntimeError, TypeError, ValueError) as error:
        return Line(file, name, "FAIL", f"{type(error).__name__}: {error}")
    if found.shape != expected.shape:
        return Line(file, name, "FAIL", f"shape {_shape(found)}, expected {_shape(expected)}")
    is_exact = not expected.is_floating_point()
    tolerance = 0.0 if is_exact else TOLERANCES.get(name, TOLERANCE)
    difference = largest_difference(found, expected)
    verdict = "pass" if difference <= tolerance else "FAIL"
    limit = "must be equal" if is_exact else f"tolerance {tolerance:.0e}"
    return Line(file, name, verdict, f"{_shape(expected)}, largest difference {difference:.2e}, {limit}")


def largest_difference(found: Tensor, expected: Tensor) -> float:
    """Return the largest absolute difference; infinite where either has no number."""
    if not expected.numel():
        return 0.0
    difference = (found.double() - expected.double()).abs()
    return float(difference.nan_to_num(nan=torch.inf).max())


def failed(file: str, reason: str) -> Line:
    """Make the line for a file that cannot be used."""
    return Line(file, "-", "FAIL", reason)


def tally(lines: list[Line]) -> Mapping[str, int]:
    """Count the verdicts."""
    return {
        verdict: sum(line.verdict == verdict for line in lines) for verdict in ("pass", "FAIL", "not checked")
    }


def number(text: str) -> float:
    """Read a number in a name, such as 0p5."""
    return float(text.replace("p", "."))


def _shape(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "scalar"
