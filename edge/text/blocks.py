"""Long texts in blocks of whole sentences, so that the first can be spoken before the last is read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from .language import Piece

LEAST_BLOCK = 60  # characters; a block has one sentence more where it would be shorter
# A full stop of English ends a sentence behind a word in small letters, which no abbreviation is.
_END = re.compile(
    r"(?:[。！？!?\n]|(?<![A-Za-z.])[a-z]{4,}\.(?=[\"”')]*\s+[A-Z]))[。！？!?…\n\"”’'」』）)\]】]*\s*"
)


def block_ends(text: str) -> list[int]:
    """Where the blocks of a text end; the last one at its end.

    Args:
        text: cleaned.
    """
    ends: list[int] = []
    begin = 0
    for match in _END.finditer(text):
        if match.end() - begin >= LEAST_BLOCK and match.end() < len(text):
            begin = match.end()
            ends.append(begin)
    return [*ends, len(text)]


def blocks(pieces: Sequence[Piece], ends: Sequence[int]) -> Iterator[tuple[list[Piece], int]]:
    """The pieces of each block and where it ends; a piece that goes on behind the end is cut there."""
    left = list(pieces)[::-1]
    for end in ends:
        block: list[Piece] = []
        while left and left[-1].start < end:
            piece = left.pop()
            block.append(Piece(piece.language, piece.start, min(piece.end, end)))
            if piece.end > end:
                left.append(Piece(piece.language, end, piece.end))
        yield block, end
