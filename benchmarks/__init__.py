"""Measurements of a device: ``python -m benchmarks`` takes them, ``report.py`` writes the tables."""
