"""``python -m journeys.pos_host``: the process that POS terminals speak to.

Listens on ``POS_PORT`` and answers until SIGTERM; what is being answered then is answered.
"""

import asyncio
import signal
import sys
from functools import partial
from typing import Final

import structlog

from city.works.collector import steady_collector
from city.works.database import Database
from city.works.logs import configure_logs
from city.works.settings import settings
from journeys import wiring as composition
from journeys.answer_pos import answer_frame
from payments.adapters.pos_line import PosLines

THREADS: Final = 8
"""Messages that are answered at a time; a database's pool lends twice as many."""

log = structlog.get_logger("pos")


def pos_lines(database: Database, host: str, port: int) -> PosLines:
    """Give the listener of an installation."""
    return PosLines(partial(answer_frame, database), host, port, THREADS)


def main() -> int:
    """Serve until told to stop; 1 where the port cannot be had, 2 where none is set."""
    known = settings()
    configure_logs(known.log_level, process="pos")
    if known.pos_port is None:
        sys.stderr.write("POS_PORT is not set: no terminal is listened for\n")
        return 2
    wiring = composition.build(application="greenbay-pos")
    steady_collector()
    try:
        asyncio.run(_serve(pos_lines(wiring.database, known.host, known.pos_port)))
    except OSError as error:
        sys.stderr.write(f"POS_PORT: {error.strerror}\n")
        return 1
    return 0


async def _serve(lines: PosLines) -> None:
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    await lines.open()
    log.info("terminals are listened for", port=lines.port)
    await stopped.wait()
    await lines.close()


if __name__ == "__main__":
    sys.exit(main())
