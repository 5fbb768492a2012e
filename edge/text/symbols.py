"""The phoneme inventory of GPT-SoVITS v2: 732 symbols, index in the list = id."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

DATA = Path(__file__).parent / "data"

SYMBOLS: tuple[str, ...] = tuple(json.loads((DATA / "symbols.json").read_text(encoding="utf-8")))
SYMBOL_TO_ID: dict[str, int] = {symbol: index for index, symbol in enumerate(SYMBOLS)}
SYMBOLS_SHA256 = hashlib.sha256("\n".join(SYMBOLS).encode()).hexdigest()

PUNCTUATION = (",", ".", "!", "?", "…", "-")
LANGUAGES = ("zh", "en", "ja")
