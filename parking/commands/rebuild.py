"""``rebuild``: the live state from PostgreSQL and the streams."""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict

import redis

from city.errors import CityError
from city.works.database import Database
from city.works.live import live_store
from city.works.logs import configure_logs
from city.works.settings import settings
from city.works.shared_setting import business_clock
from parking.adapters.fold_link import LeaseLost
from parking.commands import CommandLine
from parking.placements import Placements
from parking.rebuilding import Rebuilder
from parking.services import places
from parking.services.stays import apply_bay_changes

SUMMARY = "rebuild the live state from PostgreSQL and the streams"


def run(arguments: Sequence[str]) -> int:
    """Print one object a district; what failed is on stderr, and the status is then 1."""
    line = CommandLine(
        "rebuild",
        "Rebuild the live state of bays; workers may go on running, they wait meanwhile. "
        "They do it by themselves where keys are lost: by hand it is for doubt.",
        "python -m parking rebuild --district 0153",
    )
    line.add_argument("--district", metavar="CODE", help="this one alone; else all of them")
    line.add_argument(
        "--discard",
        action="store_true",
        help="make every bay anew from PostgreSQL, also those whose entries are there",
    )
    given = line.parse_args(arguments)
    known = settings()
    configure_logs(known.log_level, process="rebuild")
    with ExitStack() as open_servers:
        try:
            addresses = known.addresses()
            clock = business_clock(known)
            database = Database(addresses.database, clock=clock, application="greenbay-rebuild")
            open_servers.callback(database.close)
            with database.read() as connection:
                districts = places.districts(connection)
        except CityError as error:
            line.error(str(error))
        if given.district is not None:
            if given.district not in districts:
                line.error(f"argument --district: {given.district!r} has no facilities")
            districts = (given.district,)
        live = live_store(addresses.redis)
        open_servers.callback(live.connection_pool.disconnect)
        placements = Placements(database)
        failed = 0
        for district in districts:
            rebuilder = Rebuilder(
                live,
                database,
                district,
                placements,
                clock,
                apply=apply_bay_changes,
                partitions=known.uplink_partitions,
            )
            try:
                line.answer(asdict(rebuilder.rebuild(discard=given.discard)))
            except (CityError, redis.RedisError, LeaseLost) as error:
                line.say(f"{district}: {error}")
                failed += 1
    return 1 if failed else 0
