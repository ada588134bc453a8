"""What workers do for the vault: carry rows over to the current key."""

from collections.abc import Mapping
from typing import Final

import structlog
from pydantic import JsonValue

from city.vault.rotation import rotate
from city.works.database import Database
from city.works.jobs import Task

log = structlog.stdlib.get_logger(__name__)

BATCH: Final = 500
MOST_BATCHES: Final = 40


def tasks(database: Database) -> list[Task]:
    """Give the tasks of the vault, to be registered by the worker."""

    def carry_over(arguments: Mapping[str, JsonValue]) -> None:
        del arguments
        for _ in range(MOST_BATCHES):
            with database.unit_of_work() as uow:
                report = rotate(uow, BATCH)
            if report.carried or report.retired:
                log.info(
                    "vault rotated",
                    current=report.current,
                    carried=report.carried,
                    left=report.left,
                    retired=list(report.retired),
                )
            if report.carried < BATCH:
                break

    return [Task("vault.rotate", carry_over, every="*/5 * * * *")]
