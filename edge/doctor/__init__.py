"""Doctor: checks of a device and its broker by what they do, each finding with its remedy."""
