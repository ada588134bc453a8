"""What workers do for signals: optimisations, schedules, room for detector data."""

from collections.abc import Mapping

import structlog
from pydantic import JsonValue

from city.identifiers import parse_id
from city.works.database import Database
from city.works.jobs import Task
from signals.services import optimisations, schedule_making, schedules
from signals.store import partitions

log = structlog.get_logger("signals")


def tasks(database: Database) -> list[Task]:
    """Give the tasks of signals, to be registered by the worker."""

    def optimise(arguments: Mapping[str, JsonValue]) -> None:
        optimisation_id = parse_id(str(arguments.get("optimisation_id")), "optimisation_id")
        optimisations.run(database, optimisation_id, apart=True)

    def make_schedule(arguments: Mapping[str, JsonValue]) -> None:
        schedule_id = parse_id(str(arguments.get("schedule_id")), "schedule_id")
        schedule_making.run(database, schedule_id, apart=True)

    def follow_schedules(arguments: Mapping[str, JsonValue]) -> None:
        del arguments
        schedules.follow(database)

    def keep_partitions(arguments: Mapping[str, JsonValue]) -> None:
        del arguments
        with database.unit_of_work() as uow:
            now = uow.wall.now()
            made = partitions.make_partitions(uow.connection, now=now)
            dropped = partitions.drop_partitions(uow.connection, now=now)
        if made or dropped:
            log.info("partitions", made=made, dropped=dropped)

    return [
        Task("signals.keep_partitions", keep_partitions, every="11 * * * *"),
        Task(optimisations.TASK, optimise, attempts=3),
        Task(schedule_making.TASK, make_schedule, attempts=3),
        Task(schedules.FOLLOW, follow_schedules, every="* * * * *"),
    ]
