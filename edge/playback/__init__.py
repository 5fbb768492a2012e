"""Sound on its way out of the device: the player's queue, sinks and files."""
