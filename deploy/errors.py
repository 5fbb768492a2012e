"""Errors of the deployment side: one line that names the remedy."""

from __future__ import annotations

from edge.errors import EdgeError


class DeployError(EdgeError):
    """Something cannot be packed, fetched, installed or switched to; what was in use stays in use."""

    code = "internal"
