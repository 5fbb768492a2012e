"""Ways into the daemon: what each carries becomes the same command."""
