"""Command platforms that ask for our junctions over GA/T 1049.2-2024: who may, and what is told.

A platform sees the junctions that its grant names and no other, and orders nothing: orders at a
signal are proposed and confirmed by a person at the duty desk, within the law's limits.
"""

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import redis
import structlog

from city.errors import Invalid
from city.time import Clock
from signals.adapters.gat1049.users import GatUser
from signals.adapters.lights import Key, Lights
from signals.rules.controllers.gat1049.desk import Denied, Guest, News
from signals.rules.controllers.gat1049.messages import Fault
from signals.rules.controllers.gat1049.nodes import Node, branch, leaf
from signals.rules.controllers.gat1049.telling import RUNTIME, news_of, objects_of

_FIELD: Final = "GAT1049_PLATFORMS"
_MOST_CROSSES: Final = 2_000
_WAIT_S: Final = 0.25
_WAITS: Final = 10
"""How often a controller that was not being asked is looked for: it answers within seconds."""

log = structlog.get_logger("platforms")


@dataclass(frozen=True, slots=True)
class Grant:
    """What a platform may see."""

    user: GatUser
    keys: Mapping[str, Key] = field(default_factory=dict)
    """Our signals by the junctions' numbers that the platform knows them by."""


def read_grants(text: str | None) -> dict[str, Grant]:
    """Read grants from JSON by the platforms' names.

    Each is ``{"password": "…", "network": "…", "crosses": {"11010180001001": "SIGNAL"}}``.

    Raises
    ------
    Invalid
        Naming no password.
    """
    if text is None:
        return {}
    try:
        given = json.loads(text)
        found = {}
        for name, each in given.items():
            user = GatUser(name, each["password"])
            network = UUID(each["network"])
            crosses = {str(cross): str(signal) for cross, signal in each["crosses"].items()}
            if set(each) != {"password", "network", "crosses"}:
                raise Invalid("must have password, network and crosses alone", field=_FIELD)
            if len(crosses) > _MOST_CROSSES or not all(
                cross.isascii() and cross.isdigit() for cross in crosses
            ):
                raise Invalid("junctions' numbers must be digits", field=_FIELD)
            keys = {cross: (network, signal) for cross, signal in crosses.items()}
            found[name] = Grant(user, keys)
    except (ValueError, TypeError, AttributeError, KeyError) as error:
        if isinstance(error, Invalid):
            raise
        raise Invalid("is no JSON of platforms with what they may see", field=_FIELD) from None
    return found


class PlatformDesk:
    """What is told to platforms.

    Parameters
    ----------
    grants : Mapping
        By the platforms' names.
    live : redis.Redis
    wall : Clock
        The street lives by it.
    sleep : callable
        Waits some seconds.
    """

    offered = RUNTIME

    def __init__(
        self,
        grants: Mapping[str, Grant],
        live: redis.Redis,
        wall: Clock,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._grants = grants
        self._lights = Lights(live)
        self._wall = wall
        self._sleep = sleep

    def crosses(self, user: str) -> frozenset[str]:
        """Give the junctions of its grant."""
        return frozenset(self._grants[user].keys)

    def give(self, user: str, name: str, identity: str, number: int | None) -> tuple[Node, ...]:
        """Give an object; a controller that is not being asked is asked for it."""
        keys = self._grants[user].keys
        if name == "SysInfo":
            crosses = (leaf("CrossID", each) for each in sorted(keys))
            return (
                branch("SysInfo", leaf("SysName", "Greenbay"), branch("CrossIDList", *crosses)),
            )
        if name == "SysState":
            return (branch("SysState", leaf("Value", "Online")),)
        if identity not in keys:
            raise Denied(Fault.FAILURE, name, "there is no such junction")
        key = keys[identity]
        try:
            self._lights.want_all([key], self._wall.now())
            for left in range(_WAITS - 1, -1, -1):
                seen = self._lights.get_all([key]).get(key)
                try:
                    now = self._wall.now()
                    return objects_of(name, number, seen, now, cross=identity, title=key[1])
                except Denied:
                    if seen is not None or not left:
                        raise
                self._sleep(_WAIT_S)
        except redis.RedisError:
            raise Denied(Fault.FAILURE, name, "what is shown is not known just now") from None
        raise AssertionError("unreachable")

    def take(self, user: str, wanted: tuple[Node, ...]) -> tuple[Node, ...]:
        """Refuse: orders are given at the duty desk."""
        log.warning("an order of a platform was refused", platform=user, object=wanted[0].name)
        raise Denied(
            Fault.NOT_ALLOWED, wanted[0].name, "orders are given and confirmed at the duty desk"
        )

    def news(self, guest: Guest) -> tuple[News, ...]:
        """Give what changes of the junctions that a guest has subscribed to."""
        if guest.user is None:
            return ()
        wanted = {
            cross: (key, names)
            for cross, key in self._grants[guest.user].keys.items()
            if (names := frozenset(name for name in RUNTIME if guest.wants(name, cross)))
        }
        now = self._wall.now()
        keys = [key for key, _ in wanted.values()]
        try:
            self._lights.want_all(keys, now)
            seen = self._lights.get_all(keys)
        except redis.RedisError as error:
            log.warning("nothing is pushed to a platform", reason=str(error))
            return ()
        return tuple(
            each
            for cross, (key, names) in wanted.items()
            for each in news_of(names, seen.get(key), now, cross=cross, title=key[1])
        )
