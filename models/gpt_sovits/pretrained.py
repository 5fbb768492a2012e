"""Loads networks that come as a folder of Hugging Face ``transformers``, from the disk only."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

WEIGHTS = ("model.safetensors", "pytorch_model.bin")


class PretrainedFolderError(ValueError):
    """A folder does not hold the network that it should; the message says what to put there."""


def require_files(folder: Path, name: str, *choices: tuple[str, ...]) -> None:
    """Raise PretrainedFolderError unless one file of each choice is in the folder."""
    missing = [
        " or ".join(names) for names in choices if not any((folder / each).is_file() for each in names)
    ]
    if missing:
        found = "is not there" if not folder.is_dir() else f"has no {', no '.join(missing)}"
        raise PretrainedFolderError(
            f"{folder} {found}; copy the folder {name} of GPT-SoVITS's pretrained_models there, "
            f"or give its place"
        )


def load_network(model_class: Any, folder: Path, name: str, **options: Any) -> Any:
    """Load a network in single precision for inference.

    Args:
        model_class: of ``transformers``.
        folder: holds config.json and the weights.
        name: what the folder should hold, for messages.
        options: of the class's constructor.

    Raises:
        PretrainedFolderError: a file is missing or broken, or the tensors are of another network.
    """
    from safetensors import SafetensorError

    require_files(folder, name, ("config.json",), WEIGHTS)
    try:
        with _quiet():
            model, report = model_class.from_pretrained(
                folder, local_files_only=True, output_loading_info=True, dtype=torch.float32, **options
            )
    except (EOFError, pickle.UnpicklingError, SafetensorError) as error:
        raise PretrainedFolderError(
            f"the weights in {folder} are broken ({type(error).__name__}), as after half a download; "
            f"copy {name} again"
        ) from error
    except (OSError, RuntimeError, ValueError) as error:
        raise PretrainedFolderError(f"{folder} does not hold {name}: {error}") from error
    # A tensor that the file lacks would silently be random.
    if report["missing_keys"]:
        missing = sorted(report["missing_keys"])
        raise PretrainedFolderError(
            f"{folder} does not hold {name}: {len(missing)} tensors are missing, {missing[0]} first; "
            "copy the whole folder again"
        )
    return model.eval().requires_grad_(False)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep the library's list of unused tensors and its progress bar off the terminal."""
    from transformers.utils import logging

    level, has_bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if has_bar:
            logging.enable_progress_bar()
