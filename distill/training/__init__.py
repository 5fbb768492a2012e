"""From sound to a student: features, alignment, the loop and its losses."""
