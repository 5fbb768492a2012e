"""Inaudible mark of synthesised speech: a keyed pattern of small gains, and the detector that finds it."""
