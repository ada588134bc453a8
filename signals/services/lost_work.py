"""Work whose job will not run again, ended as failed: it would seem to go on for ever.

A job counts as failed where its worker died, or its process, as often as it may be tried. Nobody
writes then that the optimisation, drive, study or schedule that it was for has ended; here that is
done, whatever became of the job.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import structlog
from sqlalchemy import Connection

from city.works.database import Database, UnitOfWork
from city.works.jobs import still_to_run
from signals.services import drives, lane_studies, optimisations, schedule_making
from signals.store import drives as drive_store
from signals.store import lane_studies as lane_study_store
from signals.store import optimisations as optimisation_store
from signals.store import schedules as schedule_store

PROBLEM: Final = "its worker failed or died too often: ask for it anew"
_MOST: Final = 500
"""In one go; the next looks further, for these have ended then."""

log = structlog.get_logger("signals")


@dataclass(frozen=True, slots=True)
class _Kind:
    task: str
    argument: str
    unfinished: Callable[[Connection, int], list[UUID]]
    give_up: Callable[[UnitOfWork, UUID, str], bool]


_KINDS: Final = (
    _Kind(
        optimisations.TASK,
        "optimisation_id",
        optimisation_store.unfinished_ids,
        optimisations.WORK.give_up,
    ),
    _Kind(drives.TASK, "drive_id", drive_store.unfinished_ids, drives.WORK.give_up),
    _Kind(
        lane_studies.TASK, "study_id", lane_study_store.unfinished_ids, lane_studies.WORK.give_up
    ),
    _Kind(schedule_making.TASK, "schedule_id", schedule_store.unmade_ids, schedule_making.give_up),
)


def end_lost(database: Database) -> int:
    """End what is unfinished although no job for it waits or runs; give how many."""
    ended = 0
    for kind in _KINDS:
        with database.read() as connection:
            unfinished = kind.unfinished(connection, _MOST)
        with database.read() as connection:
            # Asked for after the work itself: a job's last act on its work comes before its end.
            alive = still_to_run(connection, kind.task, kind.argument, unfinished)
        for each in unfinished:
            if each in alive:
                continue
            with database.unit_of_work() as uow:
                given_up = kind.give_up(uow, each, PROBLEM)
            if given_up:
                ended += 1
                log.warning("work without a job was ended", task=kind.task, id=str(each))
    return ended
