"""From a trained student to a voice bundle: export, calibrate, insert Q/DQ, compare, pack."""
