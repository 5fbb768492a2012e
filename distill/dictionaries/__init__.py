"""Builders of the dictionaries that the text front end reads on the device."""
