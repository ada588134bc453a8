"""How often one remote may ask for what anybody may ask: counted in the live store.

A count that is lost with the store costs nobody anything, and none is kept longer than its window.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Final

from flask import request

from city.errors import TooMany
from city.people.throttle import remote_network
from web import access

if TYPE_CHECKING:
    import redis

WINDOW_S: Final = 15 * 60


def count(name: str, whose: str, most: int) -> None:
    """Count an act of somebody's, in windows of a quarter of an hour.

    Parameters
    ----------
    name : str
        What is counted.
    whose : str
        Whose count it is: a network, a bay's id. Never a plate.
    most : int
        So many in a window.

    Raises
    ------
    TooMany
        Past that, with the seconds until the window is over.
    """
    store: redis.Redis = access.wiring().live
    digest = hashlib.sha256(whose.encode("utf-8", "replace")).hexdigest()[:32]
    key = f"limit:{name}:{digest}"
    with store.pipeline(transaction=True) as together:
        together.incr(key)
        # Set with the first act alone: who keeps knocking does not keep the door shut.
        together.expire(key, WINDOW_S, nx=True)
        together.ttl(key)
        counted, _, left_s = together.execute()
    if int(counted) > most:
        raise TooMany("too many of these: wait a while", retry_after_s=max(1, int(left_s)))


def remote() -> str:
    """Give the network that asks: an IPv4 address or an IPv6 /64."""
    return remote_network(request.remote_addr or "unknown")
