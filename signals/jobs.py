"""What workers do for signals: optimisations, drives, schedules, room for detector data."""

from collections.abc import Mapping
from datetime import timedelta
from functools import partial

import structlog
from pydantic import JsonValue

from city.identifiers import parse_id
from city.works.database import Database
from city.works.jobs import Task
from signals.services import (
    alarms,
    drives,
    lane_studies,
    lost_work,
    on_line,
    optimisations,
    priority,
    schedule_making,
    schedules,
    work_orders,
)
from signals.store import partitions

log = structlog.get_logger("signals")


def tasks(database: Database) -> list[Task]:
    """Give the tasks of signals, to be registered by the worker."""

    def optimise(arguments: Mapping[str, JsonValue]) -> None:
        optimisation_id = parse_id(str(arguments.get("optimisation_id")), "optimisation_id")
        optimisations.run(database, optimisation_id, apart=True)

    def drive(arguments: Mapping[str, JsonValue]) -> None:
        drive_id = parse_id(str(arguments.get("drive_id")), "drive_id")
        drives.run(database, drive_id, apart=True)

    def study_lanes(arguments: Mapping[str, JsonValue]) -> None:
        study_id = parse_id(str(arguments.get("study_id")), "study_id")
        lane_studies.run(database, study_id, apart=True)

    def make_schedule(arguments: Mapping[str, JsonValue]) -> None:
        schedule_id = parse_id(str(arguments.get("schedule_id")), "schedule_id")
        schedule_making.run(database, schedule_id, apart=True)

    def follow_schedules(arguments: Mapping[str, JsonValue]) -> None:
        del arguments
        schedules.follow(database)

    # NumPy and the measures are loaded by the first run, not by every process's start.
    def fold_bins(arguments: Mapping[str, JsonValue]) -> None:
        del arguments
        from signals.services import live_bins  # noqa: PLC0415 - slow to load

        live_bins.fold_due(database)

    def watch_alarms(arguments: Mapping[str, JsonValue]) -> None:
        del arguments
        alarms.watch_all(database)
        on_line.look_all(database)
        work_orders.raise_lasting(database)

    def inspect_cabinets(arguments: Mapping[str, JsonValue]) -> None:
        del arguments
        from signals import inspecting  # noqa: PLC0415 - lines are for few processes

        inspecting.inspect_all(database)

    def watch_day(arguments: Mapping[str, JsonValue]) -> None:
        del arguments
        from signals.services import detections, live_bins  # noqa: PLC0415 - slow to load

        yesterday = database.wall.now().astimezone(detections.ZONE).date() - timedelta(days=1)
        live_bins.watch_day(database, yesterday)

    return [
        Task("signals.fold_bins", fold_bins, every="* * * * *"),
        Task("signals.watch_alarms", watch_alarms, every="* * * * *"),
        Task("signals.inspect_cabinets", inspect_cabinets, every="*/10 * * * *"),
        Task("signals.watch_day", watch_day, every="40 18 * * *"),
        Task("signals.keep_partitions", partial(_keep_partitions, database), every="11 * * * *"),
        Task("signals.end_lost_work", partial(_end_lost_work, database), every="* * * * *"),
        Task(optimisations.TASK, optimise, attempts=3),
        Task(drives.TASK, drive, attempts=3),
        Task(lane_studies.TASK, study_lanes, attempts=3),
        Task(schedule_making.TASK, make_schedule, attempts=3),
        Task(schedules.FOLLOW, follow_schedules, every="* * * * *"),
    ]


def _keep_partitions(database: Database, arguments: Mapping[str, JsonValue]) -> None:
    del arguments
    with database.unit_of_work() as uow:
        now = uow.wall.now()
        made = partitions.make_partitions(uow.connection, now=now)
        dropped = partitions.drop_partitions(uow.connection, now=now)
        priority.forget(uow)
    lane_studies.forget(database)
    if made or dropped:
        log.info("partitions", made=made, dropped=dropped)


def _end_lost_work(database: Database, arguments: Mapping[str, JsonValue]) -> None:
    del arguments
    lost_work.end_lost(database)
