"""``python -m journeys.platform_host``: the process that command platforms speak to.

Listens on ``GAT1049_PORT`` for GA/T 1049.2 until SIGTERM. Who may log in, and which junctions each
may see, is in ``GAT1049_PLATFORMS``; each log-in is on record.
"""

import signal
import socket
import sys
import threading
from collections.abc import Mapping

import redis
import structlog

from city.audit import record
from city.errors import CityError, Invalid
from city.people.actors import Actor
from city.time import Clock
from city.works.collector import steady_collector
from city.works.database import Database
from city.works.logs import configure_logs
from city.works.settings import settings
from journeys import wiring as composition
from signals.adapters.gat1049.platforms import Grant, PlatformDesk, read_grants
from signals.adapters.gat1049.reception import Reception
from signals.adapters.gat1049.session import Counter, Session
from signals.adapters.gat1049.users import admitting

log = structlog.get_logger("platforms")


def reception(
    live: redis.Redis,
    database: Database,
    wall: Clock,
    grants: Mapping[str, Grant],
    *,
    host: str,
    port: int,
) -> Reception:
    """Listen for platforms. Raises OSError where the port is taken."""
    desk = PlatformDesk(grants, live, wall)
    admit = admitting({name: each.user for name, each in grants.items()})

    def made(opened: socket.socket) -> Session:
        counter = Counter(
            desk, admit, lambda user, _token, session: _logged_in(database, user, session.peer)
        )
        return Session(opened, counter=counter, platform=False)

    return Reception(host, port, made)


def _logged_in(database: Database, user: str, peer: str) -> None:
    """Keep who has logged in; one that cannot be kept is let in and told of in the log."""
    log.info("a platform has logged in", platform=user, peer=peer)
    actor = Actor("integration", f"platform:{user}", None, frozenset(), user)
    try:
        with database.unit_of_work() as uow:
            record(uow, actor, "signals.platform_logged_in", "platform", user, {"peer": peer})
    except CityError as error:
        log.warning("a log-in is not on record", platform=user, reason=str(error))


def main() -> int:
    """Serve until told to stop; 1 where the port cannot be had, 2 where the settings are wrong."""
    known = settings()
    configure_logs(known.log_level, process="platforms")
    if known.gat1049_port is None:
        sys.stderr.write("GAT1049_PORT is not set: no platform is listened for\n")
        return 2
    kept = known.gat1049_platforms
    try:
        grants = read_grants(None if kept is None else kept.get_secret_value())
    except Invalid as error:
        sys.stderr.write(f"GAT1049_PLATFORMS: {error.message}\n")
        return 2
    wiring = composition.build(application="greenbay-platforms")
    steady_collector()
    stopped = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopped.set())
    try:
        listening = reception(
            wiring.live,
            wiring.database,
            wiring.wall,
            grants,
            host=known.host,
            port=known.gat1049_port,
        )
    except OSError as error:
        sys.stderr.write(f"GAT1049_PORT: {error.strerror}\n")
        return 1
    log.info("platforms are listened for", port=listening.port)
    stopped.wait()
    listening.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
