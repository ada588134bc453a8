"""The desk of the embedded broker: device credentials, whose topic is whose, and the append."""

import asyncio
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

import structlog

from city.errors import Forbidden, Unavailable
from city.people.actors import Actor
from city.people.services import token_actor
from city.works.database import Database
from parking.adapters.mqtt import Appender, parse_topic, uplink_of
from parking.placements import Placements

GOOD_FOR_S: Final = 30.0
"""A credential that was good is asked about again after this: so long does a revoked one work."""
BAD_FOR_S: Final = 5.0
REMEMBERED: Final = 20_000
LONGEST_TOKEN: Final = 256
CHECKS_AT_A_TIME: Final = 4

log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Peer:
    """Who is connected."""

    username: str
    password: str
    actor: Actor
    good_until: float
    """Monotonic."""


class CredentialMemory:
    """Asks the people tables who a token belongs to, and remembers it briefly.

    A token is held by its SHA-256 alone. Threads share it.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._known: dict[bytes, tuple[float, Actor | None]] = {}

    def actor(self, token: str) -> Actor | None:
        """Give who is behind a token; None where it is not, or no longer, good.

        Raises
        ------
        Unavailable
            Where the database cannot be asked.
        """
        name = sha256(token.encode("utf-8", "replace")).digest()
        now = time.monotonic()
        with self._lock:
            until, actor = self._known.get(name, (0.0, None))
        if now < until:
            return actor
        with self._database.read() as connection:
            actor = token_actor(connection, token)
        with self._lock:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[name] = (now + (BAD_FOR_S if actor is None else GOOD_FOR_S), actor)
        return actor


class UplinkDesk:
    """Admits devices by their own credential and appends what they publish to their own topic.

    A device's username is its network key, its password the token issued to it. An integration
    (a bridge for a network server) logs in by its name and token, and may publish for every
    device of its districts.

    Parameters
    ----------
    database
        Where the credentials are.
    placements
        Says which district a registered device belongs to.
    appender
        Runs beside, in the same event loop.
    """

    def __init__(self, database: Database, placements: Placements, appender: Appender) -> None:
        self._credentials = CredentialMemory(database)
        self._placements = placements
        self._appender = appender
        self._threads = ThreadPoolExecutor(CHECKS_AT_A_TIME, thread_name_prefix="credential")

    def close(self) -> None:
        """End the threads."""
        self._threads.shutdown(wait=True, cancel_futures=True)

    async def admit(self, username: str, password: str) -> Peer | None:
        """Give the peer; None for a credential that is not good.

        Raises
        ------
        Unavailable
            Where the database cannot be asked: nobody is admitted on trust.
        """
        if len(password) > LONGEST_TOKEN:
            return None
        actor = await asyncio.get_running_loop().run_in_executor(
            self._threads, self._look_up, password
        )
        if actor is None or actor.kind not in {"device", "integration"}:
            return None
        if actor.subject.lower() != username.lower():
            return None
        return Peer(username, password, actor, time.monotonic() + GOOD_FOR_S)

    def _look_up(self, password: str) -> Actor | None:
        self._placements.refresh()  # so that `may_publish` knows the device's district
        return self._credentials.actor(password)

    def may_publish(self, peer: object, topic: str) -> bool:
        """Say whether the topic is the peer's own."""
        where = parse_topic(topic)
        if where is None or not isinstance(peer, Peer):
            return False
        if peer.actor.kind == "device" and where.device != peer.actor.subject.lower():
            return False
        if not peer.actor.in_district(where.district):
            return False
        known = self._placements.by_key(where.device)
        return known is None or known.district == where.district

    async def take(self, peer: object, topic: str, payload: bytes) -> None:
        """Return when the uplink is in its stream, or was refused for good.

        Raises
        ------
        Forbidden
            Where the peer's credential is no longer good.
        """
        where = parse_topic(topic)
        if where is None or not isinstance(peer, Peer):
            raise Forbidden("not a topic for uplinks")
        await self._check(peer)
        uplink = uplink_of(where, payload)
        if uplink is not None:
            await self._appender.append(uplink)

    async def _check(self, peer: Peer) -> None:
        """Ask again about a credential that was good a while ago."""
        now = time.monotonic()
        if now < peer.good_until:
            return
        peer.good_until = now + GOOD_FOR_S  # one question for all messages that wait
        try:
            again = await self.admit(peer.username, peer.password)
        except Unavailable as error:
            # Frames are worth more than a revocation seen a little later.
            log.warning("a credential could not be asked about again", error=str(error))
            return
        if again is None:
            peer.good_until = 0.0
            raise Forbidden("the credential is no longer good")
