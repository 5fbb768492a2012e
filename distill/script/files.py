"""Scripts of a voice: the lines of the package, and files of lines that somebody wrote for a show."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from ..config import DistillError
from ..corpus.config import PACKAGE_SCRIPTS
from .lines import Line, load_lines, read_lines

VALID_SHARE, TEST_SHARE = 0.05, 0.10  # of the lines in a file that does not say which are held out


def load_script(script: Sequence[str], language: str) -> list[Line]:
    """Read the lines of one language.

    A ``.tsv`` file has split, kind and text in each row, as those of the package. In any other file a row is
    a line; empty rows and rows that begin with ``#`` are passed over. Which lines are held out depends on the
    texts alone. A text that occurs again, in whichever file, counts once.

    Args:
        script: names of scripts of the package (``builtin``, ``builtin-more``) or paths.
        language: of the lines that such a name stands for.

    Raises:
        DistillError: a file cannot be read, or is not such a file, or there are too few lines.
    """
    lines: dict[str, Line] = {}
    for name in script:
        for line in load_lines(language, name=name) if name in PACKAGE_SCRIPTS else _load_file(Path(name)):
            lines.setdefault(line.text, line)
    missing = {"train", "valid", "test"} - {line.split for line in lines.values()}
    if missing:
        raise DistillError(
            f"{', '.join(script)}: {len(lines)} lines of {language}, none of them for "
            f"{', '.join(sorted(missing))}; "
            'give at least 3 different lines, or add "builtin"'
        )
    return list(lines.values())


def _load_file(path: Path) -> list[Line]:
    try:
        if path.suffix == ".tsv":
            return read_lines(path)
        rows = [row.strip() for row in path.read_text("utf-8-sig").splitlines()]
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise DistillError(
            f"cannot read the script {path}: {reason}; give a file of lines in UTF-8"
        ) from error
    texts = dict.fromkeys(row for row in rows if row and not row.startswith("#"))
    splits = hold_out(texts, VALID_SHARE, TEST_SHARE)
    return [Line(splits[text], "sentence", text) for text in texts]


def hold_out(texts: Iterable[str], valid_share: float, test_share: float) -> dict[str, str]:
    """Say of each text whether it is for training, validation or the test.

    Texts are ranked by their hash, so that the choice does not follow their order; at least one is held out
    for each purpose.

    Args:
        texts: different lines.
        valid_share: of all lines, 0 to 0.5.
        test_share: likewise.
    """
    ranked = sorted(dict.fromkeys(texts), key=lambda text: hashlib.sha256(text.encode()).digest())
    n_test, n_valid = (math.ceil(share * len(ranked)) for share in (test_share, valid_share))
    splits = ["test"] * n_test + ["valid"] * n_valid
    splits += ["train"] * (len(ranked) - len(splits))
    return dict(zip(ranked, splits, strict=False))
