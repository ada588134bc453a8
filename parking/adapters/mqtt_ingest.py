"""The ingest process: `python -m parking.adapters.mqtt_ingest`.

Without `MQTT_URL` it is the embedded broker with the desk inside; with it, a listener at that
broker. Both end in `Ingest.accept`.
"""

import asyncio
import contextlib
import logging
import signal
import sys
import threading
from collections.abc import Callable
from typing import Final

import structlog

from city.errors import Unavailable
from city.works.back_pressure import DiskGate, StreamGate
from city.works.database import Database
from city.works.embedded.broker import Desk, DeskBroker
from city.works.live import live_store
from city.works.logs import configure_logs
from city.works.settings import Settings, settings
from city.works.shared_setting import business_clock
from parking.adapters.mqtt import Appender
from parking.adapters.mqtt_desk import UplinkDesk
from parking.adapters.mqtt_listener import Listener
from parking.ingest import Ingest
from parking.placements import Placements

DRAIN_S: Final = 10.0
CONNECTIONS: Final = 8
MEGABYTE: Final = 1_000_000

log = structlog.get_logger(__name__)


def build_ingest(options: Settings) -> tuple[Database, Placements, Ingest]:
    """Build the ingest of a process from its settings."""
    addresses = options.addresses()
    clock = business_clock(options)
    database = Database(
        addresses.database, clock=clock, application="greenbay-ingest", pool_size=CONNECTIONS
    )
    placements = Placements(database)
    live = live_store(addresses.redis, connections=CONNECTIONS)
    ingest = Ingest(
        live,
        placements,
        clock,
        gate=StreamGate(live, options.stream_limit),
        # With an external live store and database this disk says nothing.
        room=DiskGate(options.var, options.disk_free_limit_mb * MEGABYTE)
        if options.embedded
        else None,
        partitions=options.uplink_partitions,
    )
    return database, placements, ingest


async def serve(
    host: str,
    port: int,
    desk: Desk,
    appender: Appender,
    stop: asyncio.Event,
    *,
    ready: Callable[[], None] = lambda: None,
) -> None:
    """Run the embedded broker until `stop` is set.

    Then it takes no more connections, and what waits is appended and acknowledged for at most
    `DRAIN_S`. What is not acknowledged the devices send again.
    """
    appending = asyncio.create_task(appender.run())
    broker = DeskBroker(host, port, desk)
    await broker.start()
    log.info("the MQTT broker listens", host=host, port=port)
    ready()
    stopped = asyncio.create_task(stop.wait())
    # An appender that ends by itself is a fault: end, and be started again.
    await asyncio.wait({stopped, appending}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()
    failed = appending.done()
    if not failed:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(appender.drained(), DRAIN_S)
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(broker.shutdown(), DRAIN_S)
    appending.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await appending


async def _serve_embedded(options: Settings) -> None:
    database, placements, ingest = build_ingest(options)
    with contextlib.suppress(Unavailable):
        placements.refresh(force=True)  # before the first connection, not with it
    appender = Appender(ingest.accept)
    desk = UplinkDesk(database, placements, appender)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for each in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(each, stop.set)
    try:
        await serve(options.host, options.mqtt_port, desk, appender, stop)
    finally:
        desk.close()
        database.close()


def _listen(options: Settings, url: str) -> None:
    database, _, ingest = build_ingest(options)
    stop = threading.Event()
    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, lambda _number, _frame: stop.set())
    try:
        Listener(url, ingest.accept).run(stop)
    finally:
        database.close()


def main() -> int:
    """Run until told to stop; 0 then."""
    options = settings()
    configure_logs(options.log_level, process="ingest")
    # It warns of every stranger's connection, those of health checks too.
    logging.getLogger("amqtt").setLevel(logging.ERROR)
    if options.mqtt_url is not None:
        _listen(options, options.mqtt_url)
    else:
        asyncio.run(_serve_embedded(options))
    return 0


if __name__ == "__main__":
    sys.exit(main())
