"""Corpus: what a teacher says, rendered on several processes, and the record of it."""
