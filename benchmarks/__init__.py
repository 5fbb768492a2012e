"""Measurements of a device: ``python -m benchmarks`` takes them, ``report.py`` puts them in the README."""
