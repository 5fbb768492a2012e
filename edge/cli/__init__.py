"""The ``sovits-edge`` command."""
