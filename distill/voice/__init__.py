"""Voice of one's own: its configuration, reference clips and card."""
