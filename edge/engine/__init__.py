"""Synthesiser as the daemon sees it: lines in, chunks out."""
