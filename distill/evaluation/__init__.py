"""What a voice is judged by: one measure per file, each fed with sound and segments, none with a network."""
