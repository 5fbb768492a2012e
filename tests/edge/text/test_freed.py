from __future__ import annotations

import gc

import pytest

from edge.text import FrontEnd
from edge.text.symbols import LANGUAGES


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_front_end_that_is_dropped_is_freed_at_once(language: str) -> None:
    """Dictionaries take megabytes: if circles held them, every reload of a voice would add to memory."""
    front_end = FrontEnd()
    front_end.warm_up([language])
    front_end.read("Wakanda 你好 3.5%", language)
    gc.collect()
    gc.disable()
    try:
        del front_end
        assert gc.collect() == 0
    finally:
        gc.enable()
