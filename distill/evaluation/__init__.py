"""Measures of a voice: one a file, each fed with sound and segments, none with a network."""
