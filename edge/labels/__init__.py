"""Labels of synthesised speech: what has to be said, shown and written where, as a venue's policy asks."""
