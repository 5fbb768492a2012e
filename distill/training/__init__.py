"""Training: features, alignment, the loop and its losses."""
