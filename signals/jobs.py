"""What workers do for signals: optimisations and schedules."""

from collections.abc import Mapping

from pydantic import JsonValue

from city.identifiers import parse_id
from city.works.database import Database
from city.works.jobs import Task
from signals.services import optimisations, schedule_making, schedules


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

    return [
        Task(optimisations.TASK, optimise, attempts=3),
        Task(schedule_making.TASK, make_schedule, attempts=3),
        Task(schedules.FOLLOW, follow_schedules, every="* * * * *"),
    ]
