"""Who is behind a bearer token, remembered for a moment: network servers send thousands a second.

A revoked or expired token is refused within `REMEMBERED_S` by every process. Only tokens that are
good are remembered, by their digest: a new one works at once, and memory holds no token.
"""

from __future__ import annotations

import hashlib
import threading
import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from city.people.actors import Actor
    from city.works.database import Database

REMEMBERED_S: Final = 1.0
MOST_REMEMBERED: Final = 20_000
LONGEST_TOKEN: Final = 128


class Bearers:
    """Finds the actor of a token, asking the database at most once a second for each.

    Parameters
    ----------
    database
        Where credentials are kept.
    remembered_s
        How long a good token is taken as good, in seconds.
    """

    def __init__(self, database: Database, *, remembered_s: float = REMEMBERED_S) -> None:
        self._database = database
        self._remembered_s = remembered_s
        self._lock = threading.Lock()
        self._known: dict[bytes, tuple[float, Actor]] = {}

    def actor(self, token: str) -> Actor | None:
        """Give who is behind a token; None where it is unknown, revoked or expired."""
        if len(token) > LONGEST_TOKEN:
            return None
        key = hashlib.sha256(token.encode("utf-8", "replace")).digest()
        known = self._known.get(key)
        now = time.monotonic()
        if known is not None and now < known[0]:
            return known[1]
        from city.people import services  # noqa: PLC0415 - argon2 is loaded where a token arrives

        with self._database.read() as connection:
            found = services.token_actor(connection, token)
        with self._lock:
            if found is None:
                self._known.pop(key, None)
                return None
            if len(self._known) >= MOST_REMEMBERED:
                self._known.clear()
            # Counted from before the question: its answer may be as old as that.
            self._known[key] = (now + self._remembered_s, found)
        return found
