"""The daemon: requests over MQTT in, speech and reports out."""

from .service import Daemon, serve

__all__ = ["Daemon", "serve"]
