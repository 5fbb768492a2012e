"""What a voice of one's own is made from: its configuration, reference clips and card."""
