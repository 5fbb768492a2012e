"""Request journal: its contract, and where it is kept."""
