"""Identifiers of demo things: the same seed gives the same ids, so that a restart finds its own."""

from __future__ import annotations

from uuid import NAMESPACE_URL, UUID, uuid5


def demo_id(seed: int, kind: str, name: str) -> UUID:
    """Return the id of one thing of the demo city."""
    return uuid5(NAMESPACE_URL, f"urn:greenbay:demo:{seed}:{kind}:{name}")
