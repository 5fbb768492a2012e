"""Lip-sync: when each word, phoneme and mouth shape of a line is due."""
