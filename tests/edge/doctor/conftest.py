from __future__ import annotations

from tests.edge.daemon.conftest import broker_port, start_rig

__all__ = ["broker_port", "start_rig"]
