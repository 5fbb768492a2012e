"""Mandarin: numbers written out, words, readings, tones as spoken."""
