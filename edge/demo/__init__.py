"""Demonstration: a broker, the daemon and lines sent to it as a show would send them."""
