"""Signal systems that dial us over GA/T 1049 and log in: a part of the worker.

Public implementations have it that way round. What has come in is what lines to the system's
junctions then use, in this process; without a port of the settings nobody is listened for.
"""

import socket
import threading
from collections.abc import Mapping
from typing import Final

import structlog

from city.works.settings import settings
from signals.adapters.gat1049.reception import Reception
from signals.adapters.gat1049.session import Counter, Session
from signals.adapters.gat1049.systems import Systems
from signals.adapters.gat1049.users import GatUser, admitting, read_users
from signals.adapters.lines import SYSTEMS
from signals.rules.controllers.gat1049.desk import Denied, Guest, News
from signals.rules.controllers.gat1049.messages import Fault
from signals.rules.controllers.gat1049.nodes import Node

AGAIN_S: Final = 5.0
"""After so long a port that was taken is tried again: another worker may have ended."""

log = structlog.get_logger("gat1049")


class _Nothing:
    """A desk that offers nothing: a signal system logs in, the rest is asked of it."""

    offered: frozenset[str] = frozenset()

    def crosses(self, _user: str) -> frozenset[str]:
        return frozenset()

    def give(self, _user: str, name: str, _identity: str, _number: int | None) -> tuple[Node, ...]:
        raise Denied(Fault.NOT_ALLOWED, name, "nothing is offered here")

    def take(self, _user: str, wanted: tuple[Node, ...]) -> tuple[Node, ...]:
        raise Denied(Fault.NOT_ALLOWED, wanted[0].name, "nothing is offered here")

    def news(self, _guest: Guest) -> tuple[News, ...]:
        return ()


def reception(systems: Systems, users: Mapping[str, GatUser], host: str, port: int) -> Reception:
    """Listen for systems; who has logged in is asked by lines. Raises OSError."""
    admit = admitting(users)

    def came(user: str, token: str, session: Session) -> None:
        log.info("a signal system has logged in", system=user, peer=session.peer)
        systems.receive(user, token, session)

    def made(opened: socket.socket) -> Session:
        return Session(opened, counter=Counter(_Nothing(), admit, came))

    return Reception(host, port, made)


class Receiver:
    """Listens while the worker lives."""

    def run(self, stop: threading.Event) -> None:
        """Listen until told to stop, once the port can be had; at once over where none is set."""
        known = settings()
        if known.gat1049_systems_port is None:
            return
        kept = known.gat1049_systems
        users = read_users(None if kept is None else kept.get_secret_value())
        listening: Reception | None = None
        while not stop.is_set():
            if listening is None:
                try:
                    listening = reception(SYSTEMS, users, known.host, known.gat1049_systems_port)
                except OSError as error:
                    log.warning("signal systems are not listened for", reason=str(error))
            stop.wait(AGAIN_S)
        if listening is not None:
            listening.close()
