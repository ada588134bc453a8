"""What was last seen of controllers, in the live store, and who wants to see which."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, cast
from uuid import UUID

import redis

from signals.rules.live.lights import Seen, read_seen, write_seen

WANTED_FOR: Final = timedelta(seconds=15)
"""After the last look at a junction its controller is asked for so long."""
KEPT_S: Final = 15
"""What was seen is worth nothing later."""
_WANTED: Final = "{lights}:wanted"

Key = tuple[UUID, str]
"""Network and signal."""


class Lights:
    """Reads and writes what was seen.

    Parameters
    ----------
    live : redis.Redis
        Its errors are the caller's to know about.
    """

    def __init__(self, live: redis.Redis) -> None:
        self._live = live

    def want(self, key: Key, now: datetime) -> None:
        """Let a controller be asked each second for a while."""
        self.want_all([key], now)

    def want_all(self, keys: Sequence[Key], now: datetime) -> None:
        """Let controllers be asked each second for a while."""
        if keys:
            until_s = (now + WANTED_FOR).timestamp()
            self._live.zadd(_WANTED, {_member(key): until_s for key in keys})

    def wanted(self, now: datetime) -> list[Key]:
        """Give whose lights somebody wants to see."""
        self._live.zremrangebyscore(_WANTED, "-inf", now.timestamp())
        members = cast("list[bytes]", self._live.zrange(_WANTED, 0, -1))
        return [_key(each) for each in members]

    def put(self, key: Key, seen: Seen) -> None:
        """Keep what was seen last."""
        self._live.set(_lights(key), write_seen(seen), ex=KEPT_S)

    def get(self, key: Key) -> Seen | None:
        """Give what was seen last; None where nobody has asked lately."""
        return self.get_all([key]).get(key)

    def get_all(self, keys: Sequence[Key]) -> dict[Key, Seen]:
        """Give what was seen last of one network's controllers, where somebody has asked lately."""
        if not keys:
            return {}
        found = cast("list[bytes | None]", self._live.mget([_lights(key) for key in keys]))
        return {
            key: read_seen(raw) for key, raw in zip(keys, found, strict=True) if raw is not None
        }


def _lights(key: Key) -> str:
    return f"{{n:{key[0].hex}}}:lights:{key[1]}"


def _member(key: Key) -> str:
    return f"{key[0].hex}/{key[1]}"


def _key(member: bytes) -> Key:
    network, _, signal = member.decode().partition("/")
    return UUID(network), signal
