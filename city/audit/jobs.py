"""What workers do for the audit record: seal it, and say how far behind the seal is."""

from collections.abc import Mapping
from typing import Final

import structlog
from pydantic import JsonValue

from city.audit.chain import BATCH, head, seal, unsealed_age_s
from city.works import metrics
from city.works.database import Database
from city.works.jobs import Task

log = structlog.stdlib.get_logger(__name__)

MOST_BATCHES: Final = 20


def tasks(database: Database) -> list[Task]:
    """Give the tasks of audit, to be registered by the worker."""

    def seal_all(arguments: Mapping[str, JsonValue]) -> None:
        del arguments
        sealed = 0
        for _ in range(MOST_BATCHES):
            with database.unit_of_work() as uow:
                now = seal(uow)
            sealed += now
            if now < BATCH:
                break
        with database.read() as connection:
            metrics.UNSEALED_AGE_S.set(unsealed_age_s(connection, database.wall.now()))
            last = head(connection)
        if sealed and last is not None:
            # The log leaves the machine by other ways than the database does: a chain that was
            # rewritten later no longer holds this link (`python -m city.audit verify --head`).
            log.info("audit record sealed", sealed=sealed, head=str(last))

    return [Task("audit.seal", seal_all, every="* * * * * */10")]
